/** Topic configs of Apache Kafka 4 with their defaults. Those marked in README.md are honoured, the others stored and told. */
const defaults: Readonly<Record<string, string>> = {
  'cleanup.policy': 'delete',
  'compression.type': 'producer',
  'delete.retention.ms': '86400000',
  'file.delete.delay.ms': '60000',
  'flush.messages': '9223372036854775807',
  'flush.ms': '9223372036854775807',
  'index.interval.bytes': '4096',
  'max.compaction.lag.ms': '9223372036854775807',
  'max.message.bytes': '1048588',
  'message.timestamp.after.max.ms': '3600000',
  'message.timestamp.before.max.ms': '9223372036854775807',
  'message.timestamp.type': 'CreateTime',
  'min.cleanable.dirty.ratio': '0.5',
  'min.compaction.lag.ms': '0',
  'min.insync.replicas': '1',
  preallocate: 'false',
  'retention.bytes': '-1',
  'retention.ms': '604800000',
  'segment.bytes': '1073741824',
  'segment.index.bytes': '10485760',
  'segment.jitter.ms': '0',
  'segment.ms': '604800000',
  'unclean.leader.election.enable': 'false',
};

const knownDefaults = new Map(Object.entries(defaults));
const words: ReadonlyMap<string, readonly string[]> = new Map([
  ['cleanup.policy', ['delete', 'compact', 'compact,delete', 'delete,compact']],
  ['compression.type', ['producer', 'uncompressed', 'gzip', 'snappy', 'lz4', 'zstd']],
  ['message.timestamp.type', ['CreateTime', 'LogAppendTime']],
  ['preallocate', ['true', 'false']],
  ['unclean.leader.election.enable', ['true', 'false']],
]);

export interface ConfigEntry {
  readonly name: string;
  readonly value: string;
  readonly isDefault: boolean;
}

/** The configs of one topic; what was not set has Apache Kafka's default. */
export class TopicConfig {
  readonly maxMessageBytes: number;
  readonly timestampAfterMaxMs: number;
  readonly timestampBeforeMaxMs: number;
  readonly logAppendTime: boolean;
  readonly minInsyncReplicas: number;
  readonly #set: ReadonlyMap<string, string>;

  constructor(set: ReadonlyMap<string, string>) {
    this.#set = set;
    this.maxMessageBytes = Number(this.get('max.message.bytes'));
    this.timestampAfterMaxMs = Number(this.get('message.timestamp.after.max.ms'));
    this.timestampBeforeMaxMs = Number(this.get('message.timestamp.before.max.ms'));
    this.minInsyncReplicas = Number(this.get('min.insync.replicas'));
    this.logAppendTime = this.get('message.timestamp.type') === 'LogAppendTime';
  }

  get(name: string): string {
    return this.#set.get(name) ?? knownDefaults.get(name) ?? '';
  }

  entries(): ConfigEntry[] {
    return [...knownDefaults].map(([name, value]) => ({
      name,
      value: this.#set.get(name) ?? value,
      isDefault: !this.#set.has(name),
    }));
  }
}

/** One sentence about the first config that a broker would refuse, or undefined. */
export function configFault(set: ReadonlyMap<string, string>): string | undefined {
  for (const [name, value] of set) {
    if (!knownDefaults.has(name)) return `Unknown topic config name: ${name}`;
    const allowed = words.get(name);
    if (allowed !== undefined ? !allowed.includes(value) : !/^-?\d+(\.\d+)?$/.test(value))
      return `Invalid value ${value} for configuration ${name}`;
  }
  return undefined;
}
