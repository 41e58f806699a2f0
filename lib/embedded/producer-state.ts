import type { BatchHeader } from './batch-header.ts';
import { kafkaError } from './kafka-errors.ts';

interface StoredBatch {
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly baseOffset: number;
}
interface ProducerEntry {
  epoch: number;
  /** The newest five batches, oldest first. */
  batches: StoredBatch[];
}

/** How many batches a broker remembers of each producer: also the most that an idempotent client has in flight. */
const batchesRemembered = 5;

/** What the sequence check says: append, repeat an old answer without appending, or refuse. */
export type SequenceVerdict =
  | { readonly kind: 'append' }
  | { readonly kind: 'duplicate'; readonly baseOffset: number }
  | { readonly kind: 'refuse'; readonly error: number };

/**
 * Sequences of the idempotent producers of one partition. As on Apache Kafka, a batch counts as a duplicate by its
 * sequence numbers alone, whatever its bytes are, and an unknown producer id may start at any sequence.
 */
export class ProducerStates {
  readonly #producers = new Map<bigint, ProducerEntry>();

  check(header: BatchHeader): SequenceVerdict {
    if (header.producerId < 0n) return { kind: 'append' };
    const entry = this.#producers.get(header.producerId);
    if (entry === undefined) return { kind: 'append' };
    if (header.producerEpoch < entry.epoch) return { kind: 'refuse', error: kafkaError.INVALID_PRODUCER_EPOCH };
    if (header.producerEpoch > entry.epoch) {
      // A new epoch starts its sequence anew.
      return header.baseSequence === 0
        ? { kind: 'append' }
        : { kind: 'refuse', error: kafkaError.OUT_OF_ORDER_SEQUENCE };
    }
    const last = sequenceAfter(header.baseSequence, header.lastOffsetDelta);
    const stored = entry.batches.find(
      batch => batch.firstSequence === header.baseSequence && batch.lastSequence === last,
    );
    if (stored !== undefined) return { kind: 'duplicate', baseOffset: stored.baseOffset };
    const newest = entry.batches.at(-1)!;
    return sequenceAfter(newest.lastSequence, 1) === header.baseSequence
      ? { kind: 'append' }
      : { kind: 'refuse', error: kafkaError.OUT_OF_ORDER_SEQUENCE };
  }

  appended(header: BatchHeader, baseOffset: number): void {
    if (header.producerId < 0n) return;
    let entry = this.#producers.get(header.producerId);
    if (entry === undefined || entry.epoch !== header.producerEpoch) {
      entry = { epoch: header.producerEpoch, batches: [] };
      this.#producers.set(header.producerId, entry);
    }
    entry.batches.push({
      firstSequence: header.baseSequence,
      lastSequence: sequenceAfter(header.baseSequence, header.lastOffsetDelta),
      baseOffset,
    });
    if (entry.batches.length > batchesRemembered) entry.batches.shift();
  }
}

/** Sequences wrap from 2^31 - 1 to 0. */
function sequenceAfter(sequence: number, step: number): number {
  return (sequence + step) % 2 ** 31;
}
