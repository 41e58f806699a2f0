import { isValid, setBit } from '../data/column.ts';
import type { DataType } from '../data/data-type.ts';
import type { InputColumn } from './input-column.ts';
import { ScratchRows } from './scratch.ts';
import type { StateColumn } from './state-column.ts';

/** What a table keeps per group: an operation that merges, over values of a type. A plan's accumulators are such. */
export interface StateAccumulator {
  readonly op: 'count' | 'sum' | 'min' | 'max';
  readonly type: DataType;
}

const presentRowsScratch = new ScratchRows();
const presentSlotsScratch = new ScratchRows();

/**
 * One accumulator of all groups. A new group holds the identity of the operation, so a merge never asks whether it is
 * new. NULL partials are left out, and a group that has seen nothing else is NULL: that is handled here, and the loops
 * of the subclasses see present values only.
 */
export abstract class AccumulatorColumn {
  readonly type: DataType;
  /** Bit per group, 1 = it has seen a value; undefined while all have. */
  protected seen: Uint8Array | undefined;
  #capacity: number;

  constructor(type: DataType, capacity: number) {
    this.type = type;
    this.#capacity = capacity;
  }

  /** Memory of the values. */
  protected abstract readonly valueBytes: number;
  abstract view(): StateColumn;
  /** Merges row `rows[from + i]` of the input, which is present, into group `slots[i]`, for i < count. */
  protected abstract apply(input: InputColumn, rows: Int32Array, from: number, slots: Int32Array, count: number): void;
  protected abstract growValues(capacity: number): void;
  protected abstract clearValues(groups: number): void;

  get bytes(): number {
    return this.valueBytes + (this.seen?.byteLength ?? 0);
  }

  /** As `apply`, with NULLs. Groups from `groupsBefore` on are new with this batch. */
  merge(
    input: InputColumn,
    rows: Int32Array,
    from: number,
    slots: Int32Array,
    count: number,
    groupsBefore: number,
  ): void {
    const { validity } = input;
    if (validity === undefined) {
      this.apply(input, rows, from, slots, count);
      if (this.seen !== undefined) markSeen(this.seen, slots, count);
      return;
    }
    if (this.seen === undefined) {
      this.seen = new Uint8Array((this.#capacity + 7) >> 3);
      for (let slot = 0; slot < groupsBefore; slot++) setBit(this.seen, slot);
    }
    const presentRows = presentRowsScratch.atLeast(count);
    const presentSlots = presentSlotsScratch.atLeast(count);
    let present = 0;
    for (let i = 0; i < count; i++) {
      const row = rows[from + i]!;
      if (!isValid(validity, row)) continue;
      presentRows[present] = row;
      presentSlots[present++] = slots[i]!;
    }
    this.apply(input, presentRows, 0, presentSlots, present);
    markSeen(this.seen, presentSlots, present);
  }

  grow(capacity: number): void {
    this.#capacity = capacity;
    if (this.seen !== undefined) {
      const grown = new Uint8Array((capacity + 7) >> 3);
      grown.set(this.seen);
      this.seen = grown;
    }
    this.growValues(capacity);
  }

  /** Puts the identity back into the first `groups`, which are all that were used, and keeps the memory. */
  clear(groups: number): void {
    this.seen = undefined;
    this.clearValues(groups);
  }
}

function markSeen(seen: Uint8Array, slots: Int32Array, count: number): void {
  for (let i = 0; i < count; i++) {
    const slot = slots[i]!;
    seen[slot >> 3] = seen[slot >> 3]! | (1 << (slot & 7));
  }
}
