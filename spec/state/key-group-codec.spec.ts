import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { crc32c } from '../../lib/base/crc32c.ts';
import { BraidError } from '../../lib/base/errors.ts';
import { columnFrom, valueAt } from '../../lib/data/column.ts';
import { dataType, typeNames } from '../../lib/data/data-type.ts';
import { hashKeys, keyGroupOf } from '../../lib/data/key-hash.ts';
import type { StoredColumn } from '../../lib/state/gather.ts';
import { type GroupLayout, partialColumns } from '../../lib/state/group-table.ts';
import { decodeKeyGroup, encodeKeyGroup, type KeyGroupState } from '../../lib/state/key-group-codec.ts';
import { WindowedGroups } from '../../lib/state/windowed-groups.ts';
import { suite } from '../support/suite.ts';

const seed = Number(process.env.BRAID_SEED ?? Date.now() % 2 ** 31);
const spec = suite('key group codec');

const layout: GroupLayout = {
  keys: [...typeNames.map(name => dataType(name, true)), dataType('STRING', false)],
  accumulators: [
    { op: 'count', type: dataType('BIGINT', false) },
    { op: 'min', type: dataType('STRING', true) },
  ],
};
const types = [...layout.keys, ...layout.accumulators.map(({ type }) => type)];

const rowArbitrary = fc.tuple(
  fc.option(fc.boolean()),
  fc.option(fc.integer()),
  fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
  fc.option(fc.double()),
  fc.option(fc.string({ unit: 'grapheme' })),
  fc.option(fc.integer()),
  fc.string({ unit: 'grapheme' }),
  fc.bigInt({ min: 0n, max: 2n ** 53n - 1n }),
  fc.option(fc.string({ unit: 'grapheme' })),
);

function stateOf(rows: readonly (readonly unknown[])[], sizes: readonly number[]): KeyGroupState {
  const columns = types.map((type, c) =>
    columnFrom(
      type,
      rows.map(row => row[c]),
      'column',
    ),
  ) as StoredColumn[];
  const hashes = Int32Array.from(rows, (_, i) => Math.imul(i + 1, 0x9e3779b1));
  return { windows: sizes.map((groups, w) => ({ start: w * 1000 - 500, groups })), hashes, columns };
}

const state = fc
  .array(rowArbitrary, { minLength: 1, maxLength: 20 })
  .chain(rows =>
    fc
      .integer({ min: 1, max: rows.length })
      .map(cut => stateOf(rows, cut === rows.length ? [cut] : [cut, rows.length - cut])),
  );

function plain({ windows, hashes, columns }: KeyGroupState): unknown {
  return {
    windows,
    hashes: [...hashes],
    columns: columns.map(column => [column.kind, Array.from(hashes, (_, row) => valueAt(column, row))]),
  };
}

function failure(run: () => unknown): BraidError | undefined {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof BraidError) return thrown;
    throw thrown;
  }
  return undefined;
}

spec(`what was encoded comes back, wherever the bytes lie (BRAID_SEED=${seed})`, () => {
  fc.assert(
    fc.property(state, fc.nat(9), (before, offset) => {
      const encoded = encodeKeyGroup(layout, before);
      const file = Buffer.alloc(encoded.length + offset);
      file.set(encoded, offset);
      assert.equal(plain(decodeKeyGroup(layout, file.subarray(offset), 'file')), plain(before));
    }),
    { seed, numRuns: 200, includeErrorInReport: true },
  );
});

spec(`every changed byte and every cut is an error with a place (BRAID_SEED=${seed})`, () => {
  const [before] = fc.sample(state, { seed, numRuns: 1 });
  const encoded = encodeKeyGroup(layout, before!);
  // The last four bytes are padding behind the checksum.
  for (let at = 0; at < encoded.length - 4; at++) {
    const damaged = encoded.slice();
    damaged[at] = damaged[at]! ^ 0x40;
    const error = failure(() => decodeKeyGroup(layout, damaged, 'file 7'));
    assert.is(error?.code, 'SNAPSHOT_CORRUPT', `byte ${at}`);
    assert.is(error?.place, 'file 7');
  }
  for (let length = 0; length < encoded.length; length++) {
    const error = failure(() => decodeKeyGroup(layout, encoded.subarray(0, length), 'file 7'));
    assert.is(error?.code, 'SNAPSHOT_CORRUPT', `${length} bytes`);
  }
});

