import { decodeUtf8 } from '../base/byte-reader.ts';
import { BraidError } from '../base/errors.ts';
import type { DataType, TypeName, Value } from './data-type.ts';

/**
 * Columns of a batch. `validity` has one bit a row, least significant bit first, 1 = present; undefined means that no
 * row is NULL. A NULL row's value is unspecified and never read.
 */
export type Column =
  | BooleanColumn
  | IntColumn
  | DoubleColumn
  | TimestampColumn
  | NarrowColumn
  | WideColumn
  | Utf8Column
  | DictionaryColumn;

interface ColumnBase {
  readonly validity: Uint8Array | undefined;
}
/** BOOLEAN: 0 or 1. */
export interface BooleanColumn extends ColumnBase {
  readonly kind: 'boolean';
  readonly values: Uint8Array;
}
/** INT. */
export interface IntColumn extends ColumnBase {
  readonly kind: 'int';
  readonly values: Int32Array;
}
/** DOUBLE. */
export interface DoubleColumn extends ColumnBase {
  readonly kind: 'double';
  readonly values: Float64Array;
}
/** TIMESTAMP(3): milliseconds since the epoch, without a zone. */
export interface TimestampColumn extends ColumnBase {
  readonly kind: 'timestamp';
  readonly values: Float64Array;
}
/** BIGINT while every value is a safe integer (|v| <= 2^53 - 1): kept as doubles, which is what makes it fast. */
export interface NarrowColumn extends ColumnBase {
  readonly kind: 'narrow';
  readonly values: Float64Array;
}
/** BIGINT as soon as one value of the batch is not a safe integer. */
export interface WideColumn extends ColumnBase {
  readonly kind: 'wide';
  readonly values: BigInt64Array;
}
/** STRING: row i is the UTF-8 text `bytes[starts[i], ends[i])`; decoded only when somebody asks for the text. */
export interface Utf8Column extends ColumnBase {
  readonly kind: 'utf8';
  readonly bytes: Uint8Array;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
}
/** STRING with few distinct values: row i is `dictionary` row `codes[i]`. */
export interface DictionaryColumn extends ColumnBase {
  readonly kind: 'dictionary';
  readonly dictionary: Utf8Column;
  readonly codes: Int32Array;
}

export function isValid(validity: Uint8Array | undefined, row: number): boolean {
  return validity === undefined || (validity[row >> 3]! & (1 << (row & 7))) !== 0;
}

/** A bitmap of `rows` bits, all of them 1 (or 0). */
export function bitmap(rows: number, set: boolean): Uint8Array {
  return new Uint8Array((rows + 7) >> 3).fill(set ? 255 : 0);
}

export function setBit(bits: Uint8Array, row: number): void {
  bits[row >> 3] = bits[row >> 3]! | (1 << (row & 7));
}

export function clearBit(bits: Uint8Array, row: number): void {
  bits[row >> 3] = bits[row >> 3]! & ~(1 << (row & 7));
}

/** One row of a column as a JavaScript value (see data-type.ts). For borders and specs: hot loops read the arrays. */
export function valueAt(column: Column, row: number): Value {
  if (!isValid(column.validity, row)) return null;
  switch (column.kind) {
    case 'boolean':
      return column.values[row] === 1;
    case 'int':
    case 'double':
    case 'timestamp':
      return column.values[row]!;
    case 'narrow':
      return BigInt(column.values[row]!);
    case 'wide':
      return column.values[row]!;
    case 'utf8':
      return decodeUtf8(column.bytes.subarray(column.starts[row]!, column.ends[row]!));
    case 'dictionary':
      return valueAt(column.dictionary, column.codes[row]!);
  }
}

const encoder = new TextEncoder();

/** What a column is made of. */
const wanted: Readonly<Record<TypeName, string>> = {
  BOOLEAN: 'true or false',
  INT: 'an integer of 32 bits',
  BIGINT: 'a bigint of 64 bits, or a safe integer',
  DOUBLE: 'a number',
  STRING: 'a string',
  TIMESTAMP: 'whole milliseconds since 1970, as date.getTime() has them',
};

/**
 * A column from JavaScript values: for row sources, row functions and specs. A wrong value is ROW_INVALID, naming `place`
 * and the row, counted from `firstRow`.
 */
export function columnFrom(type: DataType, values: readonly unknown[], place: string, firstRow = 0): Column {
  const rows = values.length;
  let validity: Uint8Array | undefined;
  const wrong = (row: number): never => {
    throw new BraidError(
      'ROW_INVALID',
      `the value of row ${firstRow + row} is not ${/^[AI]/.test(type.name) ? 'an' : 'a'} ${type.name}${type.nullable ? '' : ' NOT NULL'}`,
      { place, hint: `${type.name} is ${wanted[type.name]}${type.nullable ? ', or null' : ''}` },
    );
  };
  const present = (row: number): boolean => {
    const value = values[row];
    if (value !== null && value !== undefined) return true;
    if (!type.nullable) wrong(row);
    validity ??= bitmap(rows, true);
    clearBit(validity, row);
    return false;
  };
  switch (type.name) {
    case 'BOOLEAN': {
      const out = new Uint8Array(rows);
      for (let i = 0; i < rows; i++) {
        if (!present(i)) continue;
        const value = values[i];
        out[i] = typeof value === 'boolean' ? Number(value) : wrong(i);
      }
      return { kind: 'boolean', values: out, validity };
    }
    case 'INT': {
      const out = new Int32Array(rows);
      for (let i = 0; i < rows; i++) {
        if (!present(i)) continue;
        const value = values[i];
        out[i] = typeof value === 'number' && (value | 0) === value ? value : wrong(i);
      }
      return { kind: 'int', values: out, validity };
    }
    case 'DOUBLE':
    case 'TIMESTAMP': {
      const out = new Float64Array(rows);
      for (let i = 0; i < rows; i++) {
        if (!present(i)) continue;
        const value = values[i];
        out[i] =
          typeof value === 'number' && (type.name === 'DOUBLE' || Number.isSafeInteger(value)) ? value : wrong(i);
      }
      return type.name === 'DOUBLE'
        ? { kind: 'double', values: out, validity }
        : { kind: 'timestamp', values: out, validity };
    }
    case 'BIGINT': {
      const out = new BigInt64Array(rows);
      let narrow = true;
      for (let i = 0; i < rows; i++) {
        if (!present(i)) continue;
        const value = values[i];
        const wide =
          typeof value === 'bigint'
            ? value
            : typeof value === 'number' && Number.isSafeInteger(value)
              ? BigInt(value)
              : wrong(i);
        if (BigInt.asIntN(64, wide) !== wide) wrong(i);
        out[i] = wide;
        narrow &&= wide >= -9007199254740991n && wide <= 9007199254740991n;
      }
      return narrow
        ? { kind: 'narrow', values: Float64Array.from(out, Number), validity }
        : { kind: 'wide', values: out, validity };
    }
    case 'STRING': {
      const starts = new Int32Array(rows);
      const ends = new Int32Array(rows);
      const parts: Uint8Array[] = [];
      let length = 0;
      for (let i = 0; i < rows; i++) {
        starts[i] = length;
        if (present(i)) {
          const value = values[i];
          const part = encoder.encode(typeof value === 'string' ? value : wrong(i));
          parts.push(part);
          length += part.length;
        }
        ends[i] = length;
      }
      const bytes = new Uint8Array(length);
      let at = 0;
      for (const part of parts) {
        bytes.set(part, at);
        at += part.length;
      }
      return { kind: 'utf8', bytes, starts, ends, validity };
    }
  }
}
