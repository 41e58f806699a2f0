import type { Batch } from '../data/batch.ts';
import type { Schema } from '../data/schema.ts';
import type { Accumulator } from '../expressions/aggregate.ts';
import type { Expression } from '../expressions/expression.ts';

/**
 * A plan fragment that becomes one generated loop: input -> event time -> filter -> projection or local aggregate.
 * Plain data: it is posted to every worker once, and each compiles it for itself (compile.ts). The interpreter
 * (interpret.ts) runs the same fragment and is the reference.
 */
export interface Fragment {
  /** Unique within a job; workers cache the compiled function under it. */
  readonly id: string;
  readonly input: FragmentInput;
  /** Event time of an input row, a TIMESTAMP expression over the input schema; rows where it is NULL are bad rows. */
  readonly eventTime: Expression | undefined;
  /** Rows for which it is not true are dropped, after they counted for the event time. */
  readonly filter: Expression | undefined;
  readonly output: FragmentOutput;
}

export type FragmentInput =
  /** Kafka record batches (v2), whose values are JSON objects; `schema` lists the wanted top-level fields only. */
  | { readonly kind: 'records'; readonly schema: Schema; readonly json: JsonOptions }
  /** A batch that is columnar already. */
  | { readonly kind: 'columns'; readonly schema: Schema };

export interface JsonOptions {
  /** `structure` (default): the inside of skipped numbers and words is not looked at; `full`: every byte is checked. */
  readonly validate: 'structure' | 'full';
  /** What becomes of a record that is not a JSON object of the schema: stop the job, NULL in every field that is wrong, or skip it. */
  readonly badRecords: BadRecordPolicy;
}
export const badRecordPolicies = ['fail', 'null', 'skip'] as const;
export type BadRecordPolicy = (typeof badRecordPolicies)[number];

export type FragmentOutput =
  | {
      readonly kind: 'rows';
      readonly columns: readonly Expression[];
      readonly schema: Schema;
      /** Windows that a task's `lateAt` refers to; undefined where the fragment is never asked for late rows. */
      readonly lateWindow?: TumblingWindow | undefined;
    }
  | PartialOutput;

/** Window of an event time t: starts at `t - floorMod(t - offsetMs, sizeMs)`, ends `sizeMs` later, exclusive. */
export interface TumblingWindow {
  readonly sizeMs: number;
  readonly offsetMs: number;
}

/**
 * Partial aggregates. The result batch has the columns [window start (TIMESTAMP NOT NULL, only with a window), keys...,
 * accumulators...] as `schema` says, and `hashes`, the hash of each row's keys without the window (lib/data/key-hash.ts).
 * With `local`, rows of one window and key are combined within the task; without, each row is its own partial
 * (where combining would not shrink the input). The merge is the same.
 */
export interface PartialOutput {
  readonly kind: 'partial';
  readonly window: TumblingWindow | undefined;
  readonly keys: readonly Expression[];
  readonly accumulators: readonly Accumulator[];
  readonly schema: Schema;
  readonly local: boolean;
}

/** One piece of work: whole record batches of one split, in order, or one columnar batch. */
export type FragmentTask =
  | {
      readonly kind: 'records';
      /** Memory that holds the record batches; shared with the workers. */
      readonly bytes: Uint8Array;
      readonly start: number;
      readonly end: number;
      /** Records before this offset are skipped: a fetch returns whole batches. */
      readonly fromOffset: number;
      /** Records at and after this offset are skipped: the end of a bounded read. */
      readonly untilOffset: number;
      /** Verify the CRC of each batch. Off only where the caller did so. */
      readonly checkCrc: boolean;
      /** Only late rows: those whose window has closed at this watermark (window end - 1 <= watermark), or undefined for all. Needs output `rows` with `lateWindow`. */
      readonly lateAt?: number | undefined;
    }
  | {
      readonly kind: 'columns';
      readonly batch: Batch;
      /** Number of the batch's first row, for errors; 0 by default. */
      readonly firstRow?: number | undefined;
      readonly lateAt?: number | undefined;
    };

export interface FragmentResult {
  /** Rows read, before the filter, bad ones included. */
  readonly rowsIn: number;
  /** Rows that passed the filter. With `local`, `batch.rows` says how far they shrank. */
  readonly rowsPassed: number;
  /** Greatest event time of all good rows read, in ms; -Infinity where there was none. */
  readonly maxEventTime: number;
  /** Rows or partials. Its buffers belong to the result alone: they may be transferred. */
  readonly batch: Batch;
  /** Hash of the keys of each row of `batch`; only for partials. */
  readonly hashes: Int32Array | undefined;
  /** Smallest and greatest window start among the partials, ms; undefined for rows, or where there is none. */
  readonly windows: { readonly first: number; readonly last: number } | undefined;
  /** Under policy `null` also those that stayed in, with NULLs. */
  readonly badRecords: readonly BadRecord[];
  /** Offset after the last record read; -1 for columns. */
  readonly nextOffset: number;
}

export interface BadRecord {
  readonly offset: number;
  /** One sentence. */
  readonly reason: string;
  /** The record's value, at most 64 KiB of it. */
  readonly bytes: Uint8Array;
}

export interface CompiledFragment {
  run(task: FragmentTask): FragmentResult;
}
