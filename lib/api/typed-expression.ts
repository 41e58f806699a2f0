import { BraidError } from '../base/errors.ts';
import { type DataType, dataType, formatType, type TypeName, type Value } from '../data/data-type.ts';
import { call, cast, literal } from '../expressions/build.ts';
import type { Expression, FunctionName } from '../expressions/expression.ts';
import type { FloorUnit } from '../expressions/time.ts';
import type { Both, Either, NumericName, ValueOfName, Wider } from './fields.ts';

/**
 * A value of each row, not yet computed: a column, a constant, or a function of others. It is a description that
 * becomes part of generated code; it never holds a row. Conditions and results are three-valued as in SQL: what is
 * computed from NULL is NULL, and `where` keeps only the rows for which its condition is true.
 *
 * The classes of the six types offer what can be done with that type and nothing else, so that a comparison of a text
 * with a number does not compile.
 *
 * @example
 * ```ts
 * import { job, rows, schema, t } from 'braidstream';
 *
 * const flight = schema({
 *   date: t.timestamp().notNull(),
 *   delay: t.int(),
 *   distance: t.bigint().notNull(),
 *   origin: t.string().notNull(),
 *   diverted: t.boolean(),
 * });
 * const flights = job('expressions').from(
 *   rows(flight, [{ date: Date.UTC(2001, 0, 1, 6, 30), delay: 31, distance: 867n, origin: 'SEA', diverted: null }]),
 * );
 * await flights.select(f => ({ late: f.delay.gt(15), known: f.diverted.isNotNull(), text: f.date.toText() })).collect();
 * // => [ { late: true, known: false, text: '2001-01-01 06:30:00.000' } ]
 * ```
 */
export type AnyExpression =
  | BooleanExpression<boolean>
  | NumberExpression<NumericName, boolean>
  | StringExpression<boolean>
  | TimestampExpression<boolean>;

/** The class of a type. */
export type ExpressionOf<T extends DataType> = OfName<T['name'], T['nullable']>;
export type OfName<N extends TypeName, Null extends boolean> = N extends 'BOOLEAN'
  ? BooleanExpression<Null>
  : N extends NumericName
    ? NumberExpression<N, Null>
    : N extends 'STRING'
      ? StringExpression<Null>
      : N extends 'TIMESTAMP'
        ? TimestampExpression<Null>
        : never;

/** The type that an expression has. */
export type TypeOf<E> = E extends { readonly type: infer T extends DataType } ? T : never;
type NullableOf<E> = E extends { readonly type: { readonly nullable: infer Null extends boolean } } ? Null : false;

/** What a value of this type can be compared with: an expression, or a constant. NULL is asked for with `isNull()`. */
type Comparable<N extends TypeName> = N extends NumericName
  ? number | bigint | NumberExpression<NumericName, boolean>
  : N extends 'TIMESTAMP'
    ? number | Date | TimestampExpression<boolean>
    : ValueOfName[N] | OfName<N, boolean>;

abstract class TypedExpression<N extends TypeName, Null extends boolean> {
  /** SQL type: name and whether it may be NULL. */
  readonly type: DataType<N, Null>;
  /** @internal */
  readonly node: Expression;

  /** @internal */
  constructor(node: Expression) {
    this.node = node;
    this.type = node.type as DataType<N, Null>;
  }

  /** True where the value is NULL; never NULL itself. */
  isNull(): BooleanExpression<false> {
    return new BooleanExpression(call('isNull', [this.node]));
  }
  /** True where there is a value; never NULL itself. */
  isNotNull(): BooleanExpression<false> {
    return new BooleanExpression(call('isNotNull', [this.node]));
  }
  /** `=`: NULL where either side is. */
  eq<O extends Comparable<N>>(other: O): BooleanExpression<Either<Null, NullableOf<O>>> {
    return this.compare('=', other);
  }
  /** `<>`: NULL where either side is. */
  ne<O extends Comparable<N>>(other: O): BooleanExpression<Either<Null, NullableOf<O>>> {
    return this.compare('<>', other);
  }
  /** True where the value equals one of the given ones. */
  in(...values: readonly [Comparable<N>, ...Comparable<N>[]]): BooleanExpression<Null> {
    const tests = values.map(value => call('=', [this.node, constant(value, this.type.name)]));
    return new BooleanExpression(tests.length === 1 ? tests[0]! : call('or', tests));
  }
  /** As text, in SQL's form: `TRUE`, `1.0`, `2001-01-01 00:01:00.000`. */
  toText(): StringExpression<Null> {
    return new StringExpression(cast(this.node, 'STRING'));
  }

