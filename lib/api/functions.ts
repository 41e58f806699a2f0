import type { DataType, TypeName, Value } from '../data/data-type.ts';
import { call, caseWhen, cast as castNode, literal as literalNode } from '../expressions/build.ts';
import type { Expression } from '../expressions/expression.ts';
import type { Either, NumericName, ValueOf, Wider } from './fields.ts';
import {
  type AnyExpression,
  type BooleanExpression,
  isExpression,
  type NumberExpression,
  type OfName,
  type StringExpression,
  type TimestampExpression,
  type TypeOf,
  typed,
} from './typed-expression.ts';

type LiteralName<V> = V extends boolean
  ? 'BOOLEAN'
  : V extends string
    ? 'STRING'
    : V extends bigint
      ? 'BIGINT'
      : V extends Date
        ? 'TIMESTAMP'
        : 'INT';

/**
 * A constant. A boolean is BOOLEAN, a string STRING, a bigint BIGINT, a Date TIMESTAMP (its UTC time). A number is an
 * INT unless a type is given, which NULL needs too.
 *
 * Errors: TYPE_MISMATCH where the value is not one of that type, such as 1.5 for an INT.
 *
 * @example
 * ```ts
 * import { literal, t } from 'braidstream';
 *
 * literal('SEA').type; // => { name: 'STRING', nullable: false }
 * literal(1.5, t.double()).type; // => { name: 'DOUBLE', nullable: false }
 * literal(null, t.int()).type; // => { name: 'INT', nullable: true }
 * ```
 */
export function literal<V extends boolean | string | bigint | number | Date>(value: V): OfName<LiteralName<V>, false>;
export function literal<T extends DataType>(value: null, type: T): OfName<T['name'], true>;
export function literal<T extends DataType>(value: NonNullable<ValueOf<T>>, type: T): OfName<T['name'], false>;
export function literal(value: Value | Date, type?: DataType): AnyExpression {
  if (value instanceof Date) return typed(literalNode(value.getTime(), 'TIMESTAMP'));
  return typed(literalNode(value, type?.name ?? (typeof value === 'number' ? 'INT' : undefined)));
}

/**
 * CAST(expression AS type), NULL where the expression is. Numbers that do not fit wrap around (integers) or saturate
 * (DOUBLE to integer), and fractions are cut off. `toInt()`, `toDouble()` and so on are the same, shorter.
 *
 * Errors: TYPE_MISMATCH where there is no such cast, as from TIMESTAMP to INT. A text that is not such a value fails the
 * job with ROW_INVALID when it is met.
 *
 * @example
 * ```ts
 * import { cast, rows, job, schema, t } from 'braidstream';
 *
 * const flights = schema({ delay: t.int() });
 * await job('cast')
 *   .from(rows(flights, [{ delay: 7 }]))
 *   .select(f => ({ half: cast(f.delay, t.double()).div(2) }))
 *   .collect(); // => [ { half: 3.5 } ]
 * ```
 */
export function cast<E extends AnyExpression, T extends DataType>(
  expression: E,
  type: T,
): OfName<T['name'], TypeOf<E>['nullable']> {
  return typed(castNode(expression.node, type.name)) as OfName<T['name'], TypeOf<E>['nullable']>;
}

type Result = AnyExpression | boolean | string | bigint;
type ResultName<R> = R extends AnyExpression ? TypeOf<R>['name'] : LiteralName<R>;
type ResultNull<R> = R extends AnyExpression ? TypeOf<R>['nullable'] : false;
/** What another branch may give: the same type, as an expression or a constant. */
type SameAs<N extends TypeName> =
  | OfName<N, boolean>
  | Extract<Result, { BOOLEAN: boolean; STRING: string; BIGINT: bigint }[N & ('BOOLEAN' | 'STRING' | 'BIGINT')]>;

/** CASE under way: add branches with `when`, end it with `otherwise` or `end`. */
export interface CaseBuilder<N extends TypeName, Null extends boolean> {
  /** The next branch: tried where no condition before it was true. */
  when<R extends SameAs<N>>(
    condition: BooleanExpression<boolean>,
    result: R,
  ): CaseBuilder<N, Either<Null, ResultNull<R>>>;
  /** The result where no condition is true. */
  otherwise<R extends SameAs<N>>(result: R): OfName<N, Either<Null, ResultNull<R>>>;
  /** NULL where no condition is true. */
  end(): OfName<N, true>;
}

