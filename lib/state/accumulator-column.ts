import { isValid, setBit } from '../data/column.ts';
import type { DataType } from '../data/data-type.ts';
import { type GroupRows, grownBits } from './group-rows.ts';
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
 * One accumulator of all groups. A new group begins with the identity of the operation, so the loops of a merge never
 * ask whether it is new. NULL partials are left out, and a group that has seen nothing else is NULL: that is handled
 * here, and the loops of the subclasses see present values only.
 */
export abstract class AccumulatorColumn {
  readonly type: DataType;
  protected readonly rows: GroupRows;
  protected readonly field: number;
  /** Bit per group, 1 = it has seen a value; undefined while all have. */
  protected seen: Uint8Array | undefined;

  constructor(type: DataType, rows: GroupRows, field: number) {
    this.type = type;
    this.rows = rows;
    this.field = field;
  }

  /** Memory beside the rows. */
  get bytes(): number {
    return this.seen?.byteLength ?? 0;
  }
  /** Writes the identity into the groups [from, to). */
  protected abstract begin(from: number, to: number): void;
  /** Merges row `rows[from + i]` of the input, which is present, into group `slots[i]`, for i < count; there are `groups`. */
  protected abstract apply(
    input: InputColumn,
    rows: Int32Array,
    from: number,
    slots: Int32Array,
    count: number,
    groups: number,
  ): void;
  abstract view(): StateColumn;

  /** As `apply`, with NULLs. Of the `groups` those from `groupsBefore` on are new with this batch. */
  merge(
    input: InputColumn,
    rows: Int32Array,
    from: number,
    slots: Int32Array,
    count: number,
    groupsBefore: number,
    groups: number,
  ): void {
    const { validity } = input;
    const { capacity } = this.rows;
    this.begin(groupsBefore, groups);
    if (this.seen !== undefined && this.seen.length * 8 < capacity) this.seen = grownBits(this.seen, capacity, 0);
    if (validity === undefined) {
      this.apply(input, rows, from, slots, count, groups);
      if (this.seen !== undefined) markSeen(this.seen, slots, count);
      return;
    }
    if (this.seen === undefined) {
      this.seen = grownBits(undefined, capacity, 0);
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
    this.apply(input, presentRows, 0, presentSlots, present, groups);
    markSeen(this.seen, presentSlots, present);
  }

  clear(): void {
    this.seen = undefined;
  }
}

function markSeen(seen: Uint8Array, slots: Int32Array, count: number): void {
  for (let i = 0; i < count; i++) {
    const slot = slots[i]!;
    seen[slot >> 3] = seen[slot >> 3]! | (1 << (slot & 7));
  }
}