  /** @internal */
  protected compare<Result extends boolean>(fn: FunctionName, other: unknown): BooleanExpression<Result> {
    return new BooleanExpression(call(fn, [this.node, constant(other, this.type.name)]));
  }
  /** @internal */
  protected casted<T extends NumericName>(name: T): NumberExpression<T, Null> {
    return new NumberExpression<T, Null>(cast(this.node, name));
  }
}

/** What types with an order have. */
abstract class OrderedExpression<N extends TypeName, Null extends boolean> extends TypedExpression<N, Null> {
  /** `<`: NULL where either side is. */
  lt<O extends Comparable<N>>(other: O): BooleanExpression<Either<Null, NullableOf<O>>> {
    return this.compare('<', other);
  }
  /** `<=`: NULL where either side is. */
  lte<O extends Comparable<N>>(other: O): BooleanExpression<Either<Null, NullableOf<O>>> {
    return this.compare('<=', other);
  }
  /** `>`: NULL where either side is. */
  gt<O extends Comparable<N>>(other: O): BooleanExpression<Either<Null, NullableOf<O>>> {
    return this.compare('>', other);
  }
  /** `>=`: NULL where either side is. */
  gte<O extends Comparable<N>>(other: O): BooleanExpression<Either<Null, NullableOf<O>>> {
    return this.compare('>=', other);
  }
  /** True from `low` to `high`, both included. */
  between<L extends Comparable<N>, H extends Comparable<N>>(
    low: L,
    high: H,
  ): BooleanExpression<Either<Null, Either<NullableOf<L>, NullableOf<H>>>> {
    return new BooleanExpression(call('and', [this.compare('>=', low).node, this.compare('<=', high).node]));
  }
}

/**
 * BOOLEAN in three-valued logic: `true and NULL` is NULL, `false and NULL` is false.
 *
 * @example
 * ```ts
 * await flights.select(f => ({ both: f.diverted.and(f.delay.gt(99)), either: f.diverted.or(f.delay.gt(99)) })).collect();
 * // => [ { both: false, either: null } ]
 * ```
 */
export class BooleanExpression<Null extends boolean = boolean> extends TypedExpression<'BOOLEAN', Null> {
  and<B extends boolean>(other: BooleanExpression<B>): BooleanExpression<Either<Null, B>> {
    return new BooleanExpression(call('and', [this.node, other.node]));
  }
  or<B extends boolean>(other: BooleanExpression<B>): BooleanExpression<Either<Null, B>> {
    return new BooleanExpression(call('or', [this.node, other.node]));
  }
  not(): BooleanExpression<Null> {
    return new BooleanExpression(call('not', [this.node]));
  }
  /** This value, or `other` where it is NULL. */
  coalesce<O extends boolean | BooleanExpression<boolean>>(other: O): BooleanExpression<Both<Null, NullableOf<O>>> {
    return new BooleanExpression(call('coalesce', [this.node, constant(other, 'BOOLEAN')]));
  }
  /** 1 for true, 0 for false. */
  toInt(): NumberExpression<'INT', Null> {
    return this.casted('INT');
  }
}

/** A second operand: an expression, or a constant, which then is of the first one's type. */
type Operand<N extends NumericName> = N extends 'BIGINT'
  ? number | bigint | NumberExpression<NumericName, boolean>
  : number | NumberExpression<NumericName, boolean>;
type NumericOf<O, Otherwise extends NumericName> = O extends {
  readonly type: { readonly name: infer N extends NumericName };
}
  ? N
  : Otherwise;
type Arithmetic<N extends NumericName, Null extends boolean, O> = NumberExpression<
  Wider<N, NumericOf<O, N>>,
  Either<Null, NullableOf<O>>
>;

/**
 * INT (32 bit), BIGINT (64 bit, exact) or DOUBLE. Operands widen (INT < BIGINT < DOUBLE); integers wrap around, and
 * their division cuts the fraction off, as in Flink: write `a.toDouble().div(b)` for fractions. A constant takes the type of
 * the expression: `delay.times(1.5)` is TYPE_MISMATCH for an INT.
 *
 * @example
 * ```ts
 * await flights
 *   .select(f => ({
 *     cut: f.delay.div(2),
 *     half: f.delay.toDouble().div(2),
 *     wide: f.distance.times(f.delay),
 *     odd: f.delay.mod(2),
 *   }))
 *   .collect(); // => [ { cut: 15, half: 15.5, wide: 26877n, odd: 1 } ]
 * ```
 */
