import { BraidError } from '../base/errors.ts';
import { type Column, columnFrom, valueAt } from './column.ts';
import type { Value } from './data-type.ts';
import type { Schema } from './schema.ts';

/**
 * Rows as columns: `columns[c]` holds field c of `schema` for rows [0, rows). Thousands of rows, never one, on the
 * hot path. A batch is immutable once it was handed on.
 */
export interface Batch {
  readonly schema: Schema;
  readonly rows: number;
  readonly columns: readonly Column[];
  /** Change kind of each row, as in Flink's changelogs: 0 = +I, 1 = -U, 2 = +U, 3 = -D; undefined means that all are +I. */
  readonly changes?: Uint8Array | undefined;
}

export type Row = Record<string, Value>;

/** Row objects (without a prototype, so that a column may be called `__proto__`). For borders and specs only. */
export function rowsOf(batch: Batch): Row[] {
  return Array.from({ length: batch.rows }, (_, row) => rowAt(batch, row));
}

export function rowAt(batch: Batch, row: number): Row {
  const out: Row = Object.create(null) as Row;
  batch.schema.fields.forEach((field, c) => {
    out[field.name] = valueAt(batch.columns[c]!, row);
  });
  return out;
}

/** What a row says about a column: not what every object has under such a name, `constructor` say. */
export function propertyOf(row: Readonly<Record<string, unknown>>, name: string): unknown {
  return name in Object.prototype && !Object.hasOwn(row, name) ? undefined : row[name];
}

/** `firstRow` is what errors count from. */
export function batchFrom(schema: Schema, rows: readonly Readonly<Record<string, unknown>>[], firstRow = 0): Batch {
  rows.forEach((row: unknown, i) => {
    if (typeof row !== 'object' || row === null || Array.isArray(row))
      throw new BraidError('ROW_INVALID', `row ${firstRow + i} is not an object with a property for each column`, {
        place: `row ${firstRow + i}`,
      });
  });
  const columns = schema.fields.map(field =>
    columnFrom(
      field.type,
      rows.map(row => propertyOf(row, field.name)),
      field.name,
      firstRow,
    ),
  );
  return { schema, rows: rows.length, columns };
}
