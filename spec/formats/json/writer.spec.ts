import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { ByteWriter } from '../../../lib/base/byte-writer.ts';
import { type Batch, batchFrom } from '../../../lib/data/batch.ts';
import { columnFrom } from '../../../lib/data/column.ts';
import { dataType, type TypeName, type Value } from '../../../lib/data/data-type.ts';
import { createJsonWriter } from '../../../lib/formats/json/writer.ts';
import { everyType, rowOfEveryType } from '../../support/arbitrary-expression.ts';
import { suite } from '../../support/suite.ts';

const spec = suite('JSON writer');

function written(batch: Batch, row = 0): string {
  const out = new ByteWriter(1);
  createJsonWriter(batch.schema).write(batch, row, out);
  return new TextDecoder('utf-8', { fatal: true }).decode(out.view());
}
function one(type: TypeName, value: Value): string {
  const schema = { fields: [{ name: 'v', type: dataType(type, true) }] };
  return written(batchFrom(schema, [{ v: value }]));
}

spec('prints doubles as JSON.stringify does', () => {
  const borders = [
    0,
    -0,
    1,
    10,
    99999999,
    1e8,
    123456789012,
    2 ** 53,
    -(2 ** 53) + 1,
    1e16,
    1e21,
    1e-7,
    5e-324,
    1.5,
    0.1,
  ];
  for (const value of [...borders, Number.NaN, Infinity, -Infinity])
    assert.is(one('DOUBLE', value), JSON.stringify({ v: value }));
  fc.assert(fc.property(fc.double(), value => assert.is(one('DOUBLE', value), JSON.stringify({ v: value }))));
  fc.assert(fc.property(fc.maxSafeInteger(), value => assert.is(one('DOUBLE', value), JSON.stringify({ v: value }))));
});

spec('prints all digits of a BIGINT', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), value =>
      assert.is(one('BIGINT', value), `{"v":${value}}`),
    ),
  );
  for (let digits = 1n; digits < 2n ** 63n; digits *= 10n)
    for (const value of [digits - 1n, digits, -digits, digits + 1n]) assert.is(one('BIGINT', value), `{"v":${value}}`);
});

spec('escapes texts as JSON.stringify does', () => {
  const controls = String.fromCharCode(...Array.from({ length: 128 }, (_, i) => i));
  assert.is(one('STRING', controls), JSON.stringify({ v: controls }));
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), value =>
      assert.is(one('STRING', value), JSON.stringify({ v: value })),
    ),
  );
});

spec('prints timestamps without a zone, milliseconds only where there are some', () => {
  assert.is(one('TIMESTAMP', 978_307_260_000), '{"v":"2001-01-01T00:01:00"}');
  assert.is(one('TIMESTAMP', 978_307_260_007), '{"v":"2001-01-01T00:01:00.007"}');
  assert.is(one('TIMESTAMP', -1), '{"v":"1969-12-31T23:59:59.999"}');
  fc.assert(
    fc.property(fc.integer({ min: -8.64e15, max: 8.64e15 }), time => {
      const iso = new Date(time).toISOString();
      assert.is(one('TIMESTAMP', time), JSON.stringify({ v: iso.replace(/(\.000)?Z$/, '') }));
    }),
  );
});

spec('writes names as keys, whatever they are, in the order of the schema', () => {
  const names = ['b', 'a', '2', '1', '"', '\\', '\n', 'é', '__proto__', 'constructor'];
  const schema = { fields: names.map(name => ({ name, type: dataType('INT', false) })) };
  const columns = names.map((name, i) => columnFrom(dataType('INT', false), [i], name));
  const text = written({ schema, rows: 1, columns });
  assert.is(text, `{${names.map((name, i) => `${JSON.stringify(name)}:${i}`).join(',')}}`);
  assert.is(written({ schema: { fields: [] }, rows: 1, columns: [] }), '{}');
});

spec('writes rows of every type that JSON.parse reads back', () => {
  fc.assert(
    fc.property(fc.array(rowOfEveryType, { minLength: 1, maxLength: 9 }), rows => {
      const names = everyType.fields.map(({ name }) => name);
      const batch = batchFrom(
        everyType,
        rows.map(row => Object.fromEntries(names.map((name, i) => [name, row[i]]))),
      );
      rows.forEach((row, at) => {
        const parsed = JSON.parse(written(batch, at)) as Record<string, unknown>;
        everyType.fields.forEach(({ name, type }, i) => {
          const value = row[i];
          if (value === null) assert.is(parsed[name], null);
          else if (type.name === 'BIGINT') assert.is(parsed[name], Number(value));
          else if (type.name === 'DOUBLE') assert.is(parsed[name], Number.isFinite(value) ? Number(value) + 0 : null);
          else if (type.name !== 'TIMESTAMP') assert.is(parsed[name], value);
        });
      });
    }),
  );
});

spec('appends: what was there stays', () => {
  const schema = { fields: [{ name: 'v', type: dataType('INT', true) }] };
  const batch = batchFrom(schema, [{ v: 1 }, { v: null }]);
  const out = new ByteWriter(1);
  const writer = createJsonWriter(schema);
  writer.write(batch, 0, out);
  writer.write(batch, 1, out);
  assert.is(new TextDecoder().decode(out.view()), '{"v":1}{"v":null}');
});

spec.run();