/**
 * CASE WHEN ... THEN ... ELSE ... END: the result of the first branch whose condition is true. Only that branch is
 * evaluated. All results are of one type; a number is written as `literal(5)`.
 *
 * @example
 * ```ts
 * import { job, rows, schema, t, when } from 'braidstream';
 *
 * const flights = schema({ delay: t.int() });
 * await job('case')
 *   .from(rows(flights, [{ delay: 31 }, { delay: 2 }, { delay: null }]))
 *   .select(f => ({ how: when(f.delay.gt(15), 'late').when(f.delay.isNull(), 'unknown').otherwise('in time') }))
 *   .collect(); // => [ { how: 'late' }, { how: 'in time' }, { how: 'unknown' } ]
 * ```
 */
export function when<R extends Result>(
  condition: BooleanExpression<boolean>,
  result: R,
): CaseBuilder<ResultName<R>, ResultNull<R>> {
  return builder([branch(condition, result)]);
}

interface Branch {
  readonly when: Expression;
  readonly then: Expression;
}

function branch(condition: BooleanExpression<boolean>, result: Result): Branch {
  // biome-ignore lint/suspicious/noThenProperty: the branches of a CASE are called so; nobody awaits one.
  return { when: condition.node, then: nodeOf(result) };
}

function builder<N extends TypeName, Null extends boolean>(branches: readonly Branch[]): CaseBuilder<N, Null> {
  return {
    when: (condition, result) => builder([...branches, branch(condition, result as Result)]),
    otherwise: result => typed(caseWhen(branches, nodeOf(result as Result))) as never,
    end: () => typed(caseWhen(branches)) as never,
  };
}

function nodeOf(value: Result): Expression {
  return isExpression(value) ? value.node : literalNode(value);
}

type AtLeastOne<E> = readonly [E, ...E[]];
type AnyNull<V extends readonly AnyExpression[]> = TypeOf<V[number]>['nullable'];
type Numbers = AtLeastOne<NumberExpression<NumericName, boolean>>;
type WidestOf<V extends Numbers> = Wider<TypeOf<V[number]>['name'], TypeOf<V[number]>['name']>;

/**
 * The smallest of the values, NULL if one of them is. Numbers widen to the widest of their types.
 *
 * @example
 * ```ts
 * import { job, least, literal, rows, schema, t } from 'braidstream';
 *
 * await job('least')
 *   .from(rows(schema({ delay: t.int() }), [{ delay: 31 }, { delay: 2 }]))
 *   .select(f => ({ atMost15: least(f.delay, literal(15)) }))
 *   .collect(); // => [ { atMost15: 15 }, { atMost15: 2 } ]
 * ```
 */
export function least<V extends Numbers>(...values: V): NumberExpression<WidestOf<V>, AnyNull<V>>;
export function least<V extends AtLeastOne<StringExpression<boolean>>>(...values: V): StringExpression<AnyNull<V>>;
export function least<V extends AtLeastOne<TimestampExpression<boolean>>>(
  ...values: V
): TimestampExpression<AnyNull<V>>;
export function least(...values: readonly AnyExpression[]): AnyExpression {
  return typed(
    call(
      'least',
      values.map(value => value.node),
    ),
  );
}

/**
 * The greatest of the values, NULL if one of them is. Numbers widen to the widest of their types.
 *
 * @example
 * ```ts
 * import { greatest, job, literal, rows, schema, t } from 'braidstream';
 *
 * await job('greatest')
 *   .from(rows(schema({ delay: t.int() }), [{ delay: -3 }, { delay: 2 }]))
 *   .select(f => ({ delay: greatest(f.delay, literal(0)) }))
 *   .collect(); // => [ { delay: 0 }, { delay: 2 } ]
 * ```
 */
export function greatest<V extends Numbers>(...values: V): NumberExpression<WidestOf<V>, AnyNull<V>>;
export function greatest<V extends AtLeastOne<StringExpression<boolean>>>(...values: V): StringExpression<AnyNull<V>>;
export function greatest<V extends AtLeastOne<TimestampExpression<boolean>>>(
  ...values: V
): TimestampExpression<AnyNull<V>>;
export function greatest(...values: readonly AnyExpression[]): AnyExpression {
  return typed(
    call(
      'greatest',
      values.map(value => value.node),
    ),
  );
}
