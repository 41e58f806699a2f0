import type { DataType, TypeName } from '../data/data-type.ts';
import type { AggregateCall } from '../expressions/aggregate.ts';
import { aggregate } from '../expressions/aggregates.ts';
import { call } from '../expressions/build.ts';
import type { NumericName } from './fields.ts';
import type { AnyExpression, BooleanExpression, NumberExpression, TypeOf } from './typed-expression.ts';

/**
 * One aggregate over the rows of a window and key, for the object that `aggregate(...)` is given. It is not a value of a
 * row: what is computed from its result belongs into a `select` behind the aggregate.
 */
export class AggregateExpression<N extends TypeName = TypeName, Null extends boolean = boolean> {
  /** SQL type of the result. */
  readonly type: DataType<N, Null>;
  /** @internal */
  readonly call: AggregateCall;

  /** @internal */
  constructor(aggregateCall: AggregateCall) {
    this.call = aggregateCall;
    this.type = aggregateCall.type as DataType<N, Null>;
  }

  /** Only rows for which the condition is true take part, as with FILTER (WHERE ...); the result may be NULL then. */
  filter(condition: BooleanExpression<boolean>): AggregateExpression<N, boolean> {
    return new AggregateExpression(this.filtered(condition));
  }

  /** @internal */
  protected filtered(condition: BooleanExpression<boolean>): AggregateCall {
    const { fn, argument, filter } = this.call;
    return aggregate(fn, argument, filter === undefined ? condition.node : call('and', [filter, condition.node]));
  }
}

/** A count: BIGINT, never NULL. */
export class CountExpression extends AggregateExpression<'BIGINT', false> {
  /** Counts only rows for which the condition is true, as with FILTER (WHERE ...). */
  override filter(condition: BooleanExpression<boolean>): CountExpression {
    return new CountExpression(this.filtered(condition));
  }
}

/**
 * Number of rows, or of rows where `value` is not NULL. BIGINT: a bigint in JavaScript.
 *
 * @example
 * ```ts
 * import { count, job, rows, schema, t } from 'braidstream';
 *
 * const flights = schema({ at: t.timestamp().notNull(), delay: t.int() });
 * await job('count')
 *   .from(rows(flights, [{ at: 0, delay: 31 }, { at: 1 }, { at: 2, delay: 7 }]))
 *   .watermark('at', { outOfOrderMs: 0 })
 *   .tumble({ hours: 1 })
 *   .aggregate(f => ({ all: count(), known: count(f.delay), late: count().filter(f.delay.gt(15)) }))
 *   .select('all', 'known', 'late')
 *   .collect(); // => [ { all: 3n, known: 2n, late: 1n } ]
 * ```
 */
export function count(value?: AnyExpression): CountExpression {
  return new CountExpression(aggregate('COUNT', value?.node));
}

/**
 * Sum of the values that are not NULL; NULL where there is none. It has the type of its argument and wraps around as
 * Flink's does: `sum(f.bytes.toBigint())` where an INT would be too small.
 *
 * @example
 * ```ts
 * import { job, rows, schema, sum, t } from 'braidstream';
 *
 * const flights = schema({ at: t.timestamp().notNull(), distance: t.int() });
 * await job('sum')
 *   .from(rows(flights, [{ at: 0, distance: 300 }, { at: 1 }, { at: 2, distance: 12 }]))
 *   .watermark('at', { outOfOrderMs: 0 })
 *   .tumble({ hours: 1 })
 *   .aggregate(f => ({ distance: sum(f.distance) }))
 *   .select('distance')
 *   .collect(); // => [ { distance: 312 } ]
 * ```
 */
export function sum<N extends NumericName, Null extends boolean>(
  value: NumberExpression<N, Null>,
): AggregateExpression<N, Null> {
  return new AggregateExpression(aggregate('SUM', value.node));
}

/**
 * Mean of the values that are not NULL; NULL where there is none. It has the type of its argument, so that the mean of
 * integers is cut off to an integer, as in Flink: write `avg(f.delay.toDouble())` for fractions.
 *
 * @example
 * ```ts
 * import { avg, job, rows, schema, t } from 'braidstream';
 *
 * const flights = schema({ at: t.timestamp().notNull(), delay: t.int() });
 * await job('avg')
 *   .from(rows(flights, [{ at: 0, delay: 2 }, { at: 1, delay: 5 }]))
 *   .watermark('at', { outOfOrderMs: 0 })
 *   .tumble({ hours: 1 })
 *   .aggregate(f => ({ cut: avg(f.delay), mean: avg(f.delay.toDouble()) }))
 *   .select('cut', 'mean')
 *   .collect(); // => [ { cut: 3, mean: 3.5 } ]
 * ```
 */
export function avg<N extends NumericName, Null extends boolean>(
  value: NumberExpression<N, Null>,
): AggregateExpression<N, Null> {
  return new AggregateExpression(aggregate('AVG', value.node));
}

/** What can be put in order: numbers, texts (by code points) and times. */
export type OrderedExpression = Exclude<AnyExpression, BooleanExpression<boolean>>;

/**
 * Smallest of the values that are not NULL; NULL where there is none.
 *
 * @example
 * ```ts
 * import { job, min, rows, schema, t } from 'braidstream';
 *
 * const flights = schema({ at: t.timestamp().notNull(), origin: t.string().notNull() });
 * await job('min')
 *   .from(rows(flights, [{ at: 0, origin: 'SEA' }, { at: 1, origin: 'ATL' }]))
 *   .watermark('at', { outOfOrderMs: 0 })
 *   .tumble({ hours: 1 })
 *   .aggregate(f => ({ first: min(f.origin) }))
 *   .select('first')
 *   .collect(); // => [ { first: 'ATL' } ]
 * ```
 */
export function min<E extends OrderedExpression>(
  value: E,
): AggregateExpression<TypeOf<E>['name'], TypeOf<E>['nullable']> {
  return new AggregateExpression(aggregate('MIN', value.node));
}

/**
 * Greatest of the values that are not NULL; NULL where there is none.
 *
 * @example
 * ```ts
 * import { job, max, rows, schema, t } from 'braidstream';
 *
 * const flights = schema({ at: t.timestamp().notNull(), delay: t.int() });
 * await job('max')
 *   .from(rows(flights, [{ at: 0, delay: 31 }, { at: 1, delay: 2 }]))
 *   .watermark('at', { outOfOrderMs: 0 })
 *   .tumble({ hours: 1 })
 *   .aggregate(f => ({ delay: max(f.delay) }))
 *   .select('delay')
 *   .collect(); // => [ { delay: 31 } ]
 * ```
 */
export function max<E extends OrderedExpression>(
  value: E,
): AggregateExpression<TypeOf<E>['name'], TypeOf<E>['nullable']> {
  return new AggregateExpression(aggregate('MAX', value.node));
}
