import * as assert from 'uvu/assert';
import type { BraidError } from '../../lib/base/errors.ts';
import { dataType, formatType, type Value } from '../../lib/data/data-type.ts';
import { schemaOf } from '../../lib/data/schema.ts';
import type { AggregateCall } from '../../lib/expressions/aggregate.ts';
import { aggregate, lowerAggregates, sameExpression } from '../../lib/expressions/aggregates.ts';
import { call, cast, column, literal } from '../../lib/expressions/build.ts';
import { formatAggregate, formatExpression } from '../../lib/expressions/format.ts';
import { interpret } from '../../lib/expressions/interpret.ts';
import { everyType } from '../support/arbitrary-expression.ts';
import { suite } from '../support/suite.ts';

const spec = suite('aggregates');

const x = (name: string) => column(everyType, `x_${name}`);
const y = (name: string) => column(everyType, `y_${name}`);

/** Accumulators as text, and each final expression over columns `a0`, `a1`, ... behind `keys` others. */
function lowered(calls: readonly AggregateCall[], keys = 2): { accumulators: string[]; finals: string[] } {
  const { accumulators, finals } = lowerAggregates(calls, keys);
  const schema = schemaOf([
    ...Array.from({ length: keys }, (_, i) => ({ name: `key${i}`, type: dataType('STRING', false) })),
    ...accumulators.map(({ type }, i) => ({ name: `a${i}`, type })),
  ]);
  return {
    accumulators: accumulators.map(({ op, argument, filter, type }) => {
      const over = argument === undefined ? '*' : formatExpression(argument, everyType);
      const where = filter === undefined ? '' : ` where ${formatExpression(filter, everyType)}`;
      return `${op}(${over})${where}: ${formatType(type)}`;
    }),
    finals: finals.map(final => formatExpression(final, schema)),
  };
}

/** Result of the only call, given the accumulators' values. */
function final(calls: readonly AggregateCall[], ...accumulators: Value[]): Value {
  return interpret(lowerAggregates(calls, 0).finals[0]!, index => accumulators[index]!);
}

spec('results have the types that Flink gives them', () => {
  const filter = call('>', [x('int'), literal(5)]);
  const types = (call: AggregateCall): string => formatType(call.type);
  assert.is(types(aggregate('COUNT')), 'BIGINT NOT NULL');
  assert.is(types(aggregate('COUNT', y('string'), filter)), 'BIGINT NOT NULL');
  assert.is(types(aggregate('SUM', y('int'))), 'INT');
  assert.is(types(aggregate('SUM', y('bigint'))), 'BIGINT');
  assert.is(types(aggregate('AVG', y('int'))), 'INT');
  assert.is(types(aggregate('AVG', y('bigint'))), 'BIGINT');
  assert.is(types(aggregate('AVG', y('double'))), 'DOUBLE');
  assert.is(types(aggregate('MIN', y('timestamp'))), 'TIMESTAMP(3)');
  assert.is(types(aggregate('MAX', x('string'))), 'STRING NOT NULL');
  assert.is(types(aggregate('SUM', x('int'))), 'INT NOT NULL');
  assert.is(types(aggregate('SUM', x('int'), filter)), 'INT', 'a filter may leave no row');
});

spec('what cannot be aggregated is refused', () => {
  const code = (build: () => unknown): string => {
    try {
      build();
      return 'accepted';
    } catch (error) {
      return (error as BraidError).code;
    }
  };
  assert.is(
    code(() => aggregate('SUM', x('string'))),
    'TYPE_MISMATCH',
  );
  assert.is(
    code(() => aggregate('AVG', x('timestamp'))),
    'TYPE_MISMATCH',
  );
  assert.is(
    code(() => aggregate('MAX', x('boolean'))),
    'TYPE_MISMATCH',
  );
  assert.is(
    code(() => aggregate('SUM')),
    'TYPE_MISMATCH',
  );
  assert.is(
    code(() => aggregate('COUNT', undefined, x('int'))),
    'TYPE_MISMATCH',
  );
});

