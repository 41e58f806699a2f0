/**
 * SQL types with Flink's names. The list is closed; what is not built yet is simply not in it.
 *
 * | type | JavaScript value of one row | column (see column.ts) |
 * |---|---|---|
 * | BOOLEAN | boolean | Uint8Array of 0 and 1 |
 * | INT | number (32-bit integer) | Int32Array |
 * | BIGINT | bigint (64-bit integer) | Float64Array while every value is a safe integer ("narrow"), else BigInt64Array ("wide") |
 * | DOUBLE | number | Float64Array |
 * | STRING | string | UTF-8 slices |
 * | TIMESTAMP(3) | Date-free: milliseconds since 1970-01-01T00:00:00 without a zone, as number | Float64Array |
 */
export const typeNames = ['BOOLEAN', 'INT', 'BIGINT', 'DOUBLE', 'STRING', 'TIMESTAMP'] as const;
/** Name of a SQL type. */
export type TypeName = (typeof typeNames)[number];

/** A SQL type: its name, and whether a value of it may be NULL. */
export interface DataType<N extends TypeName = TypeName, Nullable extends boolean = boolean> {
  readonly name: N;
  readonly nullable: Nullable;
}

export function dataType<N extends TypeName, Nullable extends boolean>(
  name: N,
  nullable: Nullable,
): DataType<N, Nullable> {
  return Object.freeze({ name, nullable });
}

/** As Flink prints it: `BIGINT`, `INT NOT NULL`, `TIMESTAMP(3)`. */
export function formatType(type: DataType): string {
  const name = type.name === 'TIMESTAMP' ? 'TIMESTAMP(3)' : type.name;
  return type.nullable ? name : `${name} NOT NULL`;
}

/** The value of one row of a column: what row functions see and what `rows` sinks give. */
export type Value = boolean | number | bigint | string | null;
