import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { crc32c } from '../../lib/base/crc32c.ts';
import { suite } from '../support/suite.ts';

const spec = suite('CRC-32C');

spec('gives the values of RFC 3720, appendix B.4, and of the check string', () => {
  assert.is(crc32c(new Uint8Array(32)), 0x8a9136aa);
  assert.is(crc32c(new Uint8Array(32).fill(255)), 0x62a8ab43);
  assert.is(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e);
  assert.is(crc32c(Uint8Array.from({ length: 32 }, (_, i) => 31 - i)), 0x113fdb5c);
  assert.is(crc32c(new TextEncoder().encode('123456789')), 0xe3069283);
  assert.is(crc32c(new Uint8Array(0)), 0);
});

/** The definition: one bit after the other. */
function bitwise(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (const byte of bytes) {
    c ^= byte;
    for (let k = 0; k < 8; k++) c = c & 1 ? 0x82f63b78 ^ (c >>> 1) : c >>> 1;
  }
  return (c ^ 0xffffffff) >>> 0;
}

spec('is the same as bit by bit, wherever the bytes lie and in shared memory', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 100 }),
      fc.nat(20),
      fc.nat(20),
      fc.boolean(),
      (bytes, before, after, shared) => {
        const length = before + bytes.length + after + 3;
        const whole = new Uint8Array(shared ? new SharedArrayBuffer(length) : new ArrayBuffer(length), 3).fill(7);
        whole.set(bytes, before);
        assert.is(crc32c(whole, before, before + bytes.length), bitwise(bytes));
      },
    ),
  );
});

spec.run();
