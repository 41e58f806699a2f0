import { ByteWriter } from '../lib/base/byte-writer.ts';
import type { Batch } from '../lib/data/batch.ts';
import { type Column, isValid, valueAt } from '../lib/data/column.ts';
import type { Schema } from '../lib/data/schema.ts';
import { createJsonWriter, type JsonWriter } from '../lib/formats/json/writer.ts';
import { RecordBatchEncoder } from '../lib/formats/record-batch/encode.ts';
import { partitionOfKey } from '../lib/kafka/murmur2.ts';
import { markDuplicates, TagEncoder, type TagWriter } from '../lib/kafka/tag.ts';

export interface SinkBufferOptions {
  readonly topic: string;
  readonly schema: Schema;
  /** Column whose text is the record's key; undefined: no key, partitions take turns batch by batch. */
  readonly keyColumn: number | undefined;
  readonly partitions: number;
  readonly batchBytesMax: number;
  /** What the tags of all rows have in common; the home cluster is asked for when the first row enters. */
  readonly tag: Omit<TagWriter, 'home'>;
  /** Wall clock, ms: the records' timestamps. */
  readonly wallClock: () => number;
}

interface SealedBatch {
  bytes: Uint8Array;
  readonly rows: number;
  /** Was part of a request whose answer nobody heard: its records may be in a log already. */
  sent: boolean;
  /** Its records carry dup = 1. */
  marked: boolean;
}

interface PartitionQueue {
  readonly encoder: RecordBatchEncoder;
  readonly sealed: SealedBatch[];
  inFlight: SealedBatch | undefined;
}

/**
 * Rows of a sink from the moment they enter until a broker has acknowledged them. A row is encoded and tagged once, when
 * it enters; whatever happens later, its bytes stay the same but for `dup`. Per partition there is one queue, in order,
 * and at most one batch in flight.
 */
export class SinkBuffer {
  readonly #options: SinkBufferOptions;
  readonly #partitions: PartitionQueue[];
  readonly #writer: JsonWriter;
  readonly #value = new ByteWriter(1024);
  #tags: TagEncoder | undefined;
  #home = '';
  #seq = 0;
  #turn = 0;
  #unacknowledged = 0;
  #resent = 0;
  #mayHoldOld = 0;

