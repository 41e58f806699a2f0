import { bitmap, type Column, isValid, setBit } from '../data/column.ts';

/** The rows `rows` of a column, in that order. Texts are shared with it, not copied. */
export function takeRows(column: Column, rows: Int32Array): Column {
  const validity = takeValidity(column.validity, rows);
  switch (column.kind) {
    case 'boolean':
      return { kind: 'boolean', values: take(column.values, new Uint8Array(rows.length), rows), validity };
    case 'int':
      return { kind: 'int', values: take(column.values, new Int32Array(rows.length), rows), validity };
    case 'double':
    case 'timestamp':
    case 'narrow':
      return { kind: column.kind, values: take(column.values, new Float64Array(rows.length), rows), validity };
    case 'wide':
      return { kind: 'wide', values: BigInt64Array.from(rows, row => column.values[row]!), validity };
    case 'utf8': {
      const starts = take(column.starts, new Int32Array(rows.length), rows);
      const ends = take(column.ends, new Int32Array(rows.length), rows);
      return { kind: 'utf8', bytes: column.bytes, starts, ends, validity };
    }
    case 'dictionary': {
      const codes = take(column.codes, new Int32Array(rows.length), rows);
      return { kind: 'dictionary', dictionary: column.dictionary, codes, validity };
    }
  }
}

function take<A extends Uint8Array | Int32Array | Float64Array>(from: A, into: A, rows: Int32Array): A {
  for (let i = 0; i < rows.length; i++) into[i] = from[rows[i]!]!;
  return into;
}

function takeValidity(validity: Uint8Array | undefined, rows: Int32Array): Uint8Array | undefined {
  if (validity === undefined) return undefined;
  const out = bitmap(rows.length, false);
  for (let i = 0; i < rows.length; i++) if (isValid(validity, rows[i]!)) setBit(out, i);
  return out;
}
