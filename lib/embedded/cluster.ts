import { type Clock, systemClock } from '../base/clock.ts';
import { didYouMean } from '../base/did-you-mean.ts';
import { BraidError } from '../base/errors.ts';
import { BrokerServer } from './broker-server.ts';
import { type ClusterSettings, ClusterState, defaultSettings } from './cluster-state.ts';
import { type ApiSelector, type ClusterFaults, FaultRules, type FaultScope, type Interceptor } from './faults.ts';
import type { Partition } from './topics.ts';

/** A topic to make: one partition and one replica unless said otherwise; `config` takes Kafka's topic configs. */
export interface TopicSpec {
  readonly topic: string;
  readonly partitions?: number;
  readonly replicationFactor?: number;
  readonly config?: Readonly<Record<string, string>>;
}

export interface ClusterOptions {
  /** Names the cluster in errors; 'embedded' by default. */
  readonly name?: string;
  /** How many brokers, 1 to 100; 1 by default. Their node ids count from 1. */
  readonly brokers?: number;
  /** One port a broker; free ones by default. */
  readonly ports?: readonly number[];
  readonly topics?: readonly TopicSpec[];
  /** Whether a topic is made when a client asks for its metadata; false by default. */
  readonly autoCreateTopics?: boolean;
  /** Partitions of such a topic; 1 by default. */
  readonly defaultPartitions?: number;
  /** Largest request; 104,857,600 bytes by default, as with Apache Kafka. Beyond it the connection is closed. */
  readonly requestBytesMax?: number;
  /** How long the first rebalance of a group waits for more members; 0 by default (Apache Kafka: 3,000). */
  readonly groupInitialRebalanceDelayMs?: number;
  /** Shortest session time-out that a group member may ask for; 6,000 by default. */
  readonly groupSessionTimeoutMsMin?: number;
}

/** What a cluster in this process and one in a child process have in common. */
export interface RunningCluster {
  readonly name: string;
  /** `host:port` of each broker. */
  readonly bootstrap: readonly string[];
  readonly faults: ClusterFaults;
  /** OPTION_INVALID where a broker would refuse the topic. */
  createTopic(topic: TopicSpec): Promise<void>;
  /** The offset that the next record gets. TOPIC_UNKNOWN where there is no such partition. */
  endOffset(topic: string, partition: number): Promise<number>;
  /** The stored record batches, as a reader would fetch them. */
  records(topic: string, partition: number): Promise<Uint8Array[]>;
  /** Appends one record batch as a produce request would; resolves to its base offset. BROKER_ERROR where it is refused. */
  append(topic: string, partition: number, batch: Uint8Array): Promise<number>;
  /** Ends all connections and listeners (or the process) and forgets the log. Idempotent. */
  close(): Promise<void>;
}

/** A cluster in this process: its faults also take functions. */
export interface EmbeddedCluster extends RunningCluster {
  readonly faults: ClusterFaults & {
    /** Shows every matching request to `interceptor`, which may hold it, answer an error, lose the reply; the returned function ends that. */
    intercept(api: ApiSelector, interceptor: Interceptor, scope?: FaultScope): () => void;
  };
  /** Why connections were closed by brokers (malformed requests, other protocols), newest last, at most 100. */
  readonly refusals: readonly string[];
}

const limitNames = [
  'defaultPartitions',
  'requestBytesMax',
  'groupInitialRebalanceDelayMs',
  'groupSessionTimeoutMsMin',
] as const;
const brokersMax = 100;
const refusalsKept = 100;

/**
 * Starts a Kafka cluster in this process, on loopback ports.
 *
 * ```ts
 * const cluster = await startCluster({ topics: [{ topic: 'flights', partitions: 4 }] });
 * const kafka = new Kafka({ brokers: [...cluster.bootstrap] });
 * await cluster.close();
 * ```
 *
 * Throws OPTION_INVALID where an option makes no sense or a port is taken. `clock` drives long polls, delays and group
 * time-outs, so that specs need not wait.
 */
export async function startCluster(options: ClusterOptions = {}, clock: Clock = systemClock): Promise<EmbeddedCluster> {
  checkNames('cluster', options, clusterOptionNames);
  for (const topic of options.topics ?? []) checkNames('topic', topic, topicOptionNames);
  const name = options.name ?? 'embedded';
  const count = options.brokers ?? options.ports?.length ?? 1;
  checkOptions(name, count, options);
  const state = new ClusterState(name, count, clock, settingsOf(options));
  const rules = new FaultRules(clock);
  const refusals: string[] = [];
  const onRefused = (reason: string) => {
    refusals.push(reason);
    if (refusals.length > refusalsKept) refusals.shift();
  };
  const servers = state.brokers.map(broker => new BrokerServer(state, broker, rules, onRefused));
  const closeAll = async () => {
    state.groups.close();
    const closed = Promise.all(servers.map(server => server.down()));
    // Connections are dropped by now, so that nothing is applied that a delay or a group still held.
    rules.close();
    await closed;
  };
  try {
    for (const [at, server] of servers.entries()) await server.open(options.ports?.[at] ?? 0);
    for (const topic of options.topics ?? []) createTopic(state, topic);
  } catch (error) {
    await closeAll();
    throw error;
  }

  return {
    name,
    bootstrap: state.brokers.map(broker => `${broker.host}:${broker.port}`),
    refusals,
    faults: {
      down: broker => each(servers, broker, server => server.down()),
      up: broker => each(servers, broker, server => server.up()),
      blackHole: broker => each(servers, broker, server => server.blackHole()),
      heal: broker => each(servers, broker, server => server.heal()),
      delay: async (api, delayMs, scope) => rules.delay(api, delayMs, scope),
      errorReply: async (api, code, scope) => void rules.intercept(api, () => ({ kind: 'error', code }), scope),
      verdict: async (api, verdict, scope) => void rules.intercept(api, () => verdict, scope),
      clear: async () => rules.clear(),
      intercept: (api, interceptor, scope) => rules.intercept(api, interceptor, scope),
    },
    createTopic: async topic => createTopic(state, topic),
    endOffset: async (topic, partition) => partitionOf(state, topic, partition).log.endOffset,
    records: async (topic, partition) => partitionOf(state, topic, partition).log.batches(),
    append: async (topic, partition, batch) => {
      const { error, baseOffset } = partitionOf(state, topic, partition).append(batch);
      if (error !== 0)
        throw new BraidError('BROKER_ERROR', `the batch was refused with Kafka error ${error}`, {
          place: `${topic}-${partition}`,
        });
      return baseOffset;
    },
    close: closeAll,
  };
}

