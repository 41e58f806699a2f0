import fc from 'fast-check';
import { dataType, type TypeName, typeNames } from '../../lib/data/data-type.ts';
import type { Schema } from '../../lib/data/schema.ts';
import type { AggregateCall } from '../../lib/expressions/aggregate.ts';
import { aggregate, lowerAggregates } from '../../lib/expressions/aggregates.ts';
import { column } from '../../lib/expressions/build.ts';
import type { Expression } from '../../lib/expressions/expression.ts';
import type { Fragment, FragmentInput, FragmentOutput, TumblingWindow } from '../../lib/kernels/fragment.ts';
import { everyType, expressionOf } from './arbitrary-expression.ts';

const anyExpression = (depth: number): fc.Arbitrary<Expression> =>
  fc.constantFrom(...typeNames).chain(name => expressionOf(name, depth));

const window: fc.Arbitrary<TumblingWindow> = fc.record({
  sizeMs: fc.constantFrom(1, 7, 1000, 3_600_000, 86_400_000 * 365),
  offsetMs: fc.constantFrom(0, 3, -5000, 1_800_000),
});

const numeric: readonly TypeName[] = ['INT', 'BIGINT', 'DOUBLE'];
const ordered: readonly TypeName[] = [...numeric, 'STRING', 'TIMESTAMP'];

const aggregateCall: fc.Arbitrary<AggregateCall> = fc
  .tuple(
    fc.constantFrom('COUNT', 'SUM', 'MIN', 'MAX', 'AVG'),
    fc.nat(),
    fc.option(expressionOf('BOOLEAN', 1), { nil: undefined }),
  )
  .chain(([fn, pick, filter]) => {
    const types = fn === 'COUNT' ? typeNames : fn === 'SUM' || fn === 'AVG' ? numeric : ordered;
    return expressionOf(types[pick % types.length]!, 1).map(argument =>
      aggregate(fn, fn === 'COUNT' && pick % 2 === 0 ? undefined : argument, filter),
    );
  });

function schemaFor(columns: readonly { readonly type: Expression['type'] }[]): Schema {
  return { fields: columns.map(({ type }, i) => ({ name: `c${i}`, type })) };
}

const rows: fc.Arbitrary<FragmentOutput> = fc
  .tuple(fc.array(anyExpression(2), { minLength: 1, maxLength: 5 }), fc.option(window, { nil: undefined }))
  .map(([columns, lateWindow]) => ({ kind: 'rows', columns, schema: schemaFor(columns), lateWindow }));

const partial: fc.Arbitrary<FragmentOutput> = fc
  .tuple(
    fc.array(anyExpression(1), { maxLength: 3 }),
    fc.array(aggregateCall, { minLength: 1, maxLength: 4 }),
    fc.option(window, { nil: undefined }),
    fc.boolean(),
  )
  .map(([keys, calls, tumbling, local]) => {
    const { accumulators } = lowerAggregates(calls, 0);
    const start = tumbling === undefined ? [] : [{ type: dataType('TIMESTAMP', false) }];
    const schema = schemaFor([...start, ...keys, ...accumulators]);
    return { kind: 'partial', window: tumbling, keys, accumulators, schema, local };
  });

/** A fragment over rows of every type: random event time, filter and output. */
export function fragmentOver(input: FragmentInput): fc.Arbitrary<Fragment> {
  const times = fc.oneof(
    fc.constantFrom<Expression>(column(everyType, 'x_timestamp'), column(everyType, 'y_timestamp')),
    expressionOf('TIMESTAMP', 1),
  );
  return fc
    .record({
      eventTime: times,
      filter: fc.option(expressionOf('BOOLEAN', 2), { nil: undefined }),
      output: fc.oneof(rows, partial),
    })
    .map(parts => ({ id: 'random', input, ...parts }));
}
