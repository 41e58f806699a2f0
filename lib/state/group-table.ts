import { assert } from '../base/errors.ts';
import type { Column } from '../data/column.ts';
import type { DataType } from '../data/data-type.ts';
import type { AccumulatorColumn, StateAccumulator } from './accumulator-column.ts';
import { createAccumulator } from './accumulators.ts';
import { GroupIndex, home } from './group-index.ts';
import { InputColumn } from './input-column.ts';
import { createKeyColumn, type KeyColumn, NumberKeys, TextKeys } from './key-columns.ts';
import { ScratchRows } from './scratch.ts';
import type { StateColumn } from './state-column.ts';

/** What one row of a table is made of. */
export interface GroupLayout {
  readonly keys: readonly DataType[];
  readonly accumulators: readonly StateAccumulator[];
}

/** Partials as a table takes them: one row a partial, `hashes` the hash of its keys. Made once a batch, for all windows. */
export interface PartialColumns {
  readonly hashes: Int32Array;
  readonly keys: readonly InputColumn[];
  readonly accumulators: readonly InputColumn[];
}

/** `columns`: keys, then accumulators, as the layout has them. */
export function partialColumns(
  layout: GroupLayout,
  columns: readonly Column[],
  hashes: Int32Array,
  rows: number,
): PartialColumns {
  assert(columns.length === layout.keys.length + layout.accumulators.length, 'partials with the wrong columns');
  const inputs = columns.map(column => new InputColumn(column, rows));
  return { hashes, keys: inputs.slice(0, layout.keys.length), accumulators: inputs.slice(layout.keys.length) };
}

const slotsScratch = new ScratchRows();
/** The smallest table has room for 32 groups. */
const firstIndexBits = 6;

/**
 * Groups of one window: keys and accumulators as typed columns in the order in which the keys came, found by a hash
 * index beside them. Nothing is ever removed: a window that has closed is read and dropped as a whole.
 *
 * A merge goes column by column: first the keys of all partials become row numbers, then each accumulator is one tight
 * loop over them. That keeps each loop over two arrays, so that many cache misses are under way at once, which is what
 * a table larger than the caches lives on.
 */
export class GroupTable {
  readonly layout: GroupLayout;
  #groups = 0;
  #groupsMax: number;
  readonly #index = new GroupIndex(firstIndexBits);
  readonly #keys: KeyColumn[];
  readonly #accumulators: AccumulatorColumn[];

  constructor(layout: GroupLayout) {
    this.layout = layout;
    this.#groupsMax = this.#index.groupsMax;
    this.#keys = layout.keys.map(type => createKeyColumn(type, this.#groupsMax));
    this.#accumulators = layout.accumulators.map(accumulator => createAccumulator(accumulator, this.#groupsMax));
  }

  /** Distinct keys. */
  get groups(): number {
    return this.#groups;
  }

