import { assert, unreachable } from '../base/errors.ts';
import { type Column, type DictionaryColumn, isValid, setBit } from '../data/column.ts';

/**
 * A column of a batch in one of the three forms in which state is kept, whatever its type: doubles (BOOLEAN, INT,
 * DOUBLE, TIMESTAMP and narrow BIGINT), 64-bit integers (wide BIGINT), or slices of UTF-8. Made once a batch, so that the
 * tables of all windows share the work and their loops see one kind of array only.
 */
export class InputColumn {
  /** Bit per row, 1 = present; undefined where no row is NULL. */
  readonly validity: Uint8Array | undefined;
  readonly text: TextSlices | undefined;
  /** A BIGINT column with values that are no safe integers. */
  readonly isWide: boolean;
  #ints: Int32Array | undefined;
  #doubles: Float64Array | undefined;
  #wide: BigInt64Array | undefined;
  #wideWords: Int32Array | undefined;

  constructor(column: Column, rows: number) {
    let { validity } = column;
    this.isWide = column.kind === 'wide';
    switch (column.kind) {
      case 'boolean':
        this.#doubles = new Float64Array(column.values);
        break;
      case 'int':
        this.#ints = column.values;
        break;
      case 'double':
      case 'timestamp':
      case 'narrow':
        this.#doubles = column.values;
        break;
      case 'wide':
        this.#wide = column.values;
        break;
      case 'utf8':
        this.text = column;
        break;
      case 'dictionary':
        this.text = decodeSlices(column, rows);
        // A dictionary entry may be NULL itself.
        if (column.dictionary.validity !== undefined) validity = dictionaryValidity(column, rows);
        break;
      default:
        unreachable(column);
    }
    this.validity = withoutNulls(validity, rows);
  }

  /** The values of any column but texts and wide integers, as doubles. */
  doubles(): Float64Array {
    if (this.#doubles === undefined) {
      assert(this.#ints !== undefined, 'a column that cannot be had as doubles');
      this.#doubles = new Float64Array(this.#ints);
    }
    return this.#doubles;
  }

  /** The values as 64-bit integers, also where they came narrow. */
  wide(): BigInt64Array {
    if (this.#wide === undefined) {
      const doubles = this.doubles();
      const wide = new BigInt64Array(doubles.length);
      // What stands in a NULL row is unspecified and may be no integer.
      for (let row = 0; row < wide.length; row++) {
        if (isValid(this.validity, row)) wide[row] = BigInt(doubles[row]!);
      }
      this.#wide = wide;
    }
    return this.#wide;
  }

  /** The same as pairs of words, low word first. */
  wideWords(): Int32Array {
    if (this.#wideWords === undefined) {
      const wide = this.wide();
      this.#wideWords = new Int32Array(wide.buffer, wide.byteOffset, wide.length * 2);
    }
    return this.#wideWords;
  }
}

export interface TextSlices {
  readonly bytes: Uint8Array;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
}

function decodeSlices({ dictionary, codes }: DictionaryColumn, rows: number): TextSlices {
  const starts = new Int32Array(rows);
  const ends = new Int32Array(rows);
  for (let row = 0; row < rows; row++) {
    const code = codes[row]!;
    // A NULL row's code is unspecified.
    starts[row] = dictionary.starts[code] ?? 0;
    ends[row] = dictionary.ends[code] ?? 0;
  }
  return { bytes: dictionary.bytes, starts, ends };
}

function dictionaryValidity(column: DictionaryColumn, rows: number): Uint8Array {
  const bits = new Uint8Array((rows + 7) >> 3);
  for (let row = 0; row < rows; row++) {
    if (isValid(column.validity, row) && isValid(column.dictionary.validity, column.codes[row]!)) setBit(bits, row);
  }
  return bits;
}

/** Nullable columns mostly come with a bitmap that is all ones: then the loops for NULLs are not needed. */
function withoutNulls(validity: Uint8Array | undefined, rows: number): Uint8Array | undefined {
  if (validity === undefined) return undefined;
  const whole = rows >> 3;
  for (let i = 0; i < whole; i++) if (validity[i] !== 255) return validity;
  const rest = (1 << (rows & 7)) - 1;
  return rest === 0 || (validity[whole]! & rest) === rest ? undefined : validity;
}
