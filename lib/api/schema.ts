import { didYouMean } from '../base/did-you-mean.ts';
import { BraidError } from '../base/errors.ts';
import { type DataType, dataType, type TypeName, typeNames } from '../data/data-type.ts';
import { type Schema, schemaOf } from '../data/schema.ts';
import type { Fields, RowOf, Shown } from './fields.ts';

/** The columns of a stream, for the compiler (`columns`) and for the job. Made by `schema(...)`. */
export interface TableSchema<F extends Fields> {
  /** The type of each column by name, in order. */
  readonly columns: F;
  /** @internal */
  readonly schema: Schema;
}

/**
 * The type of the rows of a schema: `type Flight = Row<typeof flights>`.
 *
 * @example
 * ```ts
 * import { type Row, schema, t } from 'braidstream';
 *
 * const flights = schema({ origin: t.string().notNull(), delay: t.int() });
 * const row: Row<typeof flights> = { origin: 'SEA', delay: null };
 * row.origin.length; // => 3
 * ```
 */
export type Row<S extends TableSchema<Fields>> = RowOf<S['columns']>;

/** A column's type as `t` makes it: nullable until `notNull()` says otherwise. */
export interface ColumnType<N extends TypeName> extends DataType<N, true> {
  /** No row of the stream has NULL here; a record without the field is a bad record. */
  notNull(): DataType<N, false>;
}

/**
 * The types of columns, nullable unless `.notNull()` follows.
 *
 * | | SQL type | value in a row |
 * |---|---|---|
 * | `t.boolean()` | BOOLEAN | boolean |
 * | `t.int()` | INT | number, an integer of 32 bits |
 * | `t.bigint()` | BIGINT | bigint, exact in 64 bits |
 * | `t.double()` | DOUBLE | number |
 * | `t.string()` | STRING | string |
 * | `t.timestamp()` | TIMESTAMP(3) | number: milliseconds since 1970-01-01T00:00:00, without a zone |
 *
 * @example
 * ```ts
 * import { schema, t } from 'braidstream';
 *
 * const bids = schema({ auction: t.bigint().notNull(), price: t.double(), at: t.timestamp().notNull() });
 * bids.columns.price; // => { name: 'DOUBLE', nullable: true }
 * ```
 */
export const t = Object.freeze({
  boolean: (): ColumnType<'BOOLEAN'> => columnType('BOOLEAN'),
  int: (): ColumnType<'INT'> => columnType('INT'),
  bigint: (): ColumnType<'BIGINT'> => columnType('BIGINT'),
  double: (): ColumnType<'DOUBLE'> => columnType('DOUBLE'),
  string: (): ColumnType<'STRING'> => columnType('STRING'),
  timestamp: (): ColumnType<'TIMESTAMP'> => columnType('TIMESTAMP'),
});

function columnType<N extends TypeName>(name: N): ColumnType<N> {
  return Object.freeze({ name, nullable: true, notNull: () => dataType(name, false) });
}

/** Plain types, as an editor shows them. */
export type Plain<C extends Fields> = Shown<{
  readonly [K in keyof C & string]: DataType<C[K]['name'], C[K]['nullable']>;
}>;

/**
 * Declares the columns of a stream: for JSON, the top-level fields that the job may use; fields of a record that are
 * not declared are skipped unread. The order of the columns is that of the object.
 *
 * Errors: SCHEMA_INVALID for a column without a name or with something that is not a type of `t`.
 *
 * @example
 * ```ts
 * import { schema, t } from 'braidstream';
 *
 * const flights = schema({ date: t.timestamp(), delay: t.int(), origin: t.string() });
 * Object.keys(flights.columns); // => [ 'date', 'delay', 'origin' ]
 * ```
 */
export function schema<const C extends Fields>(columns: C): TableSchema<Plain<C>> {
  if (typeof columns !== 'object' || columns === null || Object.keys(columns).length === 0)
    throw new BraidError('SCHEMA_INVALID', 'a schema needs at least one column', {
      hint: 'schema({ name: t.string(), ... })',
    });
  const fields = Object.entries(columns).map(([name, type]) => ({ name, type: plain(name, type) }));
  return schemaFrom<Plain<C>>(schemaOf(fields));
}

function plain(column: string, type: DataType): DataType {
  const name: unknown = type?.name;
  if (typeof type === 'object' && typeNames.includes(name as TypeName) && typeof type.nullable === 'boolean')
    return dataType(type.name, type.nullable);
  const hint = typeof type === 'function' ? 'call it: t.int() instead of t.int' : hintAtType(type);
  throw new BraidError('SCHEMA_INVALID', `the column ${column} has no type`, { place: column, hint });
}

function hintAtType(type: unknown): string {
  const near = typeof type === 'string' ? didYouMean(type, Object.keys(t)) : undefined;
  return `take one of ${Object.keys(t)
    .map(name => `t.${name}()`)
    .join(', ')}${near === undefined ? '' : `; ${near}`}`;
}

/** A schema that the planner knows, as a typed one. `F` is the caller's claim. */
export function schemaFrom<F extends Fields>(known: Schema): TableSchema<F> {
  const columns = Object.freeze(Object.fromEntries(known.fields.map(field => [field.name, field.type])));
  return Object.freeze({ columns: columns as F, schema: known });
}

export function isTableSchema(value: unknown): value is TableSchema<Fields> {
  return typeof value === 'object' && value !== null && 'schema' in value && 'columns' in value;
}