spec(`lengths are checked although the checksum is right (BRAID_SEED=${seed})`, () => {
  fc.assert(
    fc.property(state, fc.nat(), fc.integer(), (before, where, value) => {
      const encoded = encodeKeyGroup(layout, before);
      const words = new Int32Array(encoded.buffer);
      const end = words.length - 2;
      words[where % end] = value;
      words[end] = crc32c(encoded, 0, end * 4);
      // Values may be anything; what the bytes say about themselves may not, and must never end in a RangeError.
      const error = failure(() => decodeKeyGroup(layout, encoded, 'file'));
      assert.ok(error === undefined || ['SNAPSHOT_CORRUPT', 'SCHEMA_MISMATCH'].includes(error.code), error?.code);
    }),
    { seed, numRuns: 1000, includeErrorInReport: true },
  );
});

spec('another aggregate does not read it', () => {
  const one: GroupLayout = {
    keys: [dataType('INT', false)],
    accumulators: [{ op: 'sum', type: dataType('INT', false) }],
  };
  const columns = [0, 1].map(() => columnFrom(dataType('INT', false), [1, 2], 'column')) as StoredColumn[];
  const encoded = encodeKeyGroup(one, { windows: [{ start: 0, groups: 2 }], hashes: Int32Array.of(1, 2), columns });
  for (const other of [
    { ...one, accumulators: [{ op: 'max', type: dataType('INT', false) }] },
    { ...one, accumulators: [{ op: 'sum', type: dataType('BIGINT', false) }] },
    { ...one, keys: [] },
  ] as const satisfies readonly GroupLayout[])
    assert.is(failure(() => decodeKeyGroup(other, encoded, 'file'))?.code, 'SCHEMA_MISMATCH');
});

spec('format 1 stays as it is', () => {
  const one: GroupLayout = {
    keys: [dataType('STRING', true)],
    accumulators: [{ op: 'count', type: dataType('BIGINT', false) }],
  };
  const columns = [
    columnFrom(dataType('STRING', true), ['LAX', null], 'key'),
    columnFrom(dataType('BIGINT', false), [7n, 8n], 'count'),
  ] as StoredColumn[];
  const encoded = encodeKeyGroup(one, {
    windows: [{ start: 3_600_000, groups: 2 }],
    hashes: Int32Array.of(5, 133),
    columns,
  });
  assert.is(
    Buffer.from(encoded)
      .toString('hex')
      .replace(/(.{16})/g, '$1 ')
      .trim(),
    format1,
  );
});

const format1 = [
  '4252444701000000 0100000002000000 0200000000000000', // BRDG, format 1, a window, two groups, two columns
  '0000000040774b41 0200000000000000', // the window and its size
  '0500000085000000', // hashes
  '0000000007000000 0100000003000000 fd00000000000000 0300000003000000 4c41580000000000', // the key: NULLs, ends, text
  '0100000005000000 0000000000000000 0000000000001c40 0000000000002040', // the count
  '75a602aa00000000', // the checksum
].join(' ');

spec('state of one key group is refused under another', () => {
  const one: GroupLayout = { keys: [dataType('INT', false)], accumulators: [] };
  const groups = new WindowedGroups(one);
  const columns = [columnFrom(dataType('INT', false), [1, 2, 3], 'key')];
  const hashes = Int32Array.of(0, 1, 2).map(row => hashKeys(columns, row));
  groups.table(0).merge(partialColumns(one, columns, hashes, 3), Int32Array.of(0, 1, 2), 0, 3);
  const encoded = groups.encode();
  assert.equal([...encoded.keys()].sort(), [...new Set(Array.from(hashes, hash => keyGroupOf(hash)))].sort());
  const [[keyGroup, bytes]] = [...encoded] as [[number, Uint8Array]];
  const other = new WindowedGroups(one);
  assert.match(failure(() => other.decode(keyGroup + 1, bytes, 'totals'))?.message ?? '', /of another key group/);
  other.decode(keyGroup, bytes, 'totals');
  assert.is(other.groups, 1);
});

spec.run();
