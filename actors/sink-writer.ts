import { type BraidError, toBraidError } from '../lib/base/errors.ts';
import { brokerError, brokerErrorCode } from '../lib/kafka/error-codes.ts';
import type { ClusterClient, TopicMetadata } from '../lib/kafka/transport.ts';
import type { SinkBuffer } from './sink-buffer.ts';

export interface SinkWriterPorts {
  readonly onAcknowledged: (rows: number) => void;
  /** A request or a partition failed; what it carried is back in the buffer. `fatal`: no other try helps. */
  readonly onFailed: (error: BraidError, fatal: boolean) => void;
}

/**
 * Sends the buffer's batches to one cluster over one generation of its connection: a Produce request a broker, one batch
 * a partition, the next one of a partition only after its answer. Once abandoned it is silent: late answers change nothing.
 */
export class SinkWriter {
  readonly client: ClusterClient;
  readonly #topic: string;
  readonly #buffer: SinkBuffer;
  readonly #ports: SinkWriterPorts;
  readonly #timeoutMs: number;
  #leaders: ReadonlyMap<number, number[]>;
  #abandoned = false;

  constructor(
    client: ClusterClient,
    metadata: TopicMetadata,
    buffer: SinkBuffer,
    timeoutMs: number,
    ports: SinkWriterPorts,
  ) {
    this.client = client;
    this.#topic = metadata.topic;
    this.#buffer = buffer;
    this.#timeoutMs = timeoutMs;
    this.#ports = ports;
    this.#leaders = leadersOf(metadata);
  }

  abandon(): void {
    this.#abandoned = true;
  }

  /** Sends whatever can be sent now. */
  pump(): void {
    if (this.#abandoned) return;
    for (const [node, partitions] of this.#leaders) {
      const batches = this.#buffer.take(partitions);
      if (batches.length > 0) void this.#send(node, batches);
    }
  }

  /** After a failure: fresh leaders, then another try. */
  async retry(): Promise<void> {
    try {
      const [metadata] = await this.client.metadata([this.#topic]);
      if (metadata !== undefined) this.#leaders = leadersOf(metadata);
    } catch (thrown) {
      if (!this.#abandoned) this.#ports.onFailed(toBraidError(thrown, 'CONNECTION_LOST'), false);
      return;
    }
    this.pump();
  }

  async #send(node: number, batches: { partition: number; batch: Uint8Array }[]): Promise<void> {
    let answers: Awaited<ReturnType<ClusterClient['produce']>>;
    try {
      answers = await this.client.produce(node, {
        topic: this.#topic,
        timeoutMs: this.#timeoutMs,
        partitions: batches,
      });
    } catch (thrown) {
      if (this.#abandoned) return;
      for (const { partition } of batches) this.#buffer.putBack(partition, true);
      this.#ports.onFailed(toBraidError(thrown, 'CONNECTION_LOST'), false);
      return;
    }
    if (this.#abandoned) return;
    let rows = 0;
    let failed: { error: BraidError; fatal: boolean } | undefined;
    for (const { partition } of batches) {
      const answer = answers.find(each => each.partition === partition);
      if (answer?.error === 0) {
        rows += this.#buffer.acknowledge(partition);
        continue;
      }
      // Without an answer, or after a time-out among replicas, the batch may be in the log.
      this.#buffer.putBack(partition, true);
      const code = answer?.error ?? -1;
      failed ??= {
        error: brokerError(code, 'Produce', `${this.#topic}-${partition} of ${this.client.cluster}`),
        fatal: brokerErrorCode(code).kind !== 'retriable',
      };
    }
    if (rows > 0) this.#ports.onAcknowledged(rows);
    if (failed !== undefined) this.#ports.onFailed(failed.error, failed.fatal);
    else this.pump();
  }
}

function leadersOf(metadata: TopicMetadata): ReadonlyMap<number, number[]> {
  const leaders = new Map<number, number[]>();
  for (const { partition, leader } of metadata.partitions) {
    if (leader < 0) continue;
    const led = leaders.get(leader);
    if (led === undefined) leaders.set(leader, [partition]);
    else led.push(partition);
  }
  return leaders;
}
