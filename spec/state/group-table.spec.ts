import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { seededRandom } from '../../lib/base/random.ts';
import { type Column, columnFrom, valueAt } from '../../lib/data/column.ts';
import { type DataType, dataType, type TypeName, type Value } from '../../lib/data/data-type.ts';
import { hashKeys } from '../../lib/data/key-hash.ts';
import { gather } from '../../lib/state/gather.ts';
import { type GroupLayout, GroupTable, partialColumns } from '../../lib/state/group-table.ts';
import { suite } from '../support/suite.ts';

const seed = Number(process.env.BRAID_SEED ?? Date.now() % 2 ** 31);
const spec = suite('group table');

const bigint = dataType('BIGINT', false);
const text = dataType('STRING', false);
const nullable = (type: DataType): DataType => dataType(type.name, true);

/** Merges rows of [keys..., accumulators...] as one batch, or those of `only`. */
function merge(
  table: GroupTable,
  rows: readonly (readonly Value[])[],
  only = [...rows.keys()],
  hashOf: (keys: readonly Column[], row: number) => number = hashKeys,
): void {
  const { keys, accumulators } = table.layout;
  const types = [...keys, ...accumulators.map(({ type }) => type)];
  const columns = types.map(
    (type, c): Column =>
      columnFrom(
        type,
        rows.map(row => row[c]),
        'column',
      ),
  );
  const hashes = Int32Array.from(rows, (_, row) => hashOf(columns.slice(0, keys.length), row));
  table.merge(partialColumns(table.layout, columns, hashes, rows.length), Int32Array.from(only), 0, only.length);
}

function groupsOf(table: GroupTable): Value[][] {
  const columns = table.views().map(column => gather([{ column, order: undefined, from: 0, to: table.groups }]));
  return Array.from({ length: table.groups }, (_, row) => columns.map(column => valueAt(column, row)));
}

const counting: GroupLayout = {
  keys: [bigint],
  accumulators: [
    { op: 'count', type: bigint },
    { op: 'max', type: bigint },
  ],
};

spec('finds its groups again while it grows from nothing to many', () => {
  const table = new GroupTable(counting);
  const random = seededRandom(3);
  const expected = new Map<bigint, [bigint, bigint]>();
  for (let batch = 0; batch < 40; batch++) {
    const rows = Array.from({ length: 500 }, () => [
      BigInt(Math.floor(random() * 8000)),
      1n,
      BigInt(Math.floor(random() * 1000)),
    ]);
    for (const [key, count, max] of rows as [bigint, bigint, bigint][]) {
      const [counted, greatest] = expected.get(key) ?? [0n, max];
      expected.set(key, [counted + count, max > greatest ? max : greatest]);
    }
    merge(table, rows);
  }
  assert.is(table.groups, expected.size);
  assert.equal(
    groupsOf(table),
    [...expected].map(([key, values]) => [key, ...values]),
  );
});

spec('merges the chosen rows only, in the order of their first key', () => {
  const table = new GroupTable(counting);
  merge(
    table,
    [
      [1n, 1n, 1n],
      [2n, 1n, 2n],
      [3n, 1n, 3n],
      [2n, 1n, 4n],
    ],
    [3, 0, 1],
  );
  assert.equal(groupsOf(table), [
    [2n, 2n, 4n],
    [1n, 1n, 1n],
  ]);
});

const borders = [0n, 1n, -1n, 2n ** 53n - 1n, 1n - 2n ** 53n, 2n ** 53n, -(2n ** 53n), 2n ** 63n - 1n, -(2n ** 63n)];

spec(`BIGINT is exact across the safe integers, keys and accumulators (BRAID_SEED=${seed})`, () => {
  const layout: GroupLayout = {
    keys: [nullable(bigint)],
    accumulators: (['sum', 'min', 'max'] as const).map(op => ({ op, type: nullable(bigint) })),
  };
  const value = fc.option(fc.oneof(fc.constantFrom(...borders), fc.bigInt({ min: -9n, max: 9n })), { nil: null });
  const batches = fc.array(fc.array(fc.tuple(value, value), { maxLength: 20 }), { maxLength: 5 });
  fc.assert(
    fc.property(batches, all => {
      const table = new GroupTable(layout);
      const expected = new Map<bigint | null, (bigint | null)[]>();
      for (const batch of all) {
        for (const [key, argument] of batch) {
          const [sum, min, max] = expected.get(key) ?? [null, null, null];
          expected.set(
            key,
            argument === null
              ? [sum!, min!, max!]
              : [
                  BigInt.asIntN(64, (sum ?? 0n) + argument),
                  min == null || argument < min ? argument : min,
                  max == null || argument > max ? argument : max,
                ],
          );
        }
        merge(
          table,
          batch.map(([key, argument]) => [key, argument, argument, argument]),
        );
      }
      assert.equal(
        groupsOf(table),
        [...expected].map(([key, values]) => [key, ...values]),
      );
    }),
    { seed, numRuns: 300, includeErrorInReport: true },
  );
});

