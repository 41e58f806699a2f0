import { BraidError } from '../base/errors.ts';
import { keyGroupOf, keyGroupsDefault } from '../data/key-hash.ts';
import { gather, type Piece } from './gather.ts';
import { type GroupLayout, GroupTable, partialColumns } from './group-table.ts';
import { decodeKeyGroup, encodeKeyGroup } from './key-group-codec.ts';
import type { StateColumn } from './state-column.ts';

/** Empty tables that are kept for windows to come; one is kept whatever its size. */
const spareBytesMax = 32 << 20;

/**
 * State of a windowed aggregate: one table a window that is open. The tables of closed windows are emptied and used
 * again, so that a steady stream of windows allocates nothing.
 */
export class WindowedGroups {
  readonly #layout: GroupLayout;
  /** Tables by window start, ms. */
  readonly #tables = new Map<number, GroupTable>();
  #spares: GroupTable[] = [];
  #spareBytes = 0;

  constructor(layout: GroupLayout) {
    this.#layout = layout;
  }

  get windows(): number {
    return this.#tables.size;
  }
  /** Keys, counted once a window. */
  get groups(): number {
    let groups = 0;
    for (const table of this.#tables.values()) groups += table.groups;
    return groups;
  }
  /** Memory of all tables, those in reserve included. */
  get bytes(): number {
    let bytes = this.#spareBytes;
    for (const table of this.#tables.values()) bytes += table.bytes;
    return bytes;
  }

  /** Starts of the windows that satisfy the condition, the earliest first. */
  starts(condition: (start: number) => boolean = () => true): number[] {
    const out: number[] = [];
    for (const start of this.#tables.keys()) if (condition(start)) out.push(start);
    return out.sort((a, b) => a - b);
  }

  /** The table of a window; an empty one where the window is new. */
  table(start: number): GroupTable {
    const existing = this.#tables.get(start);
    if (existing !== undefined) return existing;
    const spare = this.#spares.pop();
    if (spare !== undefined) this.#spareBytes -= spare.bytes;
    const table = spare ?? new GroupTable(this.#layout);
    this.#tables.set(start, table);
    return table;
  }

  /** Forgets a window. Its table must no longer be looked at. */
  drop(start: number): void {
    const table = this.#tables.get(start);
    if (table === undefined) return;
    this.#tables.delete(start);
    table.clear();
    const { bytes } = table;
    if (this.#spares.length > 0 && this.#spareBytes + bytes > spareBytesMax) return;
    this.#spares.push(table);
    this.#spareBytes += bytes;
  }

  clear(): void {
    this.#tables.clear();
    this.#spares = [];
    this.#spareBytes = 0;
  }

  /** The state of each key group that has any, as bytes that stand for themselves. */
  encode(): Map<number, Uint8Array> {
    const sorted = this.starts().map(start => sortedTable(start, this.#tables.get(start)!));
    const out = new Map<number, Uint8Array>();
    for (let group = 0; group < keyGroupsDefault; group++) {
      const parts = sorted.filter(({ bounds }) => bounds[group]! < bounds[group + 1]!);
      const [first, ...rest] = parts;
      if (first === undefined) continue;
      const groupsOf = ({ bounds }: SortedTable): number => bounds[group + 1]! - bounds[group]!;
      const piece = (part: SortedTable, c: number): Piece => ({
        column: part.views[c]!,
        order: part.order,
        from: part.bounds[group]!,
        to: part.bounds[group + 1]!,
      });
      const columns = first.views.map((_, c) => gather([piece(first, c), ...rest.map(part => piece(part, c))]));
      const windows = parts.map(part => ({ start: part.start, groups: groupsOf(part) }));
      out.set(group, encodeKeyGroup(this.#layout, { windows, hashes: hashesOf(parts, group), columns }));
    }
    return out;
  }

  /**
   * Adds the state of a key group that `encode` gave, here or elsewhere. A restore is a merge into groups that are not
   * there yet, so it takes any subset of the key groups in any order.
   * Errors: SNAPSHOT_CORRUPT, SCHEMA_MISMATCH.
   */
  decode(keyGroup: number, bytes: Uint8Array, place: string): void {
    const where = `${place}, key group ${keyGroup}`;
    const { windows, hashes, columns } = decodeKeyGroup(this.#layout, bytes, where);
    if (hashes.some(hash => keyGroupOf(hash) !== keyGroup))
      throw new BraidError('SNAPSHOT_CORRUPT', 'the state of a key group cannot be read: it is of another key group', {
        place: where,
        hint: 'restore an older snapshot',
      });
    const partials = partialColumns(this.#layout, columns, hashes, hashes.length);
    const rows = Int32Array.from(hashes, (_, row) => row);
    let from = 0;
    for (const { start, groups } of windows) {
      this.table(start).merge(partials, rows, from, from + groups);
      from += groups;
    }
  }
}

interface SortedTable {
  readonly start: number;
  readonly views: readonly StateColumn[];
  readonly hashes: Int32Array;
  /** Rows by key group: those of group g are `order[bounds[g]..bounds[g + 1])`. */
  readonly order: Int32Array;
  readonly bounds: Int32Array;
}

function hashesOf(parts: readonly SortedTable[], group: number): Int32Array {
  let groups = 0;
  for (const { bounds } of parts) groups += bounds[group + 1]! - bounds[group]!;
  const out = new Int32Array(groups);
  let at = 0;
  for (const { order, bounds, hashes } of parts)
    for (let i = bounds[group]!; i < bounds[group + 1]!; i++) out[at++] = hashes[order[i]!]!;
  return out;
}

/** Counting sort: two passes, and rows of one key group keep their order. */
function sortedTable(start: number, table: GroupTable): SortedTable {
  const hashes = table.hashes();
  const bounds = new Int32Array(keyGroupsDefault + 1);
  for (const hash of hashes) {
    const next = keyGroupOf(hash) + 1;
    bounds[next] = bounds[next]! + 1;
  }
  for (let group = 0; group < keyGroupsDefault; group++) bounds[group + 1] = bounds[group + 1]! + bounds[group]!;
  const at = bounds.slice();
  const order = new Int32Array(hashes.length);
  for (let row = 0; row < hashes.length; row++) {
    const group = keyGroupOf(hashes[row]!);
    order[at[group]!] = row;
    at[group] = at[group]! + 1;
  }
  return { start, views: table.views(), hashes, order, bounds };
}
