import { gzipSync } from 'node:zlib';
import * as assert from 'uvu/assert';
import { BraidError, type BraidErrorCode } from '../../lib/base/errors.ts';
import { rowsOf } from '../../lib/data/batch.ts';
import { sealCrc } from '../../lib/formats/record-batch/header.ts';
import { badRecordBytesMax, badRecordsBytesMax } from '../../lib/kernels/bad-records.ts';
import { compileFragment } from '../../lib/kernels/compile.ts';
import type { Fragment, FragmentResult, FragmentTask } from '../../lib/kernels/fragment.ts';
import { joined, recordBatch, recordsTask, withAttributes } from '../support/record-batches.ts';
import { rowFragment, schemaFrom } from '../support/row-fragment.ts';
import { suite } from '../support/suite.ts';

const spec = suite('compiled fragments over records');
const ids = schemaFrom({ id: 'BIGINT' });

function batchOfIds(from: number, to: number): Uint8Array {
  return recordBatch(
    Array.from({ length: to - from }, (_, i) => ({ value: `{"id":${from + i}}` })),
    from,
  );
}
function idsOf(result: FragmentResult): number[] {
  return rowsOf(result.batch).map(row => Number(row['id']));
}
function rows(fragment: Fragment, ...values: (string | null)[]): Record<string, unknown>[] {
  const task = recordsTask(recordBatch(values.map(value => ({ value }))));
  return rowsOf(compileFragment(fragment).run(task).batch).map(row => ({ ...row }));
}
function failure(fragment: Fragment, task: FragmentTask): BraidError {
  try {
    compileFragment(fragment).run(task);
  } catch (thrown) {
    if (thrown instanceof BraidError) return thrown;
    throw thrown;
  }
  throw new Error('nothing was thrown');
}
function failsWith(code: BraidErrorCode, fragment: Fragment, task: FragmentTask): void {
  assert.is(failure(fragment, task).code, code);
}

spec('reads from an offset on and up to another one, whatever batches they lie in', () => {
  const bytes = joined(batchOfIds(0, 5), batchOfIds(5, 10), batchOfIds(10, 15));
  const result = compileFragment(rowFragment(ids)).run(recordsTask(bytes, 3, 12));
  assert.equal(idsOf(result), [3, 4, 5, 6, 7, 8, 9, 10, 11]);
  assert.is(result.rowsIn, 9);
  assert.is(result.nextOffset, 12);
  assert.is(compileFragment(rowFragment(ids)).run(recordsTask(bytes, 0)).nextOffset, 15);
});

spec('stops at a batch that was cut short', () => {
  const bytes = joined(batchOfIds(0, 5), batchOfIds(5, 10));
  const result = compileFragment(rowFragment(ids)).run(recordsTask(bytes.slice(0, bytes.length - 1)));
  assert.equal(idsOf(result), [0, 1, 2, 3, 4]);
  assert.is(result.nextOffset, 5);
});

spec('steps over control batches, and their offsets count', () => {
  const bytes = joined(batchOfIds(0, 2), withAttributes(batchOfIds(2, 3), 32 | 16), batchOfIds(3, 5));
  const result = compileFragment(rowFragment(ids)).run(recordsTask(bytes));
  assert.equal(idsOf(result), [0, 1, 3, 4]);
  assert.is(compileFragment(rowFragment(ids)).run(recordsTask(bytes.slice(0, -1))).nextOffset, 3);
});

spec('unpacks gzip, and names a codec that it does not know', () => {
  const plain = batchOfIds(0, 100);
  const packed = joined(plain.subarray(0, 61), gzipSync(plain.subarray(61)));
  new DataView(packed.buffer).setInt32(8, packed.length - 12);
  const bytes = withAttributes(packed, 1);
  assert.is(idsOf(compileFragment(rowFragment(ids)).run(recordsTask(joined(bytes, batchOfIds(100, 101))))).length, 101);
  failsWith('CODEC_UNSUPPORTED', rowFragment(ids), recordsTask(withAttributes(plain, 4)));
});

spec('refuses a batch that does not match its CRC, unless the caller has checked it', () => {
  const bytes = batchOfIds(0, 5);
  bytes[17] = bytes[17]! ^ 1;
  failsWith('BATCH_CORRUPT', rowFragment(ids), recordsTask(bytes));
  assert.is(compileFragment(rowFragment(ids)).run({ ...recordsTask(bytes), checkCrc: false }).rowsIn, 5);
});

