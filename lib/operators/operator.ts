import type { Batch } from '../data/batch.ts';
import type { FragmentResult } from '../kernels/fragment.ts';

/**
 * An operator is a pure, synchronous state machine over batches: no clock, no timer, no promise, no I/O. Whatever it
 * produces goes to its outbox; when the outbox is full a method returns false, having kept its place, and is called
 * again with the same argument once there is room. Nothing else is called in between.
 */
export interface Operator<In = Batch> {
  /** Takes a batch. Returns false when the outbox is full: call again with the same batch. */
  onBatch(input: In, outbox: Outbox): boolean;
  /** Event time has reached `watermark` (ms): emit what is due. Returns false when the outbox is full: call again. */
  onWatermark(watermark: number, outbox: Outbox): boolean;
  /** Everything needed to go on elsewhere. Never called between a false and its repetition. */
  snapshot(): OperatorSnapshot;
  restore(snapshot: OperatorSnapshot): void;
}

/** Input of a global aggregate: partials as the local phase yields them. */
export type PartialInput = Pick<FragmentResult, 'batch' | 'hashes' | 'windows'>;

/** Bounded output of one operator call. */
export interface Outbox {
  readonly full: boolean;
  /** Adds an output batch. Only when not `full`. */
  emit(batch: Batch): void;
}

/** State by key group, encoded; `meta` is small plain JSON (watermark, counters, schema). */
export interface OperatorSnapshot {
  readonly version: number;
  readonly meta: Readonly<Record<string, unknown>>;
  readonly keyGroups: ReadonlyMap<number, Uint8Array>;
}
