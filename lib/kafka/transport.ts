/**
 * The port between actors and a Kafka cluster. One client is one generation of a connection to one cluster: it is
 * connected once and destroyed once; after a fault the connection actor makes a new one with the next generation.
 *
 * All methods reject with a BraidError of domain `kafka`; an error code of a single partition comes back as data
 * (`error`), because it concerns that partition alone. Offsets are safe integers.
 */
export interface ClusterClient {
  readonly cluster: string;
  readonly generation: number;
  /** Dials a broker of the list (each in turn), asks for ApiVersions and the cluster's metadata. */
  connect(): Promise<void>;
  /** Partitions and leaders of topics, fresh from a broker. TOPIC_UNKNOWN where one does not exist. */
  metadata(topics: readonly string[]): Promise<readonly TopicMetadata[]>;
  /** Earliest, latest, or first offset at or after a timestamp (ms), of each partition. */
  listOffsets(
    topic: string,
    partitions: readonly number[],
    at: 'earliest' | 'latest' | number,
  ): Promise<ReadonlyMap<number, number>>;
  /** One Fetch to the broker that leads all given partitions. Byte views die with the next answer: copy them before anything else is awaited (SlabPool.hold). */
  fetch(node: number, request: FetchRequest): Promise<FetchResponse>;
  /** One Produce, acks = all, to the broker that leads all given partitions. */
  produce(node: number, request: ProduceRequest): Promise<readonly ProduceAnswer[]>;
  /** A request that costs nothing, to every broker that serves this client (ApiVersions). Resolves when one has answered. */
  heartbeat(): Promise<void>;
  createTopics(topics: readonly NewTopic[]): Promise<void>;
  /** Facts for the failure detector: see Silence in actors/connection. */
  readonly traffic: Traffic;
  /** Destroys every socket at once, without waiting; pending calls reject with CONNECTION_LOST. Idempotent. */
  destroy(): void;
}

export interface Traffic {
  /** Requests that were sent and not answered, over all brokers. */
  readonly inFlight: number;
  /** Counts answers (any bytes of any broker count); a change means that the cluster lives. */
  readonly answers: number;
  /** Called when a socket closes that nobody destroyed: refused, reset, ended. */
  onClosed: ((reason: string) => void) | undefined;
}

export interface TopicMetadata {
  readonly topic: string;
  readonly partitions: readonly { readonly partition: number; readonly leader: number; readonly error: number }[];
}

export interface FetchRequest {
  readonly topic: string;
  readonly partitions: readonly { readonly partition: number; readonly offset: number; readonly bytesMax: number }[];
  /** How long the broker may hold the request while there is nothing new. */
  readonly waitMsMax: number;
  readonly bytesMin: number;
  readonly bytesMax: number;
}
export interface FetchResponse {
  readonly throttleMs: number;
  readonly partitions: readonly FetchedPartition[];
}
export interface FetchedPartition {
  readonly partition: number;
  /** Kafka error code, 0 = none. */
  readonly error: number;
  readonly highWatermark: number;
  readonly logStart: number;
  /** Whole record batches, the last one possibly cut short. A view. */
  readonly records: Uint8Array;
}
export interface ProduceRequest {
  readonly topic: string;
  readonly timeoutMs: number;
  /** One record batch (v2) a partition. */
  readonly partitions: readonly { readonly partition: number; readonly batch: Uint8Array }[];
}
export interface ProduceAnswer {
  readonly partition: number;
  readonly error: number;
  readonly baseOffset: number;
}
export interface NewTopic {
  readonly topic: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly config?: Readonly<Record<string, string>>;
}

/** Makes clients: one factory a cluster address. `generation` grows with every client. */
export type ClientFactory = (generation: number) => ClusterClient;
