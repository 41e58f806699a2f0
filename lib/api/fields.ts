import type { DataType, TypeName } from '../data/data-type.ts';

/**
 * The columns of a stream as a type: what the builder checks a job against while it is written, and what the types of
 * rows are inferred from. At run time it is a `Schema`.
 */
export type Fields = Readonly<Record<string, DataType>>;

/** JavaScript value of one field that is not NULL. */
export interface ValueOfName {
  readonly BOOLEAN: boolean;
  readonly INT: number;
  readonly BIGINT: bigint;
  readonly DOUBLE: number;
  readonly STRING: string;
  /** Milliseconds since 1970-01-01T00:00:00, without a zone. */
  readonly TIMESTAMP: number;
}

/** `T`, or `T | null` where the field may be NULL. */
export type OrNull<T, Nullable extends boolean> = true extends Nullable ? T | null : T;

/** JavaScript value of a field: what a row of a result, and a row function, has. */
export type ValueOf<T extends DataType> = OrNull<ValueOfName[T['name']], T['nullable']>;

/** Spelled out when it is shown, instead of the name of the type that made it. */
export type Shown<T> = { [K in keyof T]: T[K] } & {};

/** A row of a stream with these fields. */
export type RowOf<F extends Fields> = Shown<{ -readonly [K in keyof F & string]: ValueOf<F[K]> }>;

type NullableNames<F extends Fields> = { [K in keyof F & string]: true extends F[K]['nullable'] ? K : never }[keyof F &
  string];

/** What may be given for a value: a BIGINT may be a number if it is a safe integer. */
export type GivenOf<T extends DataType> = OrNull<
  T['name'] extends 'BIGINT' ? bigint | number : ValueOfName[T['name']],
  T['nullable']
>;

/** A row as sources and row functions may give it: what may be NULL may be left out. */
export type GivenRow<F extends Fields> = Shown<
  { readonly [K in Exclude<keyof F & string, NullableNames<F>>]: GivenOf<F[K]> } & {
    readonly [K in NullableNames<F>]?: GivenOf<F[K]> | undefined;
  }
>;

/** Names of the columns that have one of the given types. */
export type NamesOf<F extends Fields, N extends TypeName> = {
  [K in keyof F & string]: F[K]['name'] extends N ? K : never;
}[keyof F & string];

/**
 * NULL if any operand is. Law: a wider argument gives a wider result (`boolean` in, `boolean` out), or expressions of one
 * type would not be expressions of any type.
 */
export type Either<A extends boolean, B extends boolean> = A extends true ? true : B;
/** NULL only if both are. */
export type Both<A extends boolean, B extends boolean> = A extends true ? B : false;

export type NumericName = 'INT' | 'BIGINT' | 'DOUBLE';
/** Numbers only ever widen: INT < BIGINT < DOUBLE. */
export type Wider<A extends NumericName, B extends NumericName> = 'DOUBLE' extends A | B
  ? 'DOUBLE'
  : 'BIGINT' extends A | B
    ? 'BIGINT'
    : 'INT';
