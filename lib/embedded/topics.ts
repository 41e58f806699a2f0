import { attribute, type BatchHeader, codecMax, crcMatches, readBatchHeader } from './batch-header.ts';
import { kafkaError } from './kafka-errors.ts';
import { PartitionLog } from './partition-log.ts';
import { ProducerStates } from './producer-state.ts';
import { configFault, TopicConfig } from './topic-config.ts';

/** What an append comes to: an offset, or the Kafka error code of the refusal. */
export interface AppendResult {
  readonly error: number;
  readonly baseOffset: number;
  readonly logAppendTime: number;
}

/** One partition: its log, who leads it, and who waits for more of it. */
export class Partition {
  readonly index: number;
  readonly log = new PartitionLog();
  /** Node ids; the first one is preferred as leader. */
  readonly replicas: readonly number[];
  /** -1 while no replica lives. */
  leader: number;
  leaderEpoch = 0;
  readonly #producers = new ProducerStates();
  readonly #config: TopicConfig;
  readonly #watchers = new Set<() => void>();

  constructor(index: number, replicas: readonly number[], config: TopicConfig) {
    this.index = index;
    this.replicas = replicas;
    this.leader = replicas[0]!;
    this.#config = config;
  }

  get minInsyncReplicas(): number {
    return this.#config.minInsyncReplicas;
  }

  /** Checks a batch in the order in which Apache Kafka does, and appends it. */
  append(records: Uint8Array | null): AppendResult {
    const header = readBatchHeader(records);
    if (typeof header === 'number') return refused(header);
    const batch = records!;
    const fault = this.#faultOf(batch, header);
    if (fault !== kafkaError.NONE) return refused(fault);
    const verdict = this.#producers.check(header);
    if (verdict.kind === 'refuse') return refused(verdict.error);
    if (verdict.kind === 'duplicate') return { error: 0, baseOffset: verdict.baseOffset, logAppendTime: -1 };
    const logAppendTime = this.#config.logAppendTime ? Date.now() : undefined;
    const baseOffset = this.log.append(batch, header, this.leaderEpoch, logAppendTime);
    this.#producers.appended(header, baseOffset);
    this.wake();
    return { error: 0, baseOffset, logAppendTime: logAppendTime ?? -1 };
  }

  /** Calls `watcher` on every append and on every change of leader, until the returned function is called. */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  wake(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }

  /** Chooses the first living replica, keeping the leader where it lives. Every change counts up the leader epoch. */
  elect(alive: (node: number) => boolean): void {
    if (this.leader !== -1 && alive(this.leader)) return;
    const next = this.replicas.find(alive) ?? -1;
    if (next === this.leader) return;
    this.leader = next;
    if (next !== -1) this.leaderEpoch++;
    this.wake();
  }