const clusterOptionNames = [
  ...['name', 'brokers', 'ports', 'topics', 'autoCreateTopics', 'defaultPartitions', 'requestBytesMax'],
  ...['groupInitialRebalanceDelayMs', 'groupSessionTimeoutMsMin'],
];
const topicOptionNames = ['topic', 'partitions', 'replicationFactor', 'config'];

/** A misspelt option would be left out in silence. OPTION_UNKNOWN, OPTION_INVALID. */
function checkNames(place: string, given: unknown, names: readonly string[]): void {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw new BraidError('OPTION_INVALID', `an object of options belongs here, not ${typeof given}`, { place });
  for (const name of Object.keys(given)) {
    if (names.includes(name)) continue;
    throw new BraidError('OPTION_UNKNOWN', `there is no option ${name}`, {
      place: `${place}.${name}`,
      hint: didYouMean(name, names) ?? `options are ${names.join(', ')}`,
    });
  }
}

function checkOptions(name: string, count: number, { ports, ...options }: ClusterOptions): void {
  const place = `cluster ${name}`;
  if (typeof name !== 'string' || name === '')
    throw new BraidError('OPTION_INVALID', 'the name of a cluster is a text', { place: 'cluster.name' });
  for (const option of limitNames) {
    const value = options[option];
    if (value !== undefined && (!Number.isSafeInteger(value) || value < 0))
      throw new BraidError('OPTION_INVALID', `${option} is a whole number, not ${String(value)}`, { place });
  }
  if (!Number.isInteger(count) || count < 1 || count > brokersMax)
    throw new BraidError('OPTION_INVALID', `a cluster has 1 to ${brokersMax} brokers, not ${count}`, { place });
  if (ports !== undefined && ports.length !== count)
    throw new BraidError('OPTION_INVALID', `${ports.length} ports were given for ${count} brokers`, { place });
  for (const port of ports ?? []) {
    if (!Number.isInteger(port) || port < 0 || port > 65_535)
      throw new BraidError('OPTION_INVALID', `${port} is no port number`, { place, hint: 'use 0 to 65535' });
  }
}

function settingsOf(options: ClusterOptions): ClusterSettings {
  return {
    autoCreateTopics: options.autoCreateTopics ?? defaultSettings.autoCreateTopics,
    defaultPartitions: options.defaultPartitions ?? defaultSettings.defaultPartitions,
    requestBytesMax: options.requestBytesMax ?? defaultSettings.requestBytesMax,
    groupInitialRebalanceDelayMs: options.groupInitialRebalanceDelayMs ?? defaultSettings.groupInitialRebalanceDelayMs,
    groupSessionTimeoutMsMin: options.groupSessionTimeoutMsMin ?? defaultSettings.groupSessionTimeoutMsMin,
    groupSessionTimeoutMsMax: defaultSettings.groupSessionTimeoutMsMax,
  };
}

async function each(
  servers: readonly BrokerServer[],
  node: number | undefined,
  act: (server: BrokerServer) => Promise<void> | void,
): Promise<void> {
  const chosen = servers.filter(server => node === undefined || server.broker.id === node);
  if (chosen.length === 0)
    throw new BraidError('OPTION_INVALID', `there is no broker ${node}`, { hint: 'node ids count from 1' });
  await Promise.all(chosen.map(act));
}

function createTopic(state: ClusterState, spec: TopicSpec): void {
  checkNames('topic', spec, topicOptionNames);
  if (typeof spec.topic !== 'string')
    throw new BraidError('OPTION_INVALID', 'a topic needs a name', { place: 'topic.topic' });
  const refusal = state.topics.create({
    name: spec.topic,
    partitions: spec.partitions ?? 1,
    replicationFactor: spec.replicationFactor ?? 1,
    config: new Map(Object.entries(spec.config ?? {})),
  });
  if (refusal !== undefined)
    throw new BraidError('OPTION_INVALID', refusal.sentence, { place: `cluster ${state.name}, topic ${spec.topic}` });
}

function partitionOf(state: ClusterState, topic: string, index: number): Partition {
  const partition = state.topics.partition(topic, index);
  if (partition === undefined)
    throw new BraidError('TOPIC_UNKNOWN', `cluster ${state.name} has no partition ${index} of topic ${topic}`, {
      place: `${topic}-${index}`,
    });
  return partition;
}