spec('refuses records that do not fit their batch', () => {
  const good = batchOfIds(0, 2);
  for (const [at, value, what] of [
    [61, 2, 'a length that is too small'],
    [61, 126, 'a length that leads out of the batch'],
    [64, 20, 'an offset beyond the last one'],
    [64, 1, 'an offset below the first one'],
    [65, 100, 'a key that is longer than its record'],
    [66, 100, 'a value that is longer than its record'],
    [66, 4, 'bytes left after the headers'],
    [60, 1, 'bytes left after the last record'],
  ] as const) {
    const bytes = good.slice();
    bytes[at] = value;
    sealCrc(bytes, 0, bytes.length);
    assert.is(failure(rowFragment(ids), recordsTask(bytes)).code, 'BATCH_CORRUPT', what);
  }
  // One record more than there are, and one offset more, so that the header agrees with itself.
  const bytes = good.slice();
  bytes[60] = 3;
  bytes[26] = 2;
  sealCrc(bytes, 0, bytes.length);
  failsWith('BATCH_CORRUPT', rowFragment(ids), recordsTask(bytes));
});

spec('reads records with keys, headers and timestamps far apart', () => {
  const headers = [['tag', Uint8Array.of(1, 2)] as const, ['none', null] as const, ['', new Uint8Array(200)] as const];
  const bytes = recordBatch([
    { value: '{"id":1}', key: 'k'.repeat(300), headers, timestamp: 0 },
    { value: '{"id":2}', key: '', headers: [], timestamp: 1.6e12 },
    { value: '{"id":3}', key: null, timestamp: -5 },
  ]);
  assert.equal(idsOf(compileFragment(rowFragment(ids)).run(recordsTask(bytes))), [1, 2, 3]);
});

spec('reads a record that ends with its memory, and one of 50 MB', () => {
  const huge = `{"x":"${'a'.repeat(50 << 20)}","id":7,"y":[${'1,'.repeat(1000)}1]}`;
  for (const text of ['{"id":7}', huge]) {
    const bytes = recordBatch([{ value: text }]);
    const exact = new Uint8Array(bytes.length);
    exact.set(bytes);
    assert.equal(idsOf(compileFragment(rowFragment(ids)).run(recordsTask(exact))), [7]);
  }
});

spec('does not take a value for complete that its neighbour completes', () => {
  const fragment = rowFragment(ids, { badRecords: 'skip' });
  for (const cut of ['{"id":1', '{"id":', '{"id"', '{"i', '{"', '{', '', '{"id":1,', '{"id":1,"x":"', '{"id":1,"x":[1'])
    for (const next of ['}', '1}', ':1}', 'd":1}', '"id":1}', '{"id":1}', ' }', '"}', ']}']) {
      const bytes = recordBatch([{ value: cut }, { value: next }]);
      const result = compileFragment(fragment).run(recordsTask(bytes));
      assert.equal(
        result.badRecords.map(({ offset }) => offset),
        next === '{"id":1}' ? [0] : [0, 1],
        `${cut} | ${next}`,
      );
    }
});

spec('fails at a bad record by its offset, and at a missing event time', () => {
  const times = schemaFrom({ id: 'BIGINT', t: 'TIMESTAMP NULL' });
  const error = failure(
    rowFragment(ids),
    recordsTask(recordBatch([{ value: '{"id":1}' }, { value: '{"id":"x"}' }], 40)),
  );
  assert.is(error.code, 'ROW_INVALID');
  assert.is(error.place, 'offset 41');
  assert.is(error.message, 'record 41: the field id is not a BIGINT NOT NULL');
  assert.ok(error.hint);
  const noTime = failure(rowFragment(times, {}, 't'), recordsTask(recordBatch([{ value: '{"id":1}' }], 7)));
  assert.is(noTime.code, 'EVENT_TIME_MISSING');
  assert.is(noTime.place, 'offset 7');
});

