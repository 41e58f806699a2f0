import type { DataType } from '../data/data-type.ts';

/**
 * A column as a table keeps it, for whoever copies rows out of it: row i is cell `i * fields + field` of `doubles`, or of
 * `wides` where they are given; of a text it is words `2 * (i * fields + field)` and the next, which are start and end
 * in `heap`. A view: it shows the table's own memory and is valid until the table changes.
 */
export interface StateColumn {
  readonly type: DataType;
  readonly fields: number;
  readonly field: number;
  /** Bit per row, 1 = present; undefined where no row is NULL. */
  readonly validity: Uint8Array | undefined;
  readonly doubles: Float64Array;
  /** Given for BIGINT columns that hold 64-bit integers and not doubles. */
  readonly wides: BigInt64Array | undefined;
  readonly words: Int32Array;
  /** Given for STRING. */
  readonly heap: Uint8Array | undefined;
}

/** Texts are found by 32-bit offsets. */
export const heapBytesMax = 2 ** 31 - 1;

/** Doubled until it has room for `length`; what was there stays, the rest is zero. */
export function grownBytes(bytes: Uint8Array, length: number, max: number): Uint8Array<ArrayBuffer> {
  const grown = new Uint8Array(Math.max(length, Math.min(bytes.length * 2, max)));
  grown.set(bytes);
  return grown;
}