export class NumberExpression<
  N extends NumericName = NumericName,
  Null extends boolean = boolean,
> extends OrderedExpression<N, Null> {
  plus<O extends Operand<N>>(other: O): Arithmetic<N, Null, O> {
    return this.#calculate('+', other);
  }
  minus<O extends Operand<N>>(other: O): Arithmetic<N, Null, O> {
    return this.#calculate('-', other);
  }
  times<O extends Operand<N>>(other: O): Arithmetic<N, Null, O> {
    return this.#calculate('*', other);
  }
  /** Division. Of integers it cuts the fraction off, and by zero it fails the job with ROW_INVALID; of DOUBLEs it is IEEE 754. */
  div<O extends Operand<N>>(other: O): Arithmetic<N, Null, O> {
    return this.#calculate('/', other);
  }
  /** Remainder with the sign of the dividend; for integers. By zero it fails the job with ROW_INVALID. */
  mod<O extends Operand<N>>(other: N extends IntegerName ? O & IntegerOperand<O> : never): Arithmetic<N, Null, O> {
    return this.#calculate('%', other);
  }
  negate(): NumberExpression<N, Null> {
    return new NumberExpression(call('negate', [this.node]));
  }
  abs(): NumberExpression<N, Null> {
    return new NumberExpression(call('abs', [this.node]));
  }
  /** This value, or `other` where it is NULL. */
  coalesce<O extends Operand<N>>(other: O): NumberExpression<Wider<N, NumericOf<O, N>>, Both<Null, NullableOf<O>>> {
    return new NumberExpression(call('coalesce', [this.node, constant(other, this.type.name, 'same')]));
  }
  /** Cuts the fraction off; a BIGINT wraps around, a DOUBLE saturates. */
  toInt(): NumberExpression<'INT', Null> {
    return this.casted('INT');
  }
  /** Cuts the fraction off; a DOUBLE saturates. */
  toBigint(): NumberExpression<'BIGINT', Null> {
    return this.casted('BIGINT');
  }
  toDouble(): NumberExpression<'DOUBLE', Null> {
    return this.casted('DOUBLE');
  }

  #calculate<M extends NumericName, B extends boolean>(fn: FunctionName, other: unknown): NumberExpression<M, B> {
    return new NumberExpression(call(fn, [this.node, constant(other, this.type.name, 'same')]));
  }
}
type IntegerName = 'INT' | 'BIGINT';
type IntegerOperand<O> = O extends { readonly type: { readonly name: infer M extends NumericName } }
  ? 'DOUBLE' extends M
    ? never
    : unknown
  : unknown;

/**
 * STRING. Compared by code points.
 *
 * @example
 * ```ts
 * await flights
 *   .select(f => ({ name: f.origin.concat('-TAC').lower(), first: f.origin.substring(1, 1), size: f.origin.length() }))
 *   .collect(); // => [ { name: 'sea-tac', first: 'S', size: 3 } ]
 * ```
 */
