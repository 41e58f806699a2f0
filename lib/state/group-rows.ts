/**
 * Memory of the rows of a table: `fields` cells of eight bytes a row, one row behind the other, so that all that is known
 * of a group lies in one or two cache lines and a merge into a large table misses the cache twice (index, row) and not
 * once a column. A cell holds a double, a 64-bit integer or two 32-bit integers, as its column says.
 *
 * `capacity` rows fit; the arrays are replaced when it grows, so nobody keeps them.
 */
export class GroupRows {
  readonly fields: number;
  capacity: number;
  doubles: Float64Array;
  wides: BigInt64Array;
  /** Two a cell. */
  words: Int32Array;

  constructor(fields: number, capacity: number) {
    this.fields = fields;
    this.capacity = capacity;
    this.doubles = new Float64Array(fields * capacity);
    this.wides = new BigInt64Array(this.doubles.buffer);
    this.words = new Int32Array(this.doubles.buffer);
  }

  get bytes(): number {
    return this.doubles.byteLength;
  }

  grow(capacity: number): void {
    const { wides } = this;
    this.capacity = capacity;
    this.doubles = new Float64Array(this.fields * capacity);
    this.wides = new BigInt64Array(this.doubles.buffer);
    this.words = new Int32Array(this.doubles.buffer);
    this.wides.set(wides);
  }
}

/** Bits for `capacity` rows, those of `bits` first, the others as `rest` says. */
export function grownBits(bits: Uint8Array | undefined, capacity: number, rest: 0 | 1): Uint8Array {
  const grown = new Uint8Array((capacity + 7) >> 3).fill(rest === 0 ? 0 : 255);
  if (bits !== undefined) grown.set(bits);
  return grown;
}
