import { type BraidError, toBraidError } from '../lib/base/errors.ts';
import { brokerError, brokerErrorCode } from '../lib/kafka/error-codes.ts';
import type { ClusterClient, TopicMetadata } from '../lib/kafka/transport.ts';
import { concernsConnection } from './connection.ts';
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
  #leaders: Leaders;
  /** Partitions whose last try failed: nothing is sent to them before `retry`, so that a try costs a back-off each. */
  readonly #failed = new Set<number>();
  /** A failure was told, and its retry will come: what fails meanwhile belongs to the same try. */
  #awaitsRetry = false;
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
    for (const [node, partitions] of this.#leaders.led) {
      const open = this.#failed.size === 0 ? partitions : partitions.filter(each => !this.#failed.has(each));
      const batches = this.#buffer.take(open);
      if (batches.length > 0) void this.#send(node, batches);
    }
    const stuck = this.#leaders.without.filter(each => !this.#failed.has(each) && this.#buffer.waits(each));
    for (const partition of stuck) this.#failed.add(partition);
    if (stuck.length > 0) this.#tellFailure(brokerError(leaderNotAvailable, 'Metadata', this.#place(stuck[0]!)), false);
  }

  /** After a failure: fresh leaders, then another try. */
  async retry(): Promise<void> {
    try {
      const [metadata] = await this.client.metadata([this.#topic]);
      if (metadata !== undefined) this.#leaders = leadersOf(metadata);
    } catch (thrown) {
      this.#awaitsRetry = false;
      this.#requestFailed(thrown);
      return;
    }
    this.#failed.clear();
    this.#awaitsRetry = false;
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
      for (const { partition } of batches) this.#putBack(partition, true);
      this.#requestFailed(thrown);
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
      const code = answer?.error ?? unknownServerError;
      this.#putBack(partition, mayBeWritten.has(code));
      failed ??= {
        error: brokerError(code, 'Produce', this.#place(partition)),
        fatal: brokerErrorCode(code).kind !== 'retriable',
      };
    }
    if (rows > 0) this.#ports.onAcknowledged(rows);
    if (failed !== undefined) this.#tellFailure(failed.error, failed.fatal);
    this.pump();
  }

  #putBack(partition: number, written: boolean): void {
    this.#buffer.putBack(partition, written);
    this.#failed.add(partition);
  }

  #requestFailed(thrown: unknown): void {
    if (this.#abandoned) return;
    const error = toBraidError(thrown);
    this.#tellFailure(error, !error.retriable && !concernsConnection(error));
  }

  #tellFailure(error: BraidError, fatal: boolean): void {
    if (this.#awaitsRetry && !fatal) return;
    this.#awaitsRetry = true;
    this.#ports.onFailed(error, fatal);
  }

  #place(partition: number): string {
    return `${this.#topic}-${partition} of ${this.client.cluster}`;
  }
}

const unknownServerError = -1;
const leaderNotAvailable = 5;
/** Answers after which the batch may be in the log: nobody knows, replicas were too slow, replicas fell out. */
const mayBeWritten: ReadonlySet<number> = new Set([unknownServerError, 7, 13, 20]);

interface Leaders {
  /** Partitions by the broker that leads them. */
  readonly led: ReadonlyMap<number, number[]>;
  /** Partitions that nobody leads just now. */
  readonly without: readonly number[];
}

function leadersOf(metadata: TopicMetadata): Leaders {
  const led = new Map<number, number[]>();
  const without: number[] = [];
  for (const { partition, leader } of metadata.partitions) {
    const same = led.get(leader);
    if (leader < 0) without.push(partition);
    else if (same === undefined) led.set(leader, [partition]);
    else same.push(partition);
  }
  return { led, without };
}