spec('AVG is a sum divided by a count, and equal accumulators are kept once', () => {
  assert.equal(
    lowered([
      aggregate('COUNT'),
      aggregate('AVG', cast(y('int'), 'DOUBLE')),
      aggregate('MAX', y('int')),
      aggregate('SUM', cast(y('int'), 'DOUBLE')),
      aggregate('COUNT', cast(y('int'), 'DOUBLE')),
      aggregate('COUNT', x('int')),
    ]),
    {
      accumulators: [
        'count(*): BIGINT NOT NULL',
        'sum(CAST(y_int AS DOUBLE)): DOUBLE',
        'count(CAST(y_int AS DOUBLE)): BIGINT NOT NULL',
        'max(y_int): INT',
      ],
      finals: ['a0', 'a1 / CAST(a2 AS DOUBLE)', 'a3', 'a1', 'a2', 'a0'],
    },
  );
});

spec('the count of a column that is never NULL is the count of rows', () => {
  assert.equal(lowered([aggregate('AVG', x('bigint')), aggregate('COUNT')], 1), {
    accumulators: ['sum(x_bigint): BIGINT NOT NULL', 'count(*): BIGINT NOT NULL'],
    finals: ['a0 / a1', 'a1'],
  });
});

spec('aggregates with different filters share nothing', () => {
  const late = call('>', [y('int'), literal(15)]);
  const early = call('>', [y('int'), literal(16)]);
  assert.equal(
    lowered(
      [
        aggregate('COUNT', undefined, late),
        aggregate('COUNT', undefined, early),
        aggregate('COUNT', undefined, late),
        aggregate('COUNT'),
      ],
      0,
    ),
    {
      accumulators: [
        'count(*) where y_int > 15: BIGINT NOT NULL',
        'count(*) where y_int > 16: BIGINT NOT NULL',
        'count(*): BIGINT NOT NULL',
      ],
      finals: ['a0', 'a1', 'a0', 'a2'],
    },
  );
});

spec('AVG(INT) sums as BIGINT, so that it does not wrap, and stays INT', () => {
  const calls = [aggregate('AVG', y('int'))];
  assert.equal(lowered(calls, 0), {
    accumulators: ['sum(CAST(y_int AS BIGINT)): BIGINT', 'count(y_int): BIGINT NOT NULL'],
    finals: ['CAST(a0 / a1 AS INT)'],
  });
  assert.is(final(calls, 4294967294n, 2n), 2147483647);
});

spec('AVG of integers truncates towards zero, of DOUBLE does not, and is NULL where nothing was', () => {
  assert.is(final([aggregate('AVG', y('bigint'))], -7n, 2n), -3n);
  assert.is(final([aggregate('AVG', y('bigint'))], 7n, 2n), 3n);
  // The sum of 9223372036854775807, 1 and 5 wrapped.
  assert.is(final([aggregate('AVG', y('bigint'))], -9223372036854775803n, 3n), -3074457345618258601n);
  assert.is(final([aggregate('AVG', y('double'))], 7, 2n), 3.5);
  for (const name of ['int', 'bigint', 'double']) assert.is(final([aggregate('AVG', y(name))], null, 0n), null);
});

spec('each final has the type of its call', () => {
  const filter = y('boolean');
  for (const fn of ['SUM', 'AVG', 'MIN', 'MAX', 'COUNT'] as const) {
    for (const argument of [x('int'), y('int'), x('bigint'), y('bigint'), x('double'), y('double')]) {
      for (const condition of [undefined, filter]) {
        const wanted = aggregate(fn, argument, condition);
        const { finals } = lowerAggregates([wanted], 3);
        assert.equal(finals[0]!.type, wanted.type, formatAggregate(wanted, everyType));
      }
    }
  }
});

spec('trees are compared node by node, and constants exactly', () => {
  const sum = (value: number) => call('+', [x('double'), literal(value, 'DOUBLE')]);
  assert.ok(sameExpression(sum(1), sum(1)));
  assert.ok(sameExpression(sum(Number.NaN), sum(Number.NaN)));
  assert.not.ok(sameExpression(sum(0), sum(-0)));
  assert.not.ok(sameExpression(sum(1), sum(2)));
  assert.not.ok(sameExpression(sum(1), call('-', [x('double'), literal(1, 'DOUBLE')])));
  assert.not.ok(sameExpression(x('int'), y('int')));
  assert.not.ok(sameExpression(literal(1), literal(1n)));
});

spec.run();
