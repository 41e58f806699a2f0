import { setTimeout as pause } from 'node:timers/promises';
import { didYouMean } from '../base/did-you-mean.ts';
import { BraidError } from '../base/errors.ts';
import { type CheckedAddress, type ClusterAddress, checkAddress, type HostPort } from './address.ts';
import { BrokerConnection } from './broker-connection.ts';
import { destroyed, dialCutOff } from './connection-errors.ts';
import { brokerError, brokerErrorCode, brokerErrorOf } from './error-codes.ts';
import { apiVersionsRequest } from './requests/api-versions.ts';
import { createTopicsRequest } from './requests/create-topics.ts';
import { fetchRequest } from './requests/fetch.ts';
import { earliest, latest, listOffsetsRequest } from './requests/list-offsets.ts';
import { type MetadataAnswer, metadataRequest } from './requests/metadata.ts';
import { produceRequest } from './requests/produce.ts';
import type { WireRequest } from './requests/request.ts';
import type { SessionLimits } from './session.ts';
import { checkTopicName } from './topic-name.ts';
import type {
  ClientFactory,
  ClusterClient,
  FetchRequest,
  FetchResponse,
  NewTopic,
  ProduceAnswer,
  ProduceRequest,
  TopicMetadata,
  Traffic,
} from './transport.ts';

export interface ClientOptions {
  /** A dial, with TLS and SASL, takes no longer than this. Default 2,000. */
  readonly connectMsMax?: number;
  /** An answer takes no longer than this, over what the broker may wait on purpose. Default 30,000. */
  readonly requestMsMax?: number;
  /** An answer is no longer than this. Default 256 MiB. */
  readonly responseBytesMax?: number;
}

/**
 * Makes clients of one cluster over kafkajs' connections. OPTION_INVALID, at once, where the address cannot work:
 * no `host:port`, or a password that would travel in clear text.
 */
export function createClientFactory(address: ClusterAddress, options: ClientOptions = {}): ClientFactory {
  const checked = checkAddress(address);
  const limits: SessionLimits = {
    connectMsMax: options.connectMsMax ?? 2_000,
    requestMsMax: options.requestMsMax ?? 30_000,
    responseBytesMax: options.responseBytesMax ?? 256 << 20,
  };
  return generation => new KafkaClient(checked, limits, generation);
}

/**
 * Three connections a broker, because a broker serves one request of a connection at a time: a long poll must not delay
 * a produce, and neither a large produce nor a quota's pause may delay the heartbeat by which silence is told from death.
 */
type Lane = 'control' | 'fetch' | 'produce';

interface Node {
  readonly broker: HostPort;
  readonly lanes: Map<Lane, BrokerConnection>;
}

/** Creating a topic answers before its leaders serve it; that is waited for, this often and this long. */
const servingPollMs = 20;
const servingMsMax = 10_000;
const createTopicsMs = 10_000;
/** Kafka's UNKNOWN_TOPIC_OR_PARTITION. */
const unknownTopic = 3;

class KafkaClient implements ClusterClient {
  readonly cluster: string;
  readonly generation: number;
  readonly traffic: Traffic;
  readonly #address: CheckedAddress;
  readonly #limits: SessionLimits;
  readonly #nodes = new Map<number, Node>();
  #controller = -1;
  /** Bootstrap connections while they are tried. */
  #seed: BrokerConnection | undefined;
  #answers = 0;
  #connected = false;
  #destroyed: BraidError | undefined;

  constructor(address: CheckedAddress, limits: SessionLimits, generation: number) {
    this.cluster = address.name;
    this.generation = generation;
    this.#address = address;
    this.#limits = limits;
    const client = this;
    this.traffic = {
      get inFlight() {
        return client.#inFlight();
      },
      get answers() {
        return client.#answers;
      },
      onClosed: undefined,
    };
  }

