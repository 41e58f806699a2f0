import type { Row } from '../data/batch.ts';
import type { Schema } from '../data/schema.ts';

/** A plain TypeScript function over row objects; no kernel, runs on the job's own thread. */
export interface RowFunctionSpec {
  readonly kind: 'rowFunction';
  readonly name: string;
  readonly apply:
    | { readonly kind: 'map'; readonly fn: (row: Row) => Row }
    | { readonly kind: 'filter'; readonly fn: (row: Row) => boolean };
  /** What comes in: the columns that the function sees, then `carried` ones. */
  readonly input: Schema;
  /** What goes out: the function's columns, then the same `carried` ones. */
  readonly output: Schema;
  /**
   * Columns at the end that the function does not see and that stay with their row unchanged: 1 where an aggregate
   * behind it needs the event time, else 0.
   */
  readonly carried: number;
}
