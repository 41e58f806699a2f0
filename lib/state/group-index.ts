import type { InputColumn } from './input-column.ts';
import type { KeyColumn } from './key-columns.ts';

/**
 * Hash index of a table: open addressing with linear probing. An entry is one 32-bit integer, 0 where it is free: in the
 * lower bits the number of the row plus one, in the others the upper bits of its hash (the tag), so that a search almost
 * never looks at a row that is not the one. Half of the entries at least are free. Rows are never removed, so there are
 * no tombstones.
 */
export class GroupIndex {
  #entries: Int32Array;
  /** Of positions. */
  #mask: number;
  /** Of the row number within an entry. */
  #rowMask: number;
  #shift: number;

  /** 2^bits entries. */
  constructor(bits: number) {
    this.#entries = new Int32Array(2 ** bits);
    this.#mask = 2 ** bits - 1;
    this.#rowMask = this.#mask >>> 1;
    this.#shift = 32 - bits;
  }

  /** Rows that fit. */
  get groupsMax(): number {
    return this.#rowMask;
  }
  get bytes(): number {
    return this.#entries.byteLength;
  }

  /**
   * For each of `count` partials (`rows[from + i]`) the first row with its tag, or -1. In two passes: the first only loads
   * the entries, and as no branch waits for what it loads, many cache misses are under way at once.
   */
  candidates(hashes: Int32Array, rows: Int32Array, from: number, count: number, slots: Int32Array): void {
    const entries = this.#entries;
    const mask = this.#mask;
    const rowMask = this.#rowMask;
    const shift = this.#shift;
    for (let i = 0; i < count; i++) slots[i] = entries[home(hashes[rows[from + i]!]!, shift)]!;
    for (let i = 0; i < count; i++) {
      const hash = hashes[rows[from + i]!]!;
      const tag = hash & ~rowMask;
      let entry = slots[i]!;
      if (entry !== 0 && (entry & ~rowMask) !== tag) {
        let at = home(hash, shift);
        do {
          at = (at + 1) & mask;
          entry = entries[at]!;
        } while (entry !== 0 && (entry & ~rowMask) !== tag);
      }
      slots[i] = (entry & rowMask) - 1;
    }
  }

  /** The group with the keys of row `row` of the input, whose hash is given, or -1. */
  find(hash: number, keys: readonly KeyColumn[], inputs: readonly InputColumn[], row: number): number {
    const rowMask = this.#rowMask;
    const tag = hash & ~rowMask;
    let at = home(hash, this.#shift);
    for (let entry = this.#entries[at]!; entry !== 0; entry = this.#entries[at]!) {
      const slot = (entry & rowMask) - 1;
      if ((entry & ~rowMask) === tag && equalKeys(keys, slot, inputs, row)) return slot;
      at = (at + 1) & this.#mask;
    }
    return -1;
  }

  /** Adds a row that is not there yet. */
  add(hash: number, row: number): void {
    const entries = this.#entries;
    let at = home(hash, this.#shift);
    while (entries[at] !== 0) at = (at + 1) & this.#mask;
    entries[at] = (hash & ~this.#rowMask) | (row + 1);
  }

  /** Doubles the index; `hashes` are those of the rows in it, in order. */
  grow(hashes: Int32Array): void {
    this.#entries = new Int32Array(this.#entries.length * 2);
    this.#mask = this.#entries.length - 1;
    this.#rowMask = this.#mask >>> 1;
    this.#shift--;
    for (let row = 0; row < hashes.length; row++) this.add(hashes[row]!, row);
  }

  clear(): void {
    this.#entries.fill(0);
  }
}

/**
 * Where the search for a hash begins. The low bits of the hash choose its key group, so within a shard they are alike;
 * Fibonacci hashing (Knuth, TAOCP 6.4) takes the upper bits of a product, which depend on all of them.
 */
function home(hash: number, shift: number): number {
  return Math.imul(hash, 0x9e3779b1) >>> shift;
}

function equalKeys(keys: readonly KeyColumn[], slot: number, inputs: readonly InputColumn[], row: number): boolean {
  for (let k = 0; k < keys.length; k++) if (!keys[k]!.equals(slot, inputs[k]!, row)) return false;
  return true;
}
