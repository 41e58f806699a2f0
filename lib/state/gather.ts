import { BraidError, unreachable } from '../base/errors.ts';
import { bitmap, type Column, clearBit, type DictionaryColumn, isValid, type Utf8Column } from '../data/column.ts';
import { heapBytesMax, type StateColumn } from './state-column.ts';

/** What comes out of state: texts are slices there, never codes. */
export type StoredColumn = Exclude<Column, DictionaryColumn>;

/** Rows `[from, to)` of a state column, or with `order` the rows `order[from..to)`. */
export interface Piece {
  readonly column: StateColumn;
  readonly order: Int32Array | undefined;
  readonly from: number;
  readonly to: number;
}

/**
 * Copies pieces of columns of one type, one behind the other, into a column of a batch that shares no memory with them.
 * BIGINT becomes narrow if all pieces are.
 */
export function gather(pieces: readonly [Piece, ...Piece[]]): StoredColumn {
  let rows = 0;
  for (const piece of pieces) rows += piece.to - piece.from;
  const { type } = pieces[0].column;
  const validity = gatherValidity(pieces, rows);
  switch (type.name) {
    case 'BOOLEAN':
      return { kind: 'boolean', values: gatherNumbers(pieces, new Uint8Array(rows)), validity };
    case 'INT':
      return { kind: 'int', values: gatherNumbers(pieces, new Int32Array(rows)), validity };
    case 'DOUBLE':
      return { kind: 'double', values: gatherNumbers(pieces, new Float64Array(rows)), validity };
    case 'TIMESTAMP':
      return { kind: 'timestamp', values: gatherNumbers(pieces, new Float64Array(rows)), validity };
    case 'BIGINT':
      return pieces.every(piece => piece.column.wides === undefined)
        ? { kind: 'narrow', values: gatherNumbers(pieces, new Float64Array(rows)), validity }
        : { kind: 'wide', values: gatherWide(pieces, new BigInt64Array(rows)), validity };
    case 'STRING':
      return gatherText(pieces, rows, validity);
    default:
      return unreachable(type.name);
  }
}

function gatherNumbers<A extends Uint8Array | Int32Array | Float64Array>(pieces: readonly Piece[], into: A): A {
  let at = 0;
  for (const { column, order, from, to } of pieces) {
    const { doubles, fields, field } = column;
    for (let i = from; i < to; i++) {
      const row = order === undefined ? i : order[i]!;
      into[at++] = doubles[row * fields + field]!;
    }
  }
  return into;
}

function gatherWide(pieces: readonly Piece[], into: BigInt64Array): BigInt64Array {
  let at = 0;
  for (const { column, order, from, to } of pieces) {
    const { doubles, wides, fields, field, validity } = column;
    for (let i = from; i < to; i++) {
      const row = order === undefined ? i : order[i]!;
      const cell = row * fields + field;
      // A NULL row holds what the operation begins with, which need be no integer.
      if (isValid(validity, row)) into[at] = wides === undefined ? BigInt(doubles[cell]!) : wides[cell]!;
      at++;
    }
  }
  return into;
}

function gatherText(pieces: readonly Piece[], rows: number, validity: Uint8Array | undefined): Utf8Column {
  const starts = new Int32Array(rows);
  const ends = new Int32Array(rows);
  let length = 0;
  let at = 0;
  for (const { column, order, from, to } of pieces) {
    const { words, fields, field } = column;
    for (let i = from; i < to; i++) {
      const row = order === undefined ? i : order[i]!;
      const cell = 2 * (row * fields + field);
      starts[at] = length;
      if (isValid(column.validity, row)) length += words[cell + 1]! - words[cell]!;
      if (length > heapBytesMax)
        throw new BraidError('STATE_TOO_LARGE', 'the texts of one key group need more than 2 GiB', {
          hint: 'use a shorter key or a shorter window',
        });
      ends[at++] = length;
    }
  }
  const bytes = new Uint8Array(length);
  at = 0;
  for (const { column, order, from, to } of pieces) {
    const { words, fields, field } = column;
    const heap = column.heap!;
    for (let i = from; i < to; i++) {
      const row = order === undefined ? i : order[i]!;
      let p = starts[at]!;
      const end = ends[at++]!;
      for (let q = words[2 * (row * fields + field)]!; p < end; p++, q++) bytes[p] = heap[q]!;
    }
  }
  return { kind: 'utf8', bytes, starts, ends, validity };
}

function gatherValidity(pieces: readonly Piece[], rows: number): Uint8Array | undefined {
  if (pieces.every(piece => piece.column.validity === undefined)) return undefined;
  const bits = bitmap(rows, true);
  let nulls = false;
  let at = 0;
  for (const { column, order, from, to } of pieces) {
    for (let i = from; i < to; i++, at++) {
      if (isValid(column.validity, order === undefined ? i : order[i]!)) continue;
      clearBit(bits, at);
      nulls = true;
    }
  }
  return nulls ? bits : undefined;
}