export class StringExpression<Null extends boolean = boolean> extends OrderedExpression<'STRING', Null> {
  lower(): StringExpression<Null> {
    return new StringExpression(call('lower', [this.node]));
  }
  upper(): StringExpression<Null> {
    return new StringExpression(call('upper', [this.node]));
  }
  /** Number of characters (code points). */
  length(): NumberExpression<'INT', Null> {
    return new NumberExpression(call('charLength', [this.node]));
  }
  /** This text and `other`: NULL where either is. */
  concat<O extends string | StringExpression<boolean>>(other: O): StringExpression<Either<Null, NullableOf<O>>> {
    return new StringExpression(call('concat', [this.node, constant(other, 'STRING')]));
  }
  /** `length` characters from position `start`, which counts from 1 (from the end where it is negative), as in SQL. */
  substring(start: number, length?: number): StringExpression<Null> {
    const positions = length === undefined ? [start] : [start, length];
    if (length !== undefined && length < 0)
      throw new BraidError('TYPE_MISMATCH', 'a length cannot be negative', { place: 'substring' });
    return new StringExpression(call('substring', [this.node, ...positions.map(position => literal(position, 'INT'))]));
  }
  startsWith<O extends string | StringExpression<boolean>>(prefix: O): BooleanExpression<Either<Null, NullableOf<O>>> {
    return new BooleanExpression(call('startsWith', [this.node, constant(prefix, 'STRING')]));
  }
  /** This text, or `other` where it is NULL. */
  coalesce<O extends string | StringExpression<boolean>>(other: O): StringExpression<Both<Null, NullableOf<O>>> {
    return new StringExpression(call('coalesce', [this.node, constant(other, 'STRING')]));
  }
  /** The number that the text is; a text that is none fails the job with ROW_INVALID. */
  toInt(): NumberExpression<'INT', Null> {
    return this.casted('INT');
  }
  /** The number that the text is; a text that is none fails the job with ROW_INVALID. */
  toBigint(): NumberExpression<'BIGINT', Null> {
    return this.casted('BIGINT');
  }
  /** The number that the text is; a text that is none fails the job with ROW_INVALID. */
  toDouble(): NumberExpression<'DOUBLE', Null> {
    return this.casted('DOUBLE');
  }
  /** `2001-01-01T00:01:00` or `2001-01-01 00:01:00.000` as TIMESTAMP; another text fails the job with ROW_INVALID. */
  toTimestamp(): TimestampExpression<Null> {
    return new TimestampExpression(cast(this.node, 'TIMESTAMP'));
  }
}

/**
 * TIMESTAMP(3): milliseconds since 1970-01-01T00:00:00 without a zone. Constants are that number, or a Date (its UTC time).
 *
 * @example
 * ```ts
 * await flights.select(f => ({ hour: f.date.hour(), day: f.date.floorTo('day'), weekday: f.date.dayOfWeek() })).collect();
 * // => [ { hour: 6n, day: 978307200000, weekday: 2n } ]
 * ```
 */
export class TimestampExpression<Null extends boolean = boolean> extends OrderedExpression<'TIMESTAMP', Null> {
  /** Hour of the day, 0 to 23. */
  hour(): NumberExpression<'BIGINT', Null> {
    return new NumberExpression(call('hour', [this.node]));
  }
  /** 1 for Sunday to 7 for Saturday, as in Flink. */
  dayOfWeek(): NumberExpression<'BIGINT', Null> {
    return new NumberExpression(call('dayOfWeek', [this.node]));
  }
  /** Start of the second, minute, hour, day, week (from Sunday), month, quarter or year that it lies in. */
  floorTo(unit: Lowercase<FloorUnit>): TimestampExpression<Null> {
    return new TimestampExpression(call('floorTo', [this.node, literal(unit.toUpperCase(), 'STRING')]));
  }
  /** This time, or `other` where it is NULL. */
  coalesce<O extends number | Date | TimestampExpression<boolean>>(
    other: O,
  ): TimestampExpression<Both<Null, NullableOf<O>>> {
    return new TimestampExpression(call('coalesce', [this.node, constant(other, 'TIMESTAMP')]));
  }
}

/** The class that a node's type asks for. */
export function typed(node: Expression): AnyExpression {
  switch (node.type.name) {
    case 'BOOLEAN':
      return new BooleanExpression(node);
    case 'STRING':
      return new StringExpression(node);
    case 'TIMESTAMP':
      return new TimestampExpression(node);
    default:
      return new NumberExpression(node);
  }
}

export function isExpression(value: unknown): value is AnyExpression {
  return value instanceof TypedExpression;
}

/**
 * The node of an operand beside a value of type `name`. A number beside a number may be of any numeric type in a
 * comparison (`delay.gt(0.5)` compares as DOUBLE), and is of the `same` one in arithmetic.
 */
function constant(value: unknown, name: TypeName, strictness?: 'same'): Expression {
  if (isExpression(value)) return value.node;
  if (name === 'TIMESTAMP') return literal(value instanceof Date ? value.getTime() : (value as Value), 'TIMESTAMP');
  const numeric = typeof value === 'number' || typeof value === 'bigint';
  if (strictness === undefined && numeric && name !== 'STRING' && name !== 'BOOLEAN') return literal(value);
  if (value === undefined || value === null)
    throw new BraidError(
      'TYPE_MISMATCH',
      `${String(value)} was given where a ${formatType(dataType(name, false))} belongs`,
      {
        hint: 'NULL is asked for with isNull(), and replaced with coalesce(...)',
      },
    );
  return literal(value as Value, name);
}
