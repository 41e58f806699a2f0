/**
 * The loops of the merge: one function for each operation and kind of array, so that the engine compiles each for
 * exactly these arrays. All take partial `rows[from + i]` of `values` into group `slots[i]`, for i < count.
 */
export type MergeLoop<A, V = A> = (
  groups: A,
  values: V,
  rows: Int32Array,
  from: number,
  slots: Int32Array,
  count: number,
) => void;

/** INT: sums wrap at 32 bits, which storing into the array does. */
export const addInt: MergeLoop<Int32Array> = (groups, values, rows, from, slots, count) => {
  for (let i = 0; i < count; i++) {
    const slot = slots[i]!;
    groups[slot] = groups[slot]! + values[rows[from + i]!]!;
  }
};
export const minInt: MergeLoop<Int32Array> = (groups, values, rows, from, slots, count) => {
  for (let i = 0; i < count; i++) {
    const slot = slots[i]!;
    const value = values[rows[from + i]!]!;
    if (value < groups[slot]!) groups[slot] = value;
  }
};
export const maxInt: MergeLoop<Int32Array> = (groups, values, rows, from, slots, count) => {
  for (let i = 0; i < count; i++) {
    const slot = slots[i]!;
    const value = values[rows[from + i]!]!;
    if (value > groups[slot]!) groups[slot] = value;
  }
};

/** DOUBLE: each addition rounds, so the last bits of a sum depend on the order of the partials, as everywhere. */
export const addDouble: MergeLoop<Float64Array> = (groups, values, rows, from, slots, count) => {
  for (let i = 0; i < count; i++) {
    const slot = slots[i]!;
    groups[slot] = groups[slot]! + values[rows[from + i]!]!;
  }
};
/** By Java's order of doubles: -0 before 0, NaN after everything, and so NaN is the identity of the least. */
export const minDouble: MergeLoop<Float64Array> = (groups, values, rows, from, slots, count) => {
  for (let i = 0; i < count; i++) {
    const slot = slots[i]!;
    const group = groups[slot]!;
    const value = values[rows[from + i]!]!;
    if (value < group || Number.isNaN(group) || (value === 0 && group === 0 && 1 / value < 0)) groups[slot] = value;
  }
};
export const maxDouble: MergeLoop<Float64Array> = (groups, values, rows, from, slots, count) => {
  for (let i = 0; i < count; i++) {
    const slot = slots[i]!;
    const group = groups[slot]!;
    const value = values[rows[from + i]!]!;
    if (value > group || Number.isNaN(value) || (value === 0 && group === 0 && 1 / group < 0)) groups[slot] = value;
  }
};

/**
 * BIGINT while everything is a safe integer. Stops before the first sum that is not and returns how many were merged:
 * the sum of two safe integers is exact as long as it is safe itself, and anything else rounds to beyond the bound.
 */
export function addNarrow(
  groups: Float64Array,
  values: Float64Array,
  rows: Int32Array,
  from: number,
  slots: Int32Array,
  count: number,
): number {
  for (let i = 0; i < count; i++) {
    const slot = slots[i]!;
    const sum = groups[slot]! + values[rows[from + i]!]!;
    if (sum > 9007199254740991 || sum < -9007199254740991) return i;
    groups[slot] = sum;
  }
  return count;
}
export const minNarrow: MergeLoop<Float64Array> = (groups, values, rows, from, slots, count) => {
  for (let i = 0; i < count; i++) {
    const slot = slots[i]!;
    const value = values[rows[from + i]!]!;
    if (value < groups[slot]!) groups[slot] = value;
  }
};
export const maxNarrow: MergeLoop<Float64Array> = (groups, values, rows, from, slots, count) => {
  for (let i = 0; i < count; i++) {
    const slot = slots[i]!;
    const value = values[rows[from + i]!]!;
    if (value > groups[slot]!) groups[slot] = value;
  }
};

/** BIGINT once a value was not a safe integer: sums wrap at 64 bits, which storing into the array does. */
export const addWide: MergeLoop<BigInt64Array> = (groups, values, rows, from, slots, count) => {
  for (let i = 0; i < count; i++) {
    const slot = slots[i]!;
    groups[slot] = groups[slot]! + values[rows[from + i]!]!;
  }
};
export const minWide: MergeLoop<BigInt64Array> = (groups, values, rows, from, slots, count) => {
  for (let i = 0; i < count; i++) {
    const slot = slots[i]!;
    const value = values[rows[from + i]!]!;
    if (value < groups[slot]!) groups[slot] = value;
  }
};
export const maxWide: MergeLoop<BigInt64Array> = (groups, values, rows, from, slots, count) => {
  for (let i = 0; i < count; i++) {
    const slot = slots[i]!;
    const value = values[rows[from + i]!]!;
    if (value > groups[slot]!) groups[slot] = value;
  }
};
