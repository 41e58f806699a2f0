import { assert } from '../base/errors.ts';
import type { Column } from '../data/column.ts';
import type { DataType } from '../data/data-type.ts';
import type { AccumulatorColumn, StateAccumulator } from './accumulator-column.ts';
import { createAccumulator } from './accumulators.ts';
import { GroupIndex } from './group-index.ts';
import { GroupRows } from './group-rows.ts';
import { InputColumn } from './input-column.ts';
import { createKeyColumn, type KeyColumn } from './key-columns.ts';
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
/** The smallest table has room for 31 groups. */
const firstIndexBits = 6;

/**
 * Groups of one window: a row of keys and accumulators each, in the order in which the keys came, found by a hash index
 * beside them. Nothing is ever removed: a window that has closed is read and dropped as a whole.
 *
 * A merge goes column by column: the index gives a candidate for each partial, each key column rejects those that are
 * not the same, the rest is searched for and added one by one, and then each accumulator is one tight loop over all
 * partials. No step waits for the cache misses of a single partial, so that many are under way at once, which is what a
 * table larger than the caches lives on. Vectorised execution as in Boncz, Zukowski and Nes, "MonetDB/X100:
 * Hyper-Pipelining Query Execution" (2005).
 */
export class GroupTable {
  readonly layout: GroupLayout;
  #groups = 0;
  readonly #index = new GroupIndex(firstIndexBits);
  readonly #rows: GroupRows;
  /** Hash of each group, as it came with the partials. */
  #hashes: Int32Array;
  readonly #keys: readonly KeyColumn[];
  readonly #accumulators: readonly AccumulatorColumn[];

  constructor(layout: GroupLayout) {
    this.layout = layout;
    const capacity = this.#index.groupsMax;
    const rows = new GroupRows(layout.keys.length + layout.accumulators.length, capacity);
    this.#rows = rows;
    this.#hashes = new Int32Array(capacity);
    this.#keys = layout.keys.map((type, k) => createKeyColumn(type, rows, k));
    this.#accumulators = layout.accumulators.map((accumulator, a) =>
      createAccumulator(accumulator, rows, layout.keys.length + a),
    );
  }

  /** Distinct keys. */
  get groups(): number {
    return this.#groups;
  }

  /** Memory of all arrays, used or not. */
  get bytes(): number {
    let bytes = this.#index.bytes + this.#rows.bytes + this.#hashes.byteLength;
    for (const column of this.#keys) bytes += column.bytes;
    for (const column of this.#accumulators) bytes += column.bytes;
    return bytes;
  }

  /** Merges the partials `rows[from..to)`. */
  merge(partials: PartialColumns, rows: Int32Array, from: number, to: number): void {
    const count = to - from;
    const before = this.#groups;
    const slots = slotsScratch.atLeast(count);
    for (let k = 0; k < this.#keys.length; k++) this.#keys[k]!.prepare(partials.keys[k]!, before);
    this.#index.candidates(partials.hashes, rows, from, count, slots);
    for (let k = 0; k < this.#keys.length; k++) this.#keys[k]!.reject(partials.keys[k]!, rows, from, slots, count);
    for (let i = 0; i < count; i++) if (slots[i]! < 0) slots[i] = this.#findOrAdd(partials, rows[from + i]!);
    for (let a = 0; a < this.#accumulators.length; a++)
      this.#accumulators[a]!.merge(partials.accumulators[a]!, rows, from, slots, count, before, this.#groups);
  }

  /** The columns as they are kept, keys and then accumulators: row i of each is group i. Valid until the next merge or clear. */
  views(): StateColumn[] {
    return [...this.#keys.map(column => column.view()), ...this.#accumulators.map(column => column.view())];
  }
  /** Hash of each group; a view like the others. */
  hashes(): Int32Array {
    return this.#hashes.subarray(0, this.#groups);
  }

  /** Empties the table and keeps its memory for another window. */
  clear(): void {
    this.#groups = 0;
    this.#index.clear();
    for (const column of this.#keys) column.clear();
    for (const column of this.#accumulators) column.clear();
  }

  #findOrAdd(partials: PartialColumns, row: number): number {
    const keys = this.#keys;
    const hash = partials.hashes[row]!;
    const found = this.#index.find(hash, keys, partials.keys, row);
    if (found >= 0) return found;
    if (this.#groups === this.#index.groupsMax) this.#grow();
    const slot = this.#groups;
    for (let k = 0; k < keys.length; k++) keys[k]!.append(slot, partials.keys[k]!, row);
    this.#hashes[slot] = hash;
    this.#index.add(hash, slot);
    this.#groups++;
    return slot;
  }

  #grow(): void {
    this.#index.grow(this.hashes());
    const capacity = this.#index.groupsMax;
    this.#rows.grow(capacity);
    const hashes = new Int32Array(capacity);
    hashes.set(this.#hashes);
    this.#hashes = hashes;
  }
}
