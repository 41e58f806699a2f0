/**
 * The loops of the merge: one function for each operation and kind of cell, so that the engine compiles each for exactly
 * these arrays. All take partial `rows[from + i]` of `values` into cell `slots[i] * fields + field`, for i < count.
 */
export type MergeLoop<A, R = void> = (
  cells: A,
  fields: number,
  field: number,
  values: A,
  rows: Int32Array,
  from: number,
  slots: Int32Array,
  count: number,
) => R;

/** INT, kept as doubles: sums wrap at 32 bits. */
export const addInt: MergeLoop<Float64Array> = (cells, fields, field, values, rows, from, slots, count) => {
  for (let i = 0; i < count; i++) {
    const at = slots[i]! * fields + field;
    cells[at] = (cells[at]! + values[rows[from + i]!]!) | 0;
  }
};

/**
 * BIGINT while everything is a safe integer. Stops before the first sum that is not and returns how many were merged:
 * the sum of two safe integers is exact as long as it is safe itself, and anything else rounds to beyond the bound.
 */
export const addNarrow: MergeLoop<Float64Array, number> = (cells, fields, field, values, rows, from, slots, count) => {
  for (let i = 0; i < count; i++) {
    const at = slots[i]! * fields + field;
    const sum = cells[at]! + values[rows[from + i]!]!;
    if (sum > 9007199254740991 || sum < -9007199254740991) return i;
    cells[at] = sum;
  }
  return count;
};

/** DOUBLE: each addition rounds, so the last bits of a sum depend on the order of the partials, as everywhere. */
export const addDouble: MergeLoop<Float64Array> = (cells, fields, field, values, rows, from, slots, count) => {
  for (let i = 0; i < count; i++) {
    const at = slots[i]! * fields + field;
    cells[at] = cells[at]! + values[rows[from + i]!]!;
  }
};

/** INT, TIMESTAMP and narrow BIGINT, and DOUBLE too: NaN comes after everything, and -0 before 0, as in Java. */
export const maxDouble: MergeLoop<Float64Array> = (cells, fields, field, values, rows, from, slots, count) => {
  for (let i = 0; i < count; i++) {
    const at = slots[i]! * fields + field;
    cells[at] = Math.max(cells[at]!, values[rows[from + i]!]!);
  }
};

/** The same without NaN. */
export const minNumber: MergeLoop<Float64Array> = (cells, fields, field, values, rows, from, slots, count) => {
  for (let i = 0; i < count; i++) {
    const at = slots[i]! * fields + field;
    cells[at] = Math.min(cells[at]!, values[rows[from + i]!]!);
  }
};

/** DOUBLE: as NaN comes after everything, it is what the least begins with. */
export const minDouble: MergeLoop<Float64Array> = (cells, fields, field, values, rows, from, slots, count) => {
  for (let i = 0; i < count; i++) {
    const at = slots[i]! * fields + field;
    const value = values[rows[from + i]!]!;
    const least = cells[at]!;
    if (Number.isNaN(least)) cells[at] = value;
    else if (!Number.isNaN(value)) cells[at] = Math.min(least, value);
  }
};

/** BIGINT once a value was no safe integer: sums wrap at 64 bits, which storing into the array does. */
export const addWide: MergeLoop<BigInt64Array> = (cells, fields, field, values, rows, from, slots, count) => {
  for (let i = 0; i < count; i++) {
    const at = slots[i]! * fields + field;
    cells[at] = cells[at]! + values[rows[from + i]!]!;
  }
};
export const minWide: MergeLoop<BigInt64Array> = (cells, fields, field, values, rows, from, slots, count) => {
  for (let i = 0; i < count; i++) {
    const at = slots[i]! * fields + field;
    const value = values[rows[from + i]!]!;
    if (value < cells[at]!) cells[at] = value;
  }
};
export const maxWide: MergeLoop<BigInt64Array> = (cells, fields, field, values, rows, from, slots, count) => {
  for (let i = 0; i < count; i++) {
    const at = slots[i]! * fields + field;
    const value = values[rows[from + i]!]!;
    if (value > cells[at]!) cells[at] = value;
  }
};
