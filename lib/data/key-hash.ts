import { type Column, isValid } from './column.ts';

/**
 * Hash of the keys of a row: 32 bits, the same in every process, on every machine, narrow or wide, and FOR EVER: state
 * is persisted by key group, and the key group is a function of this hash. Never change a line that changes a result;
 * spec/data/key-hash.spec.ts holds values from the first version.
 *
 * It is MurmurHash3 x86_32 (Austin Appleby, public domain) over 32-bit words: for each key, in order,
 * - NULL: one word, `nullWord`;
 * - BOOLEAN, INT, BIGINT, TIMESTAMP: the value as a 64-bit integer, its low word and then its high word, so that an INT
 *   key may become a BIGINT one;
 * - DOUBLE: the bits likewise, low word first; -0 counts as 0 and every NaN as the quiet one;
 * - STRING: the UTF-8 bytes in words of four, little-endian, the last one filled up with zeros, then the length.
 * Then the finalizer. The window of a group does not take part.
 */
export const hashSeed = 0x42524149 | 0;
export const nullWord = 0x6e756c6c | 0;

export const keyGroupsDefault = 128;

/** Key group of a hash, from 0. */
export function keyGroupOf(hash: number, keyGroups = keyGroupsDefault): number {
  return (hash >>> 0) % keyGroups;
}

/** Hash of row `row` over the key columns. The reference: kernels do the same inline. */
export function hashKeys(columns: readonly Column[], row: number): number {
  let hash = hashSeed;
  for (const column of columns) hash = mixColumn(hash, column, row);
  return finishHash(hash);
}

export function mixWord(hash: number, word: number): number {
  let k = Math.imul(word, 0xcc9e2d51);
  k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
  const h = hash ^ k;
  return (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
}

export function finishHash(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** A safe integer, as the two words of its 64-bit two's complement. */
export function mixInteger(hash: number, value: number): number {
  return mixWord(mixWord(hash, value | 0), Math.floor(value / 4294967296) | 0);
}

export function mixBigint(hash: number, value: bigint): number {
  return mixWord(mixWord(hash, Number(BigInt.asIntN(32, value))), Number(BigInt.asIntN(32, value >> 32n)));
}

const double = new Float64Array(1);
/** Low word, high word: every platform Node.js runs on is little-endian. */
const doubleWords = new Int32Array(double.buffer);

export function mixDouble(hash: number, value: number): number {
  if (Number.isNaN(value)) return mixWord(mixWord(hash, 0), 0x7ff80000);
  double[0] = value + 0;
  return mixWord(mixWord(hash, doubleWords[0]!), doubleWords[1]!);
}

export function mixBytes(hash: number, bytes: Uint8Array, start: number, end: number): number {
  let h = hash;
  let p = start;
  for (const last = end - 3; p < last; p += 4)
    h = mixWord(h, bytes[p]! | (bytes[p + 1]! << 8) | (bytes[p + 2]! << 16) | (bytes[p + 3]! << 24));
  if (p < end) {
    let word = bytes[p]!;
    if (p + 1 < end) word |= bytes[p + 1]! << 8;
    if (p + 2 < end) word |= bytes[p + 2]! << 16;
    h = mixWord(h, word);
  }
  return mixWord(h, end - start);
}

function mixColumn(hash: number, column: Column, row: number): number {
  if (!isValid(column.validity, row)) return mixWord(hash, nullWord);
  switch (column.kind) {
    case 'boolean':
    case 'int':
    case 'timestamp':
    case 'narrow':
      return mixInteger(hash, column.values[row]!);
    case 'wide':
      return mixBigint(hash, column.values[row]!);
    case 'double':
      return mixDouble(hash, column.values[row]!);
    case 'utf8':
      return mixBytes(hash, column.bytes, column.starts[row]!, column.ends[row]!);
    case 'dictionary':
      return mixColumn(hash, column.dictionary, column.codes[row]!);
  }
}
