import { setTimeout as pause } from 'node:timers/promises';
import { assert, type BraidError, toBraidError } from '../base/errors.ts';
import { batchBytesMaxDefault, RecordBatchEncoder } from '../formats/record-batch/encode.ts';
import { brokerError, brokerErrorCode } from './error-codes.ts';
import type { ClusterClient, TopicMetadata } from './transport.ts';

export interface TopicWriterOptions {
  /** Size of a batch, at most the topic's max.message.bytes. Default 1,048,588, the brokers' own default. */
  readonly batchBytesMax?: number;
  /** `writable` is false while more than this is not acknowledged. Default 32 MiB. */
  readonly pendingBytesMax?: number;
  /** How long a broker may wait for its replicas. Default 30,000. */
  readonly timeoutMs?: number;
}

const requestBytesMax = 16 << 20;
const retryPauseMs = 100;
const retriesMax = 100;

interface PartitionQueue {
  readonly partition: number;
  leader: number;
  readonly encoder: RecordBatchEncoder;
  /** Sealed batches in order; the first one may be in flight. */
  readonly sealed: { readonly batch: Uint8Array; readonly records: number }[];
}

/**
 * Loads a topic: batches by partition, several partitions in one request, one request in flight a broker, acks = all.
 * For loaders and specs: it does not outlive its client, and after an error it is over.
 *
 *     const writer = await TopicWriter.open(client, 'flights');
 *     for (const { key, value } of rows) {
 *       writer.append(partitionOfKey(key, writer.partitions), key, value);
 *       if (!writer.writable) await writer.drained();
 *     }
 *     await writer.flush();
 */
export class TopicWriter {
  readonly topic: string;
  /** Number of partitions. */
  readonly partitions: number;
  readonly #client: ClusterClient;
  readonly #queues: PartitionQueue[];
  readonly #pendingBytesMax: number;
  readonly #timeoutMs: number;
  readonly #busy = new Set<number>();
  #pendingBytes = 0;
  #acknowledged = 0;
  #retries = 0;
  #failure: BraidError | undefined;
  #waiting: { readonly until: () => boolean; readonly resolve: () => void; readonly reject: (e: Error) => void }[] = [];