  /** Memory of all arrays, used or not. */
  get bytes(): number {
    let bytes = this.#index.entries.byteLength;
    for (const column of this.#keys) bytes += column.bytes;
    for (const column of this.#accumulators) bytes += column.bytes;
    return bytes;
  }

  /** Merges the partials `rows[from..to)`. */
  merge(partials: PartialColumns, rows: Int32Array, from: number, to: number): void {
    const count = to - from;
    const before = this.#groups;
    const slots = slotsScratch.atLeast(count);
    this.#findOrInsert(partials, rows, from, count, slots);
    for (let a = 0; a < this.#accumulators.length; a++)
      this.#accumulators[a]!.merge(partials.accumulators[a]!, rows, from, slots, count, before);
  }

  /** The columns as they are kept, keys and then accumulators: row i of each is group i. Valid until the next merge or clear. */
  views(): StateColumn[] {
    return [...this.#keys.map(column => column.view()), ...this.#accumulators.map(column => column.view())];
  }
  /** Hash of each group, as it came with the partials. */
  hashes(): Int32Array {
    return this.#index.hashes(this.#groups);
  }

  /** Empties the table and keeps its memory for another window. */
  clear(): void {
    const groups = this.#groups;
    this.#groups = 0;
    this.#index.clear();
    for (let k = 0; k < this.#keys.length; k++) {
      this.#keys[k]!.clear();
      // What was wide starts narrow again.
      if (this.layout.keys[k]!.name === 'BIGINT' && !(this.#keys[k] instanceof NumberKeys))
        this.#keys[k] = createKeyColumn(this.layout.keys[k]!, this.#groupsMax);
    }
    for (const column of this.#accumulators) column.clear(groups);
  }

  #findOrInsert(partials: PartialColumns, rows: Int32Array, from: number, count: number, slots: Int32Array): void {
    const { keys } = partials;
    for (let k = 0; k < keys.length; k++) {
      const column = this.#keys[k]!;
      if (keys[k]!.isWide && column instanceof NumberKeys) this.#keys[k] = column.widened(this.#groups);
    }
    if (keys.length === 1 && keys[0]!.validity === undefined && !this.#keys[0]!.hasNulls) {
      const [column] = this.#keys;
      if (column instanceof NumberKeys) this.#findNumbers(column, partials, rows, from, count, slots);
      else if (column instanceof TextKeys) this.#findTexts(column, partials, rows, from, count, slots);
      else this.#findAny(partials, rows, from, count, slots);
    } else this.#findAny(partials, rows, from, count, slots);
  }

  /** One key, a number, never NULL. */
  #findNumbers(
    column: NumberKeys,
    partials: PartialColumns,
    rows: Int32Array,
    from: number,
    count: number,
    slots: Int32Array,
  ): void {
    const { hashes } = partials;
    const values = partials.keys[0]!.numbers();
    const index = this.#index;
    let { entries, mask, shift } = index;
    let keys = column.values;
    for (let i = 0; i < count; i++) {
      const row = rows[from + i]!;
      const hash = hashes[row]!;
      const value = values[row]!;
      let at = home(hash, shift);
      let slot = entries[at + 1]! - 1;
      while (slot >= 0) {
        if (entries[at] === hash) {
          const key = keys[slot]!;
          if (key === value || (Number.isNaN(key) && Number.isNaN(value))) break;
        }
        at = (at + 2) & mask;
        slot = entries[at + 1]! - 1;
      }
      if (slot < 0) {
        if (this.#groups === this.#groupsMax) {
          this.#grow();
          ({ entries, mask, shift } = index);
          keys = column.values;
          at = index.free(hash);
        }
        slot = this.#groups++;
        entries[at] = hash;
        entries[at + 1] = slot + 1;
        keys[slot] = value;
      }
      slots[i] = slot;
    }
  }

  /** One key, a text, never NULL. */
  #findTexts(
    column: TextKeys,
    partials: PartialColumns,
    rows: Int32Array,
    from: number,
    count: number,
    slots: Int32Array,
  ): void {
    const { hashes } = partials;
    const { bytes, starts, ends } = partials.keys[0]!.text!;
    const index = this.#index;
    let { entries, mask, shift } = index;
    for (let i = 0; i < count; i++) {
      const row = rows[from + i]!;
      const hash = hashes[row]!;
      const start = starts[row]!;
      const end = ends[row]!;
      let at = home(hash, shift);
      let slot = entries[at + 1]! - 1;
      while (slot >= 0) {
        if (entries[at] === hash && column.equalsText(slot, bytes, start, end)) break;
        at = (at + 2) & mask;
        slot = entries[at + 1]! - 1;
      }
      if (slot < 0) {
        if (this.#groups === this.#groupsMax) {
          this.#grow();
          ({ entries, mask, shift } = index);
          at = index.free(hash);
        }
        column.appendText(this.#groups, bytes, start, end);
        slot = this.#groups++;
        entries[at] = hash;
        entries[at + 1] = slot + 1;
      }
      slots[i] = slot;
    }
  }

  /** Any number of keys (none: one group), of any type, NULL or not. */
  #findAny(partials: PartialColumns, rows: Int32Array, from: number, count: number, slots: Int32Array): void {
    const { hashes, keys: inputs } = partials;
    const index = this.#index;
    const columns = this.#keys;
    for (let i = 0; i < count; i++) {
      const row = rows[from + i]!;
      const hash = hashes[row]!;
      const { entries, mask } = index;
      let at = home(hash, index.shift);
      let slot = entries[at + 1]! - 1;
      while (slot >= 0) {
        if (entries[at] === hash && equalKeys(columns, slot, inputs, row)) break;
        at = (at + 2) & mask;
        slot = entries[at + 1]! - 1;
      }
      if (slot < 0) {
        if (this.#groups === this.#groupsMax) {
          this.#grow();
          at = index.free(hash);
        }
        for (let k = 0; k < columns.length; k++) columns[k]!.append(this.#groups, inputs[k]!, row);
        slot = this.#groups++;
        index.entries[at] = hash;
        index.entries[at + 1] = slot + 1;
      }
      slots[i] = slot;
    }
  }

  #grow(): void {
    this.#index.grow();
    this.#groupsMax = this.#index.groupsMax;
    for (const column of this.#keys) column.grow(this.#groupsMax);
    for (const column of this.#accumulators) column.grow(this.#groupsMax);
  }
}

function equalKeys(columns: readonly KeyColumn[], slot: number, inputs: readonly InputColumn[], row: number): boolean {
  for (let k = 0; k < columns.length; k++) if (!columns[k]!.equals(slot, inputs[k]!, row)) return false;
  return true;
}
