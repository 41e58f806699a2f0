import * as assert from 'uvu/assert';
import { batchFrom, rowsOf } from '../../lib/data/batch.ts';
import { dataType, type Value } from '../../lib/data/data-type.ts';
import { hashKeys } from '../../lib/data/key-hash.ts';
import type { Schema } from '../../lib/data/schema.ts';
import type { AggregateCall } from '../../lib/expressions/aggregate.ts';
import { aggregate, lowerAggregates } from '../../lib/expressions/aggregates.ts';
import { call, column, literal } from '../../lib/expressions/build.ts';
import { compileFragment } from '../../lib/kernels/compile.ts';
import type { Fragment, FragmentResult, TumblingWindow } from '../../lib/kernels/fragment.ts';
import { recordBatch, recordsTask } from '../support/record-batches.ts';
import { rowFragment, schemaFrom } from '../support/row-fragment.ts';
import { suite } from '../support/suite.ts';

const spec = suite('partial aggregates and late rows');
const trips = schemaFrom({ t: 'TIMESTAMP', key: 'STRING NULL', n: 'BIGINT', x: 'DOUBLE NULL', s: 'STRING NULL' });
const second: TumblingWindow = { sizeMs: 1000, offsetMs: 0 };

function partials(
  schema: Schema,
  keys: readonly string[],
  calls: readonly AggregateCall[],
  window: TumblingWindow | 'no window' = second,
  local = true,
): Fragment {
  const { accumulators } = lowerAggregates(calls, 0);
  const start = window === 'no window' ? [] : [{ name: '$window', type: dataType('TIMESTAMP', false) }];
  const keyColumns = keys.map(name => column(schema, name));
  return {
    id: 'partials',
    input: { kind: 'columns', schema },
    eventTime: window === 'no window' ? undefined : column(schema, 't'),
    filter: undefined,
    output: {
      kind: 'partial',
      window: window === 'no window' ? undefined : window,
      keys: keyColumns,
      accumulators,
      local,
      schema: {
        fields: [
          ...start,
          ...keyColumns.map(({ type }, i) => ({ name: keys[i]!, type })),
          ...accumulators.map(({ op, type }, i) => ({ name: `${op}${i}`, type })),
        ],
      },
    },
  };
}

type Trip = readonly [t: number, key: string | null, n: number | bigint, x?: number | null, s?: string | null];

function run(fragment: Fragment, ...rows: readonly Trip[]): FragmentResult {
  const batch = batchFrom(
    trips,
    rows.map(([t, key, n, x = null, s = null]) => ({ t, key, n, x, s })),
  );
  return compileFragment(fragment).run({ kind: 'columns', batch });
}
function valuesOf(result: FragmentResult): Value[][] {
  return rowsOf(result.batch).map(row => Object.values(row));
}

const count = aggregate('COUNT');
const total = aggregate('SUM', column(trips, 'n'));
const largest = aggregate('MAX', column(trips, 'n'));

spec('combines rows of one window and key, NULL being a key like any other', () => {
  const result = run(
    partials(trips, ['key'], [count, total, largest]),
    [5, 'a', 1],
    [999, 'a', 2],
    [1000, 'a', 4],
    [-1, 'a', 8],
    [7, null, 16],
    [8, null, 32],
    [9, '', 64],
  );
  assert.equal(valuesOf(result), [
    [0, 'a', 2n, 3n, 2n],
    [1000, 'a', 1n, 4n, 4n],
    [-1000, 'a', 1n, 8n, 8n],
    [0, null, 2n, 48n, 32n],
    [0, '', 1n, 64n, 64n],
  ]);
  assert.equal(result.windows, { first: -1000, last: 1000 });
  assert.is(result.maxEventTime, 1000);
  const keyColumn = result.batch.columns[1]!;
  assert.equal(
    [...result.hashes!],
    [0, 1, 2, 3, 4].map(row => hashKeys([keyColumn], row)),
  );
});

spec('makes a partial of every row where combining would not help', () => {
  const result = run(partials(trips, ['key'], [count, total], second, false), [5, 'a', 1], [6, 'a', 2]);
  assert.equal(valuesOf(result), [
    [0, 'a', 1n, 1n],
    [0, 'a', 1n, 2n],
  ]);
  assert.is(result.hashes![0], result.hashes![1]);
});

spec('has windows with an offset', () => {
  const result = run(partials(trips, [], [count], { sizeMs: 1000, offsetMs: 300 }), [299, 'a', 1], [300, 'a', 1]);
  assert.equal(valuesOf(result), [
    [-700, 1n],
    [300, 1n],
  ]);
});

spec('yields nothing for no rows', () => {
  const result = run(partials(trips, ['key'], [count]));
  assert.is(result.batch.rows, 0);
  assert.is(result.windows, undefined);
  assert.is(result.maxEventTime, Number.NEGATIVE_INFINITY);
});