spec('skips bad records, each with one clear reason', () => {
  const fragment = rowFragment(schemaFrom({ id: 'INT', t: 'TIMESTAMP', s: 'STRING' }), { badRecords: 'skip' }, 't');
  const good = { id: 1, t: 0, s: '' };
  const cases: readonly (readonly [string | null, string])[] = [
    [null, 'the record has no value (a tombstone), where a JSON object is wanted'],
    ['', 'the value is not a JSON object'],
    ['[1]', 'the value is not a JSON object'],
    ['{"id":1', 'the value ends in the middle of the JSON object'],
    ['{"id" 1}', 'a key is not followed by a colon'],
    ['{id:1}', 'a key is not in quotes'],
    ['{"x":1 "id":1}', 'neither a comma nor a closing bracket follows a value'],
    ['{"x":}', 'a value is missing'],
    ['{"x":{"y":1,}}', 'a key is not in quotes'],
    ['{"id":1}}', 'something follows the JSON object'],
    ['{"s":"\\x"}', 'a string has an escape that JSON does not know'],
    ['{"s":"\n"}', 'a string has a control character that is not escaped'],
    ['{"id":01}', 'a number is not written as JSON demands'],
    ['{"id":-}', 'a number is not written as JSON demands'],
    ['{"id":nil}', 'a value is neither true, false nor null, nor anything else JSON knows'],
    [JSON.stringify({ ...good, id: 1.5 }), 'the field id has a fraction, and INT NOT NULL is wanted'],
    [JSON.stringify({ ...good, id: 2 ** 31 }), 'the field id is out of the range of INT NOT NULL'],
    [JSON.stringify({ ...good, id: '1' }), 'the field id is not an INT NOT NULL'],
    [JSON.stringify({ ...good, s: null }), 'the field s (STRING NOT NULL) is null'],
    [JSON.stringify({ id: 1, t: 0 }), 'the field s (STRING NOT NULL) is missing'],
    [JSON.stringify({ ...good, t: '2001-02-30' }), 'the field t is not a timestamp like 2001-01-31T23:59:59.999'],
  ];
  const bytes = recordBatch([{ value: JSON.stringify(good) }, ...cases.map(([value]) => ({ value }))]);
  const result = compileFragment(fragment).run(recordsTask(bytes));
  assert.is(result.rowsIn, cases.length + 1);
  assert.is(result.rowsPassed, 1);
  assert.equal(
    result.badRecords.map(({ reason, bytes: value }) => [
      value.length > 0 ? new TextDecoder().decode(value) : null,
      reason,
    ]),
    cases.map(([value, reason]) => [value === '' ? null : value, reason]),
  );
});

spec('puts NULL where a field is wrong, and says so', () => {
  const fragment = rowFragment(schemaFrom({ a: 'INT NULL', s: 'STRING NULL' }), { badRecords: 'null' });
  const bytes = recordBatch([{ value: '{"a":"x","s":"y"}' }, { value: 'oops' }, { value: null }]);
  const result = compileFragment(fragment).run(recordsTask(bytes));
  assert.equal(
    rowsOf(result.batch).map(row => [row['a'], row['s']]),
    [
      [null, 'y'],
      [null, null],
      [null, null],
    ],
  );
  assert.is(result.badRecords.length, 3);
});

spec('keeps at most so many bytes of bad records, and counts them all', () => {
  const large = 'x'.repeat(100_000);
  const result = compileFragment(rowFragment(ids, { badRecords: 'skip' })).run(
    recordsTask(recordBatch(Array.from({ length: 100 }, () => ({ value: large })))),
  );
  const sizes = result.badRecords.map(({ bytes }) => bytes.length);
  assert.is(sizes.length, 100);
  assert.is(sizes[0], badRecordBytesMax);
  assert.is(
    sizes.reduce((a, b) => a + b),
    badRecordsBytesMax,
  );
});

spec('keeps nothing of a task that failed', () => {
  const fragment = compileFragment(rowFragment(ids, { badRecords: 'skip' }));
  const corrupt = joined(recordBatch([{ value: 'oops' }]), batchOfIds(1, 2));
  corrupt[corrupt.length - 3] = 0;
  assert.throws(() => fragment.run(recordsTask(corrupt)));
  assert.equal(fragment.run(recordsTask(batchOfIds(5, 7))).badRecords, []);
});

