/**
 * Hash index of a table: open addressing with linear probing. An entry is two neighbours in one Int32Array, the hash of
 * a row and its number plus one (0: free), so that a probe costs one cache line and almost never has to look at a key
 * that is not the one. Rows are never removed, so there are no tombstones.
 *
 * Loops over batches read `entries`, `mask` and `shift` into locals; after `grow` they read them again.
 */
export class GroupIndex {
  entries: Int32Array;
  /** Of positions in `entries`, which are even. */
  mask: number;
  /** `home` keeps this many bits of the mixed hash less than 32. */
  shift: number;

  /** `bits`: the table has room for 2^bits entries, half of which may be used. */
  constructor(bits: number) {
    this.entries = new Int32Array(2 << bits);
    this.mask = (2 << bits) - 2;
    this.shift = 32 - bits;
  }

  /** Rows that fit: half of the entries stay free, so that a search is short. */
  get groupsMax(): number {
    return this.entries.length >> 2;
  }

  /** Doubles the index. Hashes are in the entries, so no key is read. */
  grow(): void {
    const old = this.entries;
    const entries = new Int32Array(old.length * 2);
    this.mask = entries.length - 2;
    this.shift--;
    const { mask, shift } = this;
    for (let from = 0; from < old.length; from += 2) {
      const row = old[from + 1]!;
      if (row === 0) continue;
      const hash = old[from]!;
      let at = home(hash, shift);
      while (entries[at + 1] !== 0) at = (at + 2) & mask;
      entries[at] = hash;
      entries[at + 1] = row;
    }
    this.entries = entries;
  }

  /** Position of the free entry where a row with this hash belongs. */
  free(hash: number): number {
    const { entries, mask } = this;
    let at = home(hash, this.shift);
    while (entries[at + 1] !== 0) at = (at + 2) & mask;
    return at;
  }

  clear(): void {
    this.entries.fill(0);
  }

  /** Hash of each row. */
  hashes(rows: number): Int32Array {
    const out = new Int32Array(rows);
    const { entries } = this;
    for (let at = 0; at < entries.length; at += 2) {
      const row = entries[at + 1]!;
      if (row > 0) out[row - 1] = entries[at]!;
    }
    return out;
  }
}

/**
 * Where the search for a hash begins. The low bits of the hash choose its key group, so within a shard they are alike;
 * Fibonacci hashing (Knuth, TAOCP 6.4) takes the upper bits of a product, which depend on all of them.
 */
export function home(hash: number, shift: number): number {
  return (Math.imul(hash, 0x9e3779b1) >>> shift) << 1;
}