spec('only lets rows take part that pass the filter and have a value', () => {
  const positive = call('>', [column(trips, 'x'), literal(0, 'DOUBLE')]);
  const x = column(trips, 'x');
  const calls = [
    aggregate('COUNT', x),
    aggregate('COUNT', undefined, positive),
    aggregate('SUM', x, positive),
    aggregate('MIN', x),
  ];
  const result = run(
    partials(trips, ['key'], calls),
    [0, 'a', 1, -1.5],
    [0, 'a', 1, null],
    [0, 'a', 1, 2],
    [0, 'b', 1, null],
  );
  assert.equal(valuesOf(result), [
    [0, 'a', 2n, 1n, 2, -1.5],
    [0, 'b', 0n, 0n, null, null],
  ]);
});

spec('finds the least and the greatest text', () => {
  const s = column(trips, 's');
  const rows = ['m', 'zz', '', '\u{10000}', '\uffff', 'aaaaaaaa'].map((text): Trip => [0, 'a', 1, null, text]);
  const result = run(partials(trips, ['key'], [aggregate('MIN', s), aggregate('MAX', s)]), ...rows, [0, 'b', 1]);
  assert.equal(valuesOf(result), [
    [0, 'a', '', '\u{10000}'],
    [0, 'b', null, null],
  ]);
});

spec('sums beyond 53 bits are exact, beyond 64 they wrap around', () => {
  const large = 2n ** 53n - 1n;
  assert.equal(valuesOf(run(partials(trips, [], [total], 'no window'), [0, 'a', large], [0, 'a', large])), [
    [2n * large],
  ]);
  const max = 2n ** 63n - 1n;
  assert.equal(valuesOf(run(partials(trips, [], [total], 'no window'), [0, 'a', max], [0, 'a', 2])), [
    [-(2n ** 63n) + 1n],
  ]);
});

spec('keeps apart ten thousand keys of several types, over many windows', () => {
  const wide = schemaFrom({ t: 'TIMESTAMP', i: 'INT', d: 'DOUBLE', b: 'BOOLEAN', s: 'STRING' });
  const fragment = compileFragment(partials(wide, ['i', 'd', 'b', 's'], [count]));
  const rows = Array.from({ length: 30_000 }, (_, k) => {
    const id = k % 10_000;
    return {
      t: (id % 3) * 1000,
      i: id >> 3,
      d: (id & 1) === 0 ? Number.NaN : -0.5,
      b: (id & 2) === 0,
      s: `key ${id & 4}`,
    };
  });
  for (let round = 0; round < 3; round++) {
    const result = fragment.run({ kind: 'columns', batch: batchFrom(wide, rows) });
    assert.is(result.batch.rows, 10_000);
    assert.ok(rowsOf(result.batch).every(row => row['count0'] === 3n));
    assert.is(new Set(rowsOf(result.batch).map(row => Object.values(row).map(String).join())).size, 10_000);
  }
});

spec('is the same for narrow and wide columns', () => {
  const fragment = partials(trips, ['n'], [count, total]);
  const narrow = run(fragment, [0, 'a', 5], [0, 'a', -7]);
  const wide = run(fragment, [0, 'a', 5], [0, 'a', -7], [0, 'a', 2n ** 62n]);
  assert.equal(valuesOf(wide).slice(0, 2), valuesOf(narrow));
  assert.equal([...wide.hashes!.slice(0, 2)], [...narrow.hashes!]);
});

spec('reads late rows again: those of windows that are closed at a watermark', () => {
  const schema = schemaFrom({ t: 'TIMESTAMP' });
  const rows = rowFragment(schema, {}, 't');
  const late = compileFragment({ ...rows, output: { ...rows.output, lateWindow: second } as Fragment['output'] });
  const bytes = recordBatch([0, 999, 1000, 1999, 2000, -5].map(t => ({ value: JSON.stringify({ t }) })));
  const timesAt = (lateAt: number | undefined): unknown[] => {
    const result = late.run({ ...recordsTask(bytes), lateAt });
    assert.is(result.rowsPassed, result.batch.rows);
    assert.is(result.rowsIn, 6);
    return rowsOf(result.batch).map(row => row['t']);
  };
  assert.equal(timesAt(undefined), [0, 999, 1000, 1999, 2000, -5]);
  assert.equal(timesAt(998), [-5]);
  assert.equal(timesAt(999), [0, 999, -5]);
  assert.equal(timesAt(1998), [0, 999, -5]);
  assert.equal(timesAt(1999), [0, 999, 1000, 1999, -5]);
});

spec('counts the event time of rows that the filter drops', () => {
  const fragment = { ...partials(trips, ['key'], [count]), filter: call('=', [column(trips, 'key'), literal('a')]) };
  const result = run(fragment, [5, 'a', 1], [9000, 'b', 1]);
  assert.is(result.maxEventTime, 9000);
  assert.is(result.rowsIn, 2);
  assert.is(result.rowsPassed, 1);
  assert.equal(result.windows, { first: 0, last: 0 });
});

spec.run();