spec('is exact for all 64-bit integers, and goes back to narrow ones', () => {
  const fragment = compileFragment(rowFragment(ids));
  const run = (...values: readonly string[]): FragmentResult =>
    fragment.run(recordsTask(recordBatch(values.map(value => ({ value: `{"id":${value}}` })))));
  const borders = [
    '9223372036854775807',
    '-9223372036854775808',
    '9007199254740993',
    '1e18',
    '92233720368547758070e-1',
  ];
  for (let i = 0; i < 5; i++) {
    const result = run('1', ...borders);
    assert.is(result.batch.columns[0]!.kind, 'wide');
    assert.equal(
      rowsOf(result.batch).map(row => row['id']),
      [1n, 2n ** 63n - 1n, -(2n ** 63n), 9007199254740993n, 10n ** 18n, 2n ** 63n - 1n],
    );
  }
  for (let i = 0; i < 100; i++) assert.is(run('1', '9007199254740991').batch.columns[0]!.kind, 'narrow');
});

spec('finds fields whose names are anything', () => {
  const names = [
    'a',
    'ab',
    'abc',
    'abcd',
    'abcde',
    'ab"c',
    'a\\b',
    '\n',
    'é',
    '日本',
    '__proto__',
    'x'.repeat(200),
    ' ',
    '0',
  ];
  const schema = schemaFrom(Object.fromEntries(names.map(name => [name, 'INT' as const])));
  // An object literal would take `__proto__` for something else.
  assert.is(schema.fields.length, names.length);
  const text = `{${names.map((name, i) => `${JSON.stringify(name)}:${i}`).join(',')}}`;
  const [row] = rows(rowFragment(schema), text);
  assert.equal(
    names.map(name => Object.getOwnPropertyDescriptor(row, name)?.value),
    names.map((_, i) => i),
  );
});

spec('puts no text of a user into code', () => {
  const name = "'];globalThis.hacked=1;//`${globalThis.hacked=1}\u2028";
  const schema = schemaFrom({ [name]: 'STRING' });
  const [row] = rows(rowFragment(schema), JSON.stringify({ [name]: name }));
  assert.equal(row, { [name]: name });
  assert.not('hacked' in globalThis);
});

spec('yields rows that own their memory', () => {
  const fragment = compileFragment(rowFragment(schemaFrom({ s: 'STRING', id: 'BIGINT' })));
  const bytes = recordBatch([{ value: '{"s":"abc","id":1}' }, { value: '{"s":"\\u0041é","id":2}' }]);
  const first = fragment.run(recordsTask(bytes)).batch;
  bytes.fill(0);
  fragment.run(recordsTask(recordBatch([{ value: '{"s":"zzzzzz","id":9}' }])));
  assert.equal(
    rowsOf(first).map(row => row['s']),
    ['abc', 'Aé'],
  );
  const moved = structuredClone(first, { transfer: first.columns.flatMap(buffersOf) });
  assert.equal(
    rowsOf(moved).map(row => row['s']),
    ['abc', 'Aé'],
  );
});

function buffersOf(column: FragmentResult['batch']['columns'][number]): ArrayBuffer[] {
  const views =
    column.kind === 'utf8' ? [column.bytes, column.starts, column.ends] : 'values' in column ? [column.values] : [];
  return views.map(view => view.buffer as ArrayBuffer);
}

spec('takes repeated keys by the last one, and keys with escapes', () => {
  assert.equal(
    rows(rowFragment(ids), '{"id":"x","id":1}', '{"\\u0069d":2,"x":{"id":9}}', '{"id":3,"\\u0069\\u0064":4}'),
    [{ id: 1n }, { id: 2n }, { id: 4n }],
  );
});

spec('looks at the inside of what is skipped only when told to', () => {
  const odd = ['{"id":1,"x":1.2.3}', '{"id":1,"x":"\\q"}', '{"id":1,"x":[tru,"\n"]}', '{"id":1,"x":{"\t":-}}'];
  const run = (validate: 'structure' | 'full'): number =>
    compileFragment(rowFragment(ids, { validate, badRecords: 'skip' })).run(
      recordsTask(recordBatch(odd.map(value => ({ value })))),
    ).badRecords.length;
  assert.is(run('structure'), 0);
  assert.is(run('full'), odd.length);
});

spec('nests as deep as a record is long', () => {
  const depth = 200_000;
  assert.equal(rows(rowFragment(ids), `{"x":${'['.repeat(depth)}${']'.repeat(depth)},"id":1}`), [{ id: 1n }]);
});

spec('takes no longer for records that lack their end than they are long', () => {
  const values = Array.from({ length: 50_000 }, () => ({ value: '{"x":"' }));
  const result = compileFragment(rowFragment(ids, { badRecords: 'skip' })).run(recordsTask(recordBatch(values)));
  assert.is(result.badRecords.length, values.length);
});

spec.run();