  #faultOf(batch: Uint8Array, header: BatchHeader): number {
    if (header.bytes > this.#config.maxMessageBytes) return kafkaError.MESSAGE_TOO_LARGE;
    if (!crcMatches(batch)) return kafkaError.CORRUPT_MESSAGE;
    if ((header.attributes & attribute.codecMask) > codecMax) return kafkaError.INVALID_RECORD;
    if ((header.attributes & attribute.control) !== 0) return kafkaError.INVALID_RECORD;
    if (header.recordCount <= 0 || header.lastOffsetDelta !== header.recordCount - 1) return kafkaError.INVALID_RECORD;
    if ((header.attributes & attribute.transactional) !== 0) return kafkaError.INVALID_TXN_STATE;
    if (!this.#config.logAppendTime) {
      const now = Date.now();
      if (header.maxTimestamp > now + this.#config.timestampAfterMaxMs) return kafkaError.INVALID_TIMESTAMP;
      if (header.maxTimestamp >= 0 && header.maxTimestamp < now - this.#config.timestampBeforeMaxMs)
        return kafkaError.INVALID_TIMESTAMP;
    }
    return kafkaError.NONE;
  }
}

function refused(error: number): AppendResult {
  return { error, baseOffset: -1, logAppendTime: -1 };
}

export interface Topic {
  readonly name: string;
  readonly config: TopicConfig;
  readonly partitions: Partition[];
}

/** A topic to make. `partitions` and `replicationFactor` of -1 mean the cluster's defaults. */
export interface TopicRequest {
  readonly name: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly config: ReadonlyMap<string, string>;
}
export interface TopicRefusal {
  readonly error: number;
  readonly sentence: string;
}

const partitionsMax = 10_000;

/** The topics of one cluster, and the law by which their partitions get leaders: round robin over the brokers. */
export class TopicTable {
  readonly #topics = new Map<string, Topic>();
  readonly #nodes: readonly number[];
  readonly #defaultPartitions: number;
  readonly #alive: (node: number) => boolean;
  #nextNode = 0;

  constructor(nodes: readonly number[], defaultPartitions: number, alive: (node: number) => boolean) {
    this.#nodes = nodes;
    this.#defaultPartitions = defaultPartitions;
    this.#alive = alive;
  }

  get(name: string): Topic | undefined {
    return this.#topics.get(name);
  }
  all(): Topic[] {
    return [...this.#topics.values()];
  }
  partition(name: string, index: number): Partition | undefined {
    return this.#topics.get(name)?.partitions[index];
  }

  /** Makes the topic unless a broker would refuse it; with `validateOnly` says only whether it would. */
  create(request: TopicRequest, validateOnly = false): TopicRefusal | undefined {
    const refusal = this.#refusal(request);
    if (refusal !== undefined || validateOnly) return refusal;
    const config = new TopicConfig(request.config);
    const topic: Topic = { name: request.name, config, partitions: [] };
    this.#topics.set(request.name, topic);
    this.#addPartitions(
      topic,
      request.partitions === -1 ? this.#defaultPartitions : request.partitions,
      Math.max(1, request.replicationFactor),
    );
    return undefined;
  }

  /** Adds partitions up to `count` in all. */
  grow(name: string, count: number, validateOnly = false): TopicRefusal | undefined {
    const topic = this.#topics.get(name);
    if (topic === undefined)
      return { error: kafkaError.UNKNOWN_TOPIC_OR_PARTITION, sentence: `The topic ${name} does not exist.` };
    if (count <= topic.partitions.length || count > partitionsMax)
      return {
        error: kafkaError.INVALID_PARTITIONS,
        sentence: `The topic ${name} has ${topic.partitions.length} partitions and cannot grow to ${count}.`,
      };
    if (!validateOnly)
      this.#addPartitions(topic, count - topic.partitions.length, topic.partitions[0]!.replicas.length);
    return undefined;
  }

  delete(name: string): boolean {
    const topic = this.#topics.get(name);
    if (topic === undefined) return false;
    this.#topics.delete(name);
    for (const partition of topic.partitions) partition.wake();
    return true;
  }

  /** Called when a broker went or came. */
  elect(): void {
    for (const topic of this.#topics.values()) {
      for (const partition of topic.partitions) partition.elect(this.#alive);
    }
  }

  #addPartitions(topic: Topic, count: number, replicationFactor: number): void {
    for (let n = 0; n < count; n++) {
      const first = this.#nextNode++;
      const replicas = Array.from(
        { length: replicationFactor },
        (_, r) => this.#nodes[(first + r) % this.#nodes.length]!,
      );
      const partition = new Partition(topic.partitions.length, replicas, topic.config);
      partition.elect(this.#alive);
      topic.partitions.push(partition);
    }
  }

  #refusal(request: TopicRequest): TopicRefusal | undefined {
    const { name, partitions, replicationFactor, config } = request;
    if (!/^[a-zA-Z0-9._-]{1,249}$/.test(name) || name === '.' || name === '..')
      return { error: kafkaError.INVALID_TOPIC, sentence: `${JSON.stringify(name)} is no legal topic name.` };
    if (this.#topics.has(name))
      return { error: kafkaError.TOPIC_ALREADY_EXISTS, sentence: `Topic '${name}' already exists.` };
    if (partitions !== -1 && (partitions < 1 || partitions > partitionsMax))
      return {
        error: kafkaError.INVALID_PARTITIONS,
        sentence: `Number of partitions was ${partitions}; 1 to ${partitionsMax} are possible.`,
      };
    if (replicationFactor !== -1 && (replicationFactor < 1 || replicationFactor > this.#nodes.length))
      return {
        error: kafkaError.INVALID_REPLICATION_FACTOR,
        sentence: `Replication factor ${replicationFactor} does not fit ${this.#nodes.length} brokers.`,
      };
    const fault = configFault(config);
    return fault === undefined ? undefined : { error: kafkaError.INVALID_CONFIG, sentence: fault };
  }
}
