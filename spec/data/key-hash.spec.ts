import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { type Column, columnFrom } from '../../lib/data/column.ts';
import { dataType, type TypeName, type Value } from '../../lib/data/data-type.ts';
import { hashKeys, keyGroupOf } from '../../lib/data/key-hash.ts';
import { suite } from '../support/suite.ts';

const spec = suite('hash of keys');

function columnOf(type: TypeName, value: Value): Column {
  return columnFrom(dataType(type, true), [value], 'key');
}
function hashOf(...keys: readonly (readonly [TypeName, Value])[]): number {
  return hashKeys(
    keys.map(([type, value]) => columnOf(type, value)),
    0,
  );
}

spec('is what it was in the first version: state is persisted by it', () => {
  assert.equal(
    [
      hashOf(),
      hashOf(['INT', 0]),
      hashOf(['INT', -1]),
      hashOf(['BIGINT', 1n << 40n]),
      hashOf(['BIGINT', -(1n << 63n)]),
      hashOf(['BOOLEAN', true]),
      hashOf(['TIMESTAMP', 978_307_260_000]),
      hashOf(['DOUBLE', 0.1]),
      hashOf(['DOUBLE', Number.NaN]),
      hashOf(['STRING', '']),
      hashOf(['STRING', 'ORD']),
      hashOf(['STRING', 'Zürich, 日本']),
      hashOf(['STRING', null]),
      hashOf(['STRING', 'a'], ['INT', 7], ['BOOLEAN', null]),
    ],
    [
      1368138773, 357487008, -949842309, -206251804, -1409576619, -1898664418, 816510396, 1566644701, 343603830,
      220710737, -706655918, 1284031633, -632962096, 753739380,
    ],
  );
});

spec('does not depend on how a key is held', () => {
  const wide: Column = { kind: 'wide', values: BigInt64Array.of(-12_345_678_901n, 1n << 62n), validity: undefined };
  const narrow: Column = { kind: 'narrow', values: Float64Array.of(-12_345_678_901), validity: undefined };
  assert.is(hashKeys([wide], 0), hashKeys([narrow], 0));
  assert.is(hashOf(['INT', -5]), hashOf(['BIGINT', -5n]));
  const text = columnOf('STRING', 'airport') as Extract<Column, { kind: 'utf8' }>;
  const dictionary: Column = { kind: 'dictionary', dictionary: text, codes: Int32Array.of(0), validity: undefined };
  assert.is(hashKeys([dictionary], 0), hashKeys([text], 0));
});

spec('is equal for keys that are equal', () => {
  assert.is(hashOf(['DOUBLE', -0]), hashOf(['DOUBLE', 0]));
  const bits = new BigUint64Array([0xfff8000000000001n]);
  const odd: Column = { kind: 'double', values: new Float64Array(bits.buffer), validity: undefined };
  assert.is(hashKeys([odd], 0), hashOf(['DOUBLE', Number.NaN]));
});

spec('tells keys apart whose bytes together are the same', () => {
  assert.is.not(hashOf(['STRING', 'ab'], ['STRING', 'c']), hashOf(['STRING', 'a'], ['STRING', 'bc']));
  assert.is.not(hashOf(['STRING', 'a\0']), hashOf(['STRING', 'a']));
  assert.is.not(hashOf(['STRING', null], ['STRING', 'a']), hashOf(['STRING', 'a'], ['STRING', null]));
});

spec('spreads keys over all 128 key groups', () => {
  const counts = new Int32Array(128);
  const keys = 128 * 200;
  for (let i = 0; i < keys; i++) {
    const group = keyGroupOf(hashOf(['BIGINT', BigInt(1000 + i)]));
    counts[group] = counts[group]! + 1;
  }
  // Five standard deviations of a fair draw.
  assert.ok(Math.min(...counts) > 200 - 71 && Math.max(...counts) < 200 + 71, `${counts}`);
});

spec('is a 32-bit integer, and its key group lies in range', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme' }),
      fc.double(),
      fc.integer({ min: 1, max: 1000 }),
      (text, double, groups) => {
        const hash = hashOf(['STRING', text], ['DOUBLE', double]);
        assert.is(hash, hash | 0);
        const group = keyGroupOf(hash, groups);
        assert.ok(group >= 0 && group < groups && Number.isInteger(group));
      },
    ),
  );
});

spec.run();
