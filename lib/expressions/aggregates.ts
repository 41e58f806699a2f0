import { BraidError } from '../base/errors.ts';
import { type DataType, dataType, formatType, type TypeName } from '../data/data-type.ts';
import type { Accumulator, AggregateCall, AggregateName } from './aggregate.ts';
import { call, cast } from './build.ts';
import type { Expression } from './expression.ts';
import { operandsOf, sealed } from './limits.ts';

const argumentTypes: Readonly<Record<AggregateName, readonly TypeName[]>> = {
  COUNT: ['BOOLEAN', 'INT', 'BIGINT', 'DOUBLE', 'STRING', 'TIMESTAMP'],
  SUM: ['INT', 'BIGINT', 'DOUBLE'],
  AVG: ['INT', 'BIGINT', 'DOUBLE'],
  MIN: ['INT', 'BIGINT', 'DOUBLE', 'STRING', 'TIMESTAMP'],
  MAX: ['INT', 'BIGINT', 'DOUBLE', 'STRING', 'TIMESTAMP'],
};

/**
 * A checked aggregate call. COUNT is BIGINT NOT NULL, the others have the type of their argument. They can only be NULL
 * where no value took part, which a group (it has at least one row) excludes if the argument is NOT NULL and there is
 * no `filter`; then the type is NOT NULL too. As in Flink.
 * Errors: TYPE_MISMATCH.
 */
export function aggregate(fn: AggregateName, argument?: Expression, filter?: Expression): AggregateCall {
  if (argument === undefined && fn !== 'COUNT')
    throw new BraidError('TYPE_MISMATCH', `${fn} needs an argument`, { place: fn });
  if (argument !== undefined && !argumentTypes[fn].includes(argument.type.name))
    throw new BraidError('TYPE_MISMATCH', `${fn} does not take ${formatType(argument.type)}`, {
      place: fn,
      hint: `it takes ${argumentTypes[fn].join(', ')}`,
    });
  if (filter !== undefined && filter.type.name !== 'BOOLEAN')
    throw new BraidError('TYPE_MISMATCH', `a filter is BOOLEAN, not ${formatType(filter.type)}`, {
      place: `FILTER of ${fn}`,
      hint: 'compare it with something',
    });
  return Object.freeze({ fn, argument, filter, type: resultType(argument, filter, fn === 'COUNT') });
}

function resultType(argument: Expression | undefined, filter: Expression | undefined, count: boolean): DataType {
  if (count || argument === undefined) return dataType('BIGINT', false);
  return dataType(argument.type.name, argument.type.nullable || filter !== undefined);
}

const ops = { COUNT: 'count', SUM: 'sum', MIN: 'min', MAX: 'max' } as const;

interface LoweredAggregates {
  readonly accumulators: readonly Accumulator[];
  /** One expression for each call, over a schema whose columns from `firstColumn` on are the accumulators. */
  readonly finals: readonly Expression[];
}

/**
 * Turns aggregate calls into what is kept per group and how results come out of it. Equal accumulators are shared; the
 * count of an argument that cannot be NULL is the count of rows. AVG is a sum divided by a count: of BIGINT for integers
 * (so that the sum of an AVG(INT) does not wrap), then of the argument's type, truncated towards zero.
 */
export function lowerAggregates(calls: readonly AggregateCall[], firstColumn: number): LoweredAggregates {
  const accumulators: Accumulator[] = [];
  const keep = (
    op: Accumulator['op'],
    argument: Expression | undefined,
    filter: Expression | undefined,
  ): Expression => {
    const counted = op === 'count' && argument?.type.nullable === false ? undefined : argument;
    const wanted = Object.freeze({ op, argument: counted, filter, type: resultType(counted, filter, op === 'count') });
    let at = accumulators.findIndex(accumulator => sameAccumulator(accumulator, wanted));
    if (at < 0) at = accumulators.push(wanted) - 1;
    return sealed({ kind: 'column', index: firstColumn + at, type: wanted.type });
  };
  const finals = calls.map(({ fn, argument, filter, type }): Expression => {
    if (fn !== 'AVG') return keep(ops[fn], argument, filter);
    const summed = argument!.type.name === 'INT' ? cast(argument!, 'BIGINT') : argument!;
    const sum = keep('sum', summed, filter);
    return cast(call('/', [sum, keep('count', argument, filter)]), type.name);
  });
  return { accumulators: Object.freeze(accumulators), finals: Object.freeze(finals) };
}

function sameAccumulator(a: Accumulator, b: Accumulator): boolean {
  return a.op === b.op && sameOrNone(a.argument, b.argument) && sameOrNone(a.filter, b.filter);
}

function sameOrNone(a: Expression | undefined, b: Expression | undefined): boolean {
  return a === undefined || b === undefined ? a === b : sameExpression(a, b);
}

/** Whether two trees are the same, node by node; constants are told apart as `Object.is` does. */
export function sameExpression(a: Expression, b: Expression): boolean {
  if (a === b) return true;
  if (a.kind !== b.kind || a.type.name !== b.type.name || a.type.nullable !== b.type.nullable) return false;
  if (a.kind === 'literal') return Object.is(a.value, (b as typeof a).value);
  if (a.kind === 'column') return a.index === (b as typeof a).index;
  if (a.kind === 'call' && a.fn !== (b as typeof a).fn) return false;
  const left = operandsOf(a);
  const right = operandsOf(b);
  return left.length === right.length && left.every((operand, i) => sameExpression(operand, right[i]!));
}