  constructor(client: ClusterClient, topic: TopicMetadata, options: TopicWriterOptions = {}) {
    this.#client = client;
    this.topic = topic.topic;
    this.partitions = topic.partitions.length;
    this.#pendingBytesMax = options.pendingBytesMax ?? 32 << 20;
    this.#timeoutMs = options.timeoutMs ?? 30_000;
    const batchBytesMax = options.batchBytesMax ?? batchBytesMaxDefault;
    this.#queues = topic.partitions.map(({ partition, leader }) => ({
      partition,
      leader,
      encoder: new RecordBatchEncoder({ batchBytesMax }),
      sealed: [],
    }));
  }

  /** Asks for the topic's partitions first. TOPIC_UNKNOWN where it does not exist. */
  static async open(client: ClusterClient, topic: string, options?: TopicWriterOptions): Promise<TopicWriter> {
    const [found] = await client.metadata([topic]);
    assert(found !== undefined, 'metadata without the topic that was asked for');
    return new TopicWriter(client, found, options);
  }

  /** Records that brokers have acknowledged. */
  get acknowledged(): number {
    return this.#acknowledged;
  }
  /** False while too much is on its way: await `drained()` before appending more. */
  get writable(): boolean {
    return this.#pendingBytes < this.#pendingBytesMax;
  }

  /** Appends a record; the bytes are copied. RECORD_TOO_LARGE where it does not fit into a batch alone. */
  append(
    partition: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    timestampMs = Date.now(),
    headers?: Uint8Array,
  ): void {
    this.appendSlices(partition, key, 0, key?.length ?? 0, value, 0, value?.length ?? 0, timestampMs, headers);
  }

  /** The same with key `key[keyStart, keyEnd)` and value `value[valueStart, valueEnd)`: no view is made. */
  appendSlices(
    partition: number,
    key: Uint8Array | null,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array | null,
    valueStart: number,
    valueEnd: number,
    timestampMs: number,
    headers?: Uint8Array,
  ): void {
    if (this.#failure !== undefined) throw this.#failure;
    const queue = this.#queues[partition];
    assert(queue !== undefined, `${this.topic} has no partition ${partition}`);
    if (!queue.encoder.fits(keyEnd - keyStart, valueEnd - valueStart, headers?.length ?? 1)) {
      this.#seal(queue);
      this.#send(queue.leader);
    }
    queue.encoder.append(timestampMs, key, keyStart, keyEnd, value, valueStart, valueEnd, headers);
  }

  /** Resolves when there is room; rejects with what made the writer fail. */
  drained(): Promise<void> {
    return this.#until(() => this.writable);
  }

  /** Sends what is left and resolves when all of it was acknowledged; rejects with what made the writer fail. */
  flush(): Promise<void> {
    for (const queue of this.#queues) this.#seal(queue);
    this.#sendAll();
    return this.#until(() => this.#pendingBytes === 0);
  }

  #seal(queue: PartitionQueue): void {
    const { records } = queue.encoder;
    const batch = queue.encoder.finish();
    if (batch === undefined) return;
    queue.sealed.push({ batch, records });
    this.#pendingBytes += batch.length;
  }

  #sendAll(): void {
    for (const leader of new Set(this.#queues.map(queue => queue.leader))) this.#send(leader);
  }

  #send(node: number): void {
    if (this.#busy.has(node) || this.#failure !== undefined) return;
    const batches: { partition: number; batch: Uint8Array }[] = [];
    let bytes = 0;
    for (const { partition, leader, sealed } of this.#queues) {
      const first = sealed[0];
      if (leader !== node || first === undefined) continue;
      if (bytes > 0 && bytes + first.batch.length > requestBytesMax) continue;
      batches.push({ partition, batch: first.batch });
      bytes += first.batch.length;
    }
    if (batches.length === 0) return;
    this.#busy.add(node);
    this.#produce(node, batches)
      .catch(error => this.#fail(toBraidError(error, 'SINK_FAILED', this.topic)))
      .finally(() => {
        this.#busy.delete(node);
        this.#sendAll();
        this.#settle();
      });
  }

  async #produce(
    node: number,
    partitions: readonly { readonly partition: number; readonly batch: Uint8Array }[],
  ): Promise<void> {
    const answers = await this.#client.produce(node, { topic: this.topic, timeoutMs: this.#timeoutMs, partitions });
    let refused: BraidError | undefined;
    for (const { partition, error } of answers) {
      const queue = this.#queues.find(q => q.partition === partition);
      const sent = queue?.sealed[0];
      if (queue === undefined || sent === undefined) continue;
      if (error === 0) {
        queue.sealed.shift();
        this.#pendingBytes -= sent.batch.length;
        this.#acknowledged += sent.records;
        continue;
      }
      refused = brokerError(error, 'Produce', `${this.topic}/${partition} in ${this.#client.cluster}`);
      if (brokerErrorCode(error).kind !== 'retriable') throw refused;
    }
    if (refused === undefined) return;
    // Leadership moves for a moment after a topic was created: ask where it went and send the same batch again.
    if (++this.#retries > retriesMax) throw refused;
    await pause(retryPauseMs);
    const [found] = await this.#client.metadata([this.topic]);
    for (const { partition, leader } of found?.partitions ?? []) {
      const queue = this.#queues.find(q => q.partition === partition);
      if (queue !== undefined && leader >= 0) queue.leader = leader;
    }
  }

  #until(reached: () => boolean): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (reached()) return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiting.push({ until: reached, resolve, reject }));
  }

  #settle(): void {
    this.#waiting = this.#waiting.filter(({ until, resolve }) => {
      if (!until()) return true;
      resolve();
      return false;
    });
  }

  #fail(error: BraidError): void {
    this.#failure ??= error;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { reject } of waiting) reject(this.#failure);
  }
}