  constructor(options: SinkBufferOptions) {
    this.#options = options;
    this.#writer = createJsonWriter(options.schema);
    const { topic, batchBytesMax } = options;
    this.#partitions = Array.from({ length: options.partitions }, (_, partition) => ({
      encoder: new RecordBatchEncoder({ batchBytesMax, place: `${topic}-${partition}` }),
      sealed: [],
      inFlight: undefined,
    }));
  }

  /** Rows that entered and were not acknowledged. */
  get unacknowledged(): number {
    return this.#unacknowledged;
  }
  /** Rows that were given out again after a request whose answer nobody heard. */
  get resent(): number {
    return this.#resent;
  }
  /** Batches that were there at the last `rewind` and are not acknowledged yet. */
  get old(): number {
    return this.#mayHoldOld;
  }

  /** Encodes rows; `home` is the cluster that is active now: where these rows are written first. */
  add(batch: Batch, home: string): void {
    if (this.#tags === undefined || this.#home !== home) {
      this.#tags = new TagEncoder({ ...this.#options.tag, home: { cluster: home, term: 0 } });
      this.#home = home;
    }
    const { keyColumn, wallClock } = this.#options;
    const timestamp = Math.floor(wallClock());
    const keys = keyColumn === undefined ? undefined : batch.columns[keyColumn];
    const value = this.#value;
    for (let row = 0; row < batch.rows; row++) {
      value.reset();
      this.#writer.write(batch, row, value);
      const key = keys === undefined ? undefined : this.#keyOf(keys, row);
      const queue = this.#queueOf(key);
      const keyLength = key === undefined ? 0 : key.end - key.start;
      const headers = this.#tags.headers(this.#seq, 0);
      if (!queue.encoder.fits(keyLength, value.length, headers.length)) this.#seal(queue);
      queue.encoder.append(
        timestamp,
        key?.bytes ?? null,
        key?.start ?? 0,
        key?.end ?? 0,
        value.bytes,
        0,
        value.length,
        headers,
      );
      this.#seq++;
      this.#unacknowledged++;
    }
    this.#turn++;
  }

  /** Closes the open batches, so that they can be sent although they are not full. */
  sealAll(): void {
    for (const queue of this.#partitions) this.#seal(queue);
  }

  /** Takes the oldest sealed batch of each of these partitions that has nothing in flight. */
  take(partitions: readonly number[]): { partition: number; batch: Uint8Array }[] {
    const taken: { partition: number; batch: Uint8Array }[] = [];
    for (const partition of partitions) {
      const queue = this.#partitions[partition];
      if (queue === undefined || queue.inFlight !== undefined) continue;
      const next = queue.sealed.shift();
      if (next === undefined) continue;
      if (next.sent) {
        this.#resent += next.rows;
        if (!next.marked) {
          // A copy: the first bytes may still lie in a socket that stands.
          next.bytes = next.bytes.slice();
          markDuplicates(next.bytes);
          next.marked = true;
        }
      }
      queue.inFlight = next;
      taken.push({ partition, batch: next.bytes });
    }
    return taken;
  }

  /** Whether a batch of the partition could be sent. */
  waits(partition: number): boolean {
    return (this.#partitions[partition]?.sealed.length ?? 0) > 0;
  }

  /** The batch in flight of a partition is in the log. Returns its rows. */
  acknowledge(partition: number): number {
    const queue = this.#partitions[partition]!;
    const rows = queue.inFlight?.rows ?? 0;
    if (queue.inFlight !== undefined) {
      if (this.#mayHoldOld > 0) this.#mayHoldOld--;
      queue.encoder.reuse(queue.inFlight.bytes);
    }
    queue.inFlight = undefined;
    this.#unacknowledged -= rows;
    return rows;
  }

  /** The batch in flight of a partition goes back to the head of its queue; `mayBeWritten`: the broker may have applied it. */
  putBack(partition: number, mayBeWritten: boolean): void {
    const queue = this.#partitions[partition]!;
    const batch = queue.inFlight;
    if (batch === undefined) return;
    queue.inFlight = undefined;
    batch.sent ||= mayBeWritten;
    queue.sealed.unshift(batch);
  }

  /** Everything that is unacknowledged will be given out again, in order. Returns the rows. */
  rewind(): number {
    for (const partition of this.#partitions.keys()) this.putBack(partition, true);
    this.sealAll();
    this.#mayHoldOld = this.#partitions.reduce((sum, queue) => sum + queue.sealed.length, 0);
    return this.#unacknowledged;
  }

  #seal(queue: PartitionQueue): void {
    const rows = queue.encoder.records;
    const bytes = queue.encoder.finish();
    if (bytes !== undefined) queue.sealed.push({ bytes, rows, sent: false, marked: false });
  }

  #queueOf(key: KeyBytes | undefined): PartitionQueue {
    const count = this.#partitions.length;
    return this.#partitions[
      key === undefined ? this.#turn % count : partitionOfKey(key.bytes, count, key.start, key.end)
    ]!;
  }

  #keyOf(column: Column, row: number): KeyBytes | undefined {
    if (!isValid(column.validity, row)) return undefined;
    if (column.kind === 'utf8') return { bytes: column.bytes, start: column.starts[row]!, end: column.ends[row]! };
    if (column.kind === 'dictionary') return this.#keyOf(column.dictionary, column.codes[row]!);
    const bytes = encoder.encode(String(valueAt(column, row)));
    return { bytes, start: 0, end: bytes.length };
  }
}

interface KeyBytes {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

const encoder = new TextEncoder();
