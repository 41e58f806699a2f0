import type { DataType } from '../data/data-type.ts';

/**
 * A column as a table keeps it, for whoever copies rows out of it: numbers (doubles or, for an INT accumulator, 32-bit
 * integers), 64-bit integers, or text. A view: it shows the table's own arrays and is valid until the table changes.
 */
export interface StateColumn {
  readonly type: DataType;
  /** Bit per row, 1 = present; undefined where no row is NULL. */
  readonly validity: Uint8Array | undefined;
  readonly numbers: Float64Array | Int32Array | undefined;
  readonly wide: BigInt64Array | undefined;
  readonly text: { readonly bytes: Uint8Array; readonly starts: Int32Array; readonly ends: Int32Array } | undefined;
}

/** Texts are found by 32-bit offsets. */
export const heapBytesMax = 2 ** 31 - 1;

/** Doubled until it has room for `length`; what was there stays, the rest is zero. */
export function grownBytes(bytes: Uint8Array, length: number, max: number): Uint8Array<ArrayBuffer> {
  const grown = new Uint8Array(Math.max(length, Math.min(bytes.length * 2, max)));
  grown.set(bytes);
  return grown;
}