  async connect(): Promise<void> {
    const failures: BraidError[] = [];
    for (const broker of this.#address.brokers) {
      if (this.#destroyed !== undefined) throw this.#destroyed;
      const seed = this.#connection(broker);
      this.#seed = seed;
      try {
        this.#learn(await seed.send({ ...metadataRequest([]), msMax: this.#limits.connectMsMax }), seed);
        this.#connected = true;
        return;
      } catch (thrown) {
        if (this.#destroyed !== undefined) throw this.#destroyed;
        if (!(thrown instanceof BraidError)) throw thrown;
        seed.destroy(thrown);
        // Wrong credentials are wrong at every broker, and trying them everywhere locks accounts.
        if (thrown.code === 'AUTHENTICATION_FAILED') throw thrown;
        const place = `${this.cluster} at ${broker.host}:${broker.port}`;
        failures.push(thrown.code === 'CONNECTION_LOST' ? dialCutOff(place, this.#address, true, thrown) : thrown);
      } finally {
        this.#seed = undefined;
      }
    }
    throw this.#unreachable(failures);
  }

  async metadata(topics: readonly string[]): Promise<readonly TopicMetadata[]> {
    const found = await this.#metadata(topics);
    for (const [i, topic] of topics.entries()) if (found[i] === undefined) throw await this.#topicUnknown(topic);
    return found as readonly TopicMetadata[];
  }

  /** `undefined` for a topic that the cluster does not have, or not yet. */
  async #metadata(topics: readonly string[]): Promise<readonly (TopicMetadata | undefined)[]> {
    topics.forEach(checkTopicName);
    const answer = await this.#anyBroker(metadataRequest(topics));
    this.#learn(answer);
    for (const { topic, error } of answer.topics) {
      // A missing leader shows in its partition, as data.
      if (error !== 0 && error !== unknownTopic && error !== 5)
        throw brokerError(error, 'Metadata', `${topic} in ${this.cluster}`);
    }
    return topics.map(topic => {
      const found = answer.topics.find(t => t.topic === topic && t.error !== unknownTopic);
      return found && { topic, partitions: found.partitions };
    });
  }

  /** Topics are misspelt more often than they are missing, so the others are looked at for the hint. */
  async #topicUnknown(topic: string): Promise<BraidError> {
    const all = await this.#anyBroker(metadataRequest('all')).catch(() => undefined);
    const near = didYouMean(topic, all?.topics.map(other => other.topic) ?? []);
    return new BraidError('TOPIC_UNKNOWN', `${this.cluster} has no topic ${topic}`, {
      place: `${topic} in ${this.cluster}`,
      hint: near ?? 'create it there, or check its name: Braid creates no topics',
      cause: brokerErrorCode(unknownTopic),
      retriable: true,
    });
  }

  async listOffsets(
    topic: string,
    partitions: readonly number[],
    at: 'earliest' | 'latest' | number,
  ): Promise<ReadonlyMap<number, number>> {
    const out = await this.#listOffsets(
      topic,
      partitions,
      at === 'earliest' ? earliest : at === 'latest' ? latest : at,
    );
    // No record is that young: the first one that will be is the next one.
    const atEnd = [...out].filter(([, offset]) => offset < 0).map(([partition]) => partition);
    if (atEnd.length > 0) for (const [p, offset] of await this.#listOffsets(topic, atEnd, latest)) out.set(p, offset);
    return out;
  }

  async fetch(node: number, request: FetchRequest): Promise<FetchResponse> {
    checkTopicName(request.topic);
    const { throttleMs, error, partitions } = await this.#lane(node, 'fetch').send(fetchRequest(request));
    if (error !== 0) throw brokerError(error, 'Fetch', `${request.topic} in ${this.cluster}`);
    for (const { partition } of request.partitions)
      if (!partitions.some(answered => answered.partition === partition))
        throw answerMissing('Fetch', `${request.topic}/${partition} in ${this.cluster}`);
    return { throttleMs, partitions };
  }

  async produce(node: number, request: ProduceRequest): Promise<readonly ProduceAnswer[]> {
    checkTopicName(request.topic);
    return this.#lane(node, 'produce').send(produceRequest(request));
  }

  async heartbeat(): Promise<void> {
    if (this.#destroyed !== undefined) throw this.#destroyed;
    const used = [...this.#nodes].filter(([, { lanes }]) => [...lanes.values()].some(lane => lane.open));
    const nodes = (used.length > 0 ? used : [...this.#nodes]).map(([node]) => node);
    const answers = nodes.map(node => this.#lane(node, 'control').send(apiVersionsRequest));
    try {
      await Promise.any(answers);
    } catch (thrown) {
      throw thrown instanceof AggregateError ? (thrown.errors[0] ?? this.#unreachable([])) : thrown;
    }
  }

  async createTopics(topics: readonly NewTopic[]): Promise<void> {
    for (const { topic } of topics) checkTopicName(topic);
    const request = createTopicsRequest(topics, createTopicsMs);
    const controller = this.#nodes.has(this.#controller) ? this.#lane(this.#controller, 'control') : undefined;
    const created = await (controller === undefined ? this.#anyBroker(request) : controller.send(request));
    for (const { topic, error, message } of created) {
      if (error !== 0) throw brokerError(error, 'CreateTopics', `${topic} in ${this.cluster}`, message);
    }
    await this.#serving(topics.map(({ topic }) => topic));
  }

  destroy(): void {
    if (this.#destroyed !== undefined) return;
    const error = destroyed(this.cluster);
    this.#destroyed = error;
    this.#seed?.destroy(error);
    for (const node of this.#nodes.values()) for (const lane of node.lanes.values()) lane.destroy(error);
  }

  async #listOffsets(topic: string, partitions: readonly number[], timestamp: number): Promise<Map<number, number>> {
    const [found] = await this.metadata([topic]);
    const byLeader = new Map<number, number[]>();
    for (const partition of partitions) {
      const leader = found?.partitions.find(p => p.partition === partition)?.leader;
      const place = `${topic}/${partition} in ${this.cluster}`;
      if (leader === undefined) throw brokerError(3, 'ListOffsets', place);
      if (leader < 0) throw brokerError(5, 'ListOffsets', place);
      byLeader.set(leader, [...(byLeader.get(leader) ?? []), partition]);
    }
    const answers = await Promise.all(
      [...byLeader].map(([node, led]) => this.#lane(node, 'control').send(listOffsetsRequest(topic, led, timestamp))),
    );
    const out = new Map<number, number>();
    for (const { partition, error, offset } of answers.flat()) {
      if (error !== 0) throw brokerError(error, 'ListOffsets', `${topic}/${partition} in ${this.cluster}`);
      out.set(partition, offset);
    }
    for (const partition of partitions)
      if (!out.has(partition)) throw answerMissing('ListOffsets', `${topic}/${partition} in ${this.cluster}`);
    return out;
  }

  /** Metadata names a leader before that broker has opened its logs: a topic is there once its leaders list offsets. */
  async #serving(topics: readonly string[]): Promise<void> {
    const deadline = performance.now() + servingMsMax;
    for (;;) {
      try {
        for (const [i, found] of (await this.#metadata(topics)).entries()) {
          const all = found?.partitions.map(({ partition }) => partition) ?? [];
          if (all.length === 0) throw brokerError(5, 'CreateTopics', `${topics[i]} in ${this.cluster}`);
          await this.#listOffsets(topics[i]!, all, earliest);
        }
        return;
      } catch (thrown) {
        const waits = brokerErrorOf(thrown)?.kind === 'retriable' && performance.now() < deadline;
        if (!waits) throw thrown;
      }
      await pause(servingPollMs);
    }
  }

  /** Takes over nodes and addresses; a node that has moved gets new connections. */
  #learn(answer: MetadataAnswer, seed?: BrokerConnection): void {
    this.#controller = answer.controller;
    for (const { node, host, port } of answer.brokers) {
      const known = this.#nodes.get(node);
      if (known?.broker.host === host && known.broker.port === port) continue;
      if (known !== undefined) this.#forget(known);
      const lanes = new Map<Lane, BrokerConnection>();
      if (seed?.broker.host === host && seed.broker.port === port) lanes.set('control', seed);
      this.#nodes.set(node, { broker: { host, port }, lanes });
    }
    const live = new Set(answer.brokers.map(({ node }) => node));
    for (const [id, node] of this.#nodes) {
      if (live.has(id)) continue;
      this.#forget(node);
      this.#nodes.delete(id);
    }
    // A bootstrap address under another name than the broker's own is not needed any more.
    if (seed !== undefined && ![...this.#nodes.values()].some(node => node.lanes.get('control') === seed))
      seed.destroy(destroyed(this.cluster));
  }

  #forget(node: Node): void {
    const error = new BraidError('CONNECTION_LOST', `a broker of ${this.cluster} has moved`, {
      place: this.cluster,
      retriable: true,
    });
    for (const lane of node.lanes.values()) lane.destroy(error);
  }

  #lane(nodeId: number, lane: Lane): BrokerConnection {
    if (this.#destroyed !== undefined) throw this.#destroyed;
    const node = this.#nodes.get(nodeId);
    if (node === undefined)
      throw new BraidError('BROKER_ERROR', `${this.cluster} has no broker ${nodeId} at present`, {
        place: this.cluster,
        hint: 'fresh metadata names the leaders',
        retriable: true,
      });
    let connection = node.lanes.get(lane);
    if (connection === undefined) {
      connection = this.#connection(node.broker);
      node.lanes.set(lane, connection);
    }
    return connection;
  }

  /** Asks one broker after the other, those with an open connection first, until one answers. */
  async #anyBroker<T>(request: WireRequest<T>): Promise<T> {
    if (this.#destroyed !== undefined) throw this.#destroyed;
    const lanes = [...this.#nodes.keys()].map(node => this.#lane(node, 'control'));
    lanes.sort((a, b) => Number(b.open) - Number(a.open));
    const failures: BraidError[] = [];
    for (const lane of lanes) {
      try {
        return await lane.send(request);
      } catch (thrown) {
        if (!(thrown instanceof BraidError) || !thrown.retriable || this.#destroyed !== undefined) throw thrown;
        failures.push(thrown);
      }
    }
    throw this.#unreachable(failures);
  }

  #connection(broker: HostPort): BrokerConnection {
    return new BrokerConnection(broker, this.#address, this.#limits, {
      onBytes: () => {
        this.#answers++;
      },
      onClosed: reason => {
        if (this.#connected && this.#destroyed === undefined) this.traffic.onClosed?.(reason);
      },
    });
  }

  #inFlight(): number {
    let sum = this.#seed?.inFlight ?? 0;
    for (const node of this.#nodes.values()) for (const lane of node.lanes.values()) sum += lane.inFlight;
    return sum;
  }

  /** One error for all addresses: the most telling one alone, where all failed alike. */
  #unreachable(failures: readonly BraidError[]): BraidError {
    const telling = failures.find(({ code }) => code !== 'CLUSTER_UNREACHABLE' && code !== 'CONNECTION_LOST');
    if (telling !== undefined) return telling;
    if (failures.length === 1 && failures[0]?.code === 'CLUSTER_UNREACHABLE') return failures[0];
    const addresses = this.#address.brokers.map(({ host, port }) => `${host}:${port}`).join(', ');
    const [first] = failures;
    return new BraidError('CLUSTER_UNREACHABLE', `no broker of ${this.cluster} can be reached at ${addresses}`, {
      place: addresses,
      hint: first === undefined ? undefined : [first.message, first.hint].filter(Boolean).join('; '),
      cause: first,
      retriable: true,
    });
  }
}

/** What is left out would be taken for empty, and its records would be lost in silence. */
function answerMissing(request: string, place: string): BraidError {
  return new BraidError('RESPONSE_MALFORMED', `the answer to ${request} leaves out a partition that was asked for`, {
    place,
  });
}