spec('a sum that leaves the safe integers goes on exactly', () => {
  const table = new GroupTable({ keys: [bigint], accumulators: [{ op: 'sum', type: bigint }] });
  merge(table, [
    [1n, 2n ** 53n - 1n],
    [2n, 1n - 2n ** 53n],
  ]);
  for (let i = 0; i < 3; i++)
    merge(table, [
      [1n, 1n],
      [2n, -1n],
    ]);
  assert.equal(groupsOf(table), [
    [1n, 2n ** 53n + 2n],
    [2n, -(2n ** 53n) - 2n],
  ]);
});

const keysOf: Readonly<Record<TypeName, readonly Value[]>> = {
  BOOLEAN: [null, false, true],
  INT: [null, 0, 1, -1, 2147483647],
  BIGINT: [null, 0n, 1n, 2n ** 32n, 2n ** 53n, 2n ** 53n + 2n ** 33n, -(2n ** 63n)],
  DOUBLE: [null, 0, 1, Number.NaN, Infinity],
  STRING: [null, '', 'a', 'b', 'ab'],
  TIMESTAMP: [null, 0, 1],
};
for (const [name, keys] of Object.entries(keysOf) as [TypeName, readonly Value[]][]) {
  spec(`${name} keys with one hash stay apart, and each is found again`, () => {
    const layout: GroupLayout = { keys: [dataType(name, true)], accumulators: [{ op: 'count', type: bigint }] };
    // Without NULL the keys go another way.
    for (const some of [keys, keys.slice(1)]) {
      const table = new GroupTable(layout);
      for (let i = 0; i < 3; i++)
        merge(
          table,
          some.map(key => [key, 1n]),
          undefined,
          () => 77,
        );
      assert.equal(
        groupsOf(table),
        some.map(key => [key, 3n]),
      );
    }
  });
}

spec('a group that has seen nothing but NULL is NULL, however large the table becomes', () => {
  const table = new GroupTable({ keys: [bigint], accumulators: [{ op: 'max', type: nullable(bigint) }] });
  merge(table, [[-1n, null]]);
  const many = Array.from({ length: 500 }, (_, i): Value[] => [BigInt(i), i % 3 === 0 ? null : 5n]);
  merge(table, many);
  merge(
    table,
    many.filter(row => row[1] !== null),
  );
  assert.equal(groupsOf(table), [[-1n, null], ...many]);
});

spec('a table that was emptied is as good as new, whatever was in it', () => {
  const layout: GroupLayout = {
    keys: [nullable(bigint), nullable(text)],
    accumulators: [
      { op: 'sum', type: nullable(bigint) },
      { op: 'max', type: nullable(text) },
    ],
  };
  const table = new GroupTable(layout);
  const many = Array.from({ length: 300 }, (_, i): Value[] => [
    2n ** 60n + BigInt(i),
    `t${i}`,
    2n ** 62n,
    'z'.repeat(i),
  ]);
  merge(table, [...many, [null, null, null, null]]);
  const { bytes } = table;
  table.clear();
  assert.is(table.groups, 0);
  merge(table, [
    [1n, 'a', null, null],
    [1n, null, 5n, 'b'],
    [1n, 'a', 7n, 'c'],
  ]);
  assert.equal(groupsOf(table), [
    [1n, 'a', 7n, 'c'],
    [1n, null, 5n, 'b'],
  ]);
  assert.ok(table.bytes <= bytes, 'no memory is taken anew');
});

spec('extremes of texts are found by their bytes, and what is no longer needed is given up', () => {
  const layout: GroupLayout = {
    keys: [bigint],
    accumulators: [
      { op: 'min', type: text },
      { op: 'max', type: text },
    ],
  };
  const table = new GroupTable(layout);
  const label = (length: number): string => 'x'.repeat(length);
  for (let length = 1; length <= 3000; length++) merge(table, [[BigInt(length % 2), label(length), label(length)]]);
  assert.equal(groupsOf(table), [
    [1n, 'x', label(2999)],
    [0n, 'xx', label(3000)],
  ]);
  // All maxima together were 4.5 million bytes.
  assert.ok(table.bytes < 50_000, `${table.bytes} bytes`);
  merge(table, [
    [0n, '\u{10000}', '\u{10000}'],
    [0n, '\uffff', '\uffff'],
  ]);
  assert.is(groupsOf(table)[1]![2], '\u{10000}');
});

spec('without keys there is one group', () => {
  const table = new GroupTable({ keys: [], accumulators: [{ op: 'count', type: bigint }] });
  merge(table, [[1n], [2n], [3n]]);
  merge(table, [[4n]]);
  assert.equal(groupsOf(table), [[10n]]);
});

spec('costs at most 100 bytes a key and aggregate, however many keys', () => {
  const table = new GroupTable(counting);
  let most = 0;
  for (let keys = 1000; keys <= 100_000; keys += 1000) {
    merge(
      table,
      Array.from({ length: 1000 }, (_, i) => [BigInt(keys + i), 1n, 1n]),
    );
    most = Math.max(most, table.bytes / table.groups / counting.accumulators.length);
  }
  assert.ok(most <= 100, `${most} bytes a key and aggregate`);
});

spec('there is no sum of texts', () => {
  assert.throws(() => new GroupTable({ keys: [], accumulators: [{ op: 'sum', type: text }] }), /no sum of STRING/);
});

spec.run();
