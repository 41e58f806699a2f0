import * as assert from 'uvu/assert';
import { BraidError } from '../../lib/base/errors.ts';
import { reduce } from '../../lib/inspect/reduce.ts';
import { suite } from '../support/suite.ts';

const test = suite('reduced payloads');

test('plain data of ordinary size passes unchanged', () => {
  const value = {
    type: 'splits.assigned',
    cluster: 'east',
    splits: ['e0', 'e1'],
    generation: 3,
    fatal: false,
    at: null,
  };
  assert.equal(reduce(value), value);
});

test('bytes, long lists, long texts and deep trees are counted or cut', () => {
  assert.is(reduce(new Uint8Array(1_000_000)), '[1000000 bytes]');
  assert.is(reduce(new SharedArrayBuffer(8)), '[8 bytes]');
  assert.is(reduce(Array.from({ length: 51 })), '[51 items]');
  assert.is(reduce(new Map([[1, 2]])), '[1 items]');
  assert.is(reduce('x'.repeat(201)), `${'x'.repeat(200)}… (201 characters)`);
  assert.equal(reduce({ a: { b: { c: { d: { e: 1 } } } } }), { a: { b: { c: { d: '[1 fields]' } } } });
  const loop: Record<string, unknown> = {};
  loop.loop = loop;
  assert.type(JSON.stringify(reduce(loop)), 'string');
});

test('whatever JSON cannot hold becomes something that it can', () => {
  assert.equal(reduce([1n, Number.NaN, Number.POSITIVE_INFINITY]), ['1', 'NaN', 'Infinity']);
  assert.equal(reduce({ run: () => {}, gone: undefined, kept: 1 }), { kept: 1 });
  assert.equal(reduce(new BraidError('SINK_FAILED', 'the sink failed')), {
    code: 'SINK_FAILED',
    message: 'the sink failed',
  });
});

test.run();
