import { createRequire } from 'node:module';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { BraidError } from '../../lib/base/errors.ts';
import { RecordBatchEncoder } from '../../lib/formats/record-batch/encode.ts';
import { nextBatch } from '../../lib/formats/record-batch/header.ts';
import { RecordWalker } from '../../lib/formats/record-batch/walk.ts';
import { brokerError, brokerErrorCode, brokerErrorCodes, brokerErrorOf } from '../../lib/kafka/error-codes.ts';
import { murmur2, partitionOfKey } from '../../lib/kafka/murmur2.ts';
import { decodeTag, markDuplicates, readTag, type Tag, TagEncoder, tagIdentity } from '../../lib/kafka/tag.ts';
import { suite } from '../support/suite.ts';

const spec = suite('keys, tags and error codes');
const require = createRequire(import.meta.url);
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

spec('murmur2 gives what the Java client gives', () => {
  // From org.apache.kafka.common.utils.UtilsTest.
  for (const [key, hash] of [
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ] as const)
    assert.is(murmur2(text(key)), hash);
});

spec('a key goes where kafkajs puts it, wherever its bytes lie', () => {
  const theirs = require('kafkajs/src/producer/partitioners/default/murmur2') as (key: Buffer) => number;
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.integer({ min: 1, max: 100 }), (key, partitions) => {
      const padded = Uint8Array.of(7, 7, ...key, 7);
      const expected = (theirs(Buffer.from(key)) & 0x7fffffff) % partitions;
      assert.is(partitionOfKey(key, partitions), expected);
      assert.is(partitionOfKey(padded, partitions, 2, 2 + key.length), expected);
    }),
  );
});

const nameArbitrary = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what tags refuse
  .filter(name => text(name).length <= 127 && !/[\u0000-\u001f]/.test(name));
const numberArbitrary = fc.oneof(fc.nat(300), fc.maxSafeNat());
const tagArbitrary: fc.Arbitrary<Tag> = fc.record({
  job: nameArbitrary,
  sink: nameArbitrary,
  writer: fc.nat(),
  home: fc.record({ cluster: nameArbitrary, term: numberArbitrary }),
  epoch: numberArbitrary,
  seq: numberArbitrary,
  dup: fc.constantFrom(0, 1),
});

spec('a tag is read back as it was written, and dup is its last byte', () => {
  fc.assert(
    fc.property(tagArbitrary, tag => {
      const { seq, dup, ...writer } = tag;
      const encoder = new TagEncoder(writer);
      encoder.headers(seq === 0 ? 5 : Math.floor(seq / 2), dup === 0 ? 1 : 0); // what came before leaves no trace
      const section = encoder.headers(seq, dup);
      assert.equal(readTag(section, 0, section.length), { ...tag, home: { ...tag.home } });
      assert.is(section.at(-1), dup);
    }),
  );
});

spec('the format stands as it is documented, byte by byte', () => {
  const encoder = new TagEncoder({
    job: 'jö',
    sink: 's',
    writer: 3,
    home: { cluster: 'east', term: 300 },
    epoch: 1,
  });
  const bytes = [
    ...[2, 10, ...text('braid'), 38], // one header, its name, a value of 19 bytes (zigzag)
    1, // version
    ...[3, ...text('jö')],
    ...[1, ...text('s')],
    3, // writer
    ...[4, ...text('east')],
    ...[0xac, 0x02], // term 300
    1, // epoch
    ...[0x80, 0x01], // seq 128
    1, // dup
  ];
  assert.equal([...encoder.headers(128, 1)], bytes);
});

spec('identities are equal for copies of one record, and for nothing else', () => {
  fc.assert(
    fc.property(tagArbitrary, tagArbitrary, (a, b) => {
      assert.is(tagIdentity({ ...a, dup: 1 }), tagIdentity({ ...a, dup: 0 }));
      const same = JSON.stringify({ ...a, dup: 0 }) === JSON.stringify({ ...b, dup: 0 });
      assert.is(tagIdentity(a) === tagIdentity(b), same);
    }),
  );
});

spec('bytes that are no tag are refused', () => {
  const value = [
    ...new TagEncoder({ job: 'j', sink: 's', writer: 0, home: { cluster: 'c', term: 0 }, epoch: 0 }).headers(0, 0),
  ].slice(8);
  assert.is(decodeTag(Uint8Array.from(value)).job, 'j');
  const refused = (bytes: number[]): string => {
    try {
      decodeTag(Uint8Array.from(bytes));
    } catch (error) {
      return (error as BraidError).code;
    }
    return 'read';
  };
  assert.is(refused([2, ...value.slice(1)]), 'RESPONSE_MALFORMED');
  assert.is(refused([...value.slice(0, -1), 2]), 'RESPONSE_MALFORMED');
  assert.is(refused([...value, 0]), 'RESPONSE_MALFORMED');
  for (let cut = 0; cut < value.length; cut++) assert.is(refused(value.slice(0, cut)), 'RESPONSE_MALFORMED');
  for (const job of ['', 'x'.repeat(128), 'a\u0000b'])
    assert.throws(
      () => new TagEncoder({ job, sink: 's', writer: 0, home: { cluster: 'c', term: 0 }, epoch: 0 }),
      (error: BraidError) => error.code === 'OPTION_INVALID' && error.place === 'job',
    );
});

spec('records that are sent again differ in dup and CRC alone', () => {
  const tags = new TagEncoder({ job: 'j', sink: 's', writer: 0, home: { cluster: 'east', term: 0 }, epoch: 0 });
  const encoder = new RecordBatchEncoder();
  for (let seq = 0; seq < 200; seq++)
    encoder.append(seq, text(`k${seq}`), 0, 2, text('value'), 0, 5, tags.headers(seq, 0));
  const batch = encoder.finish()!;
  const copy = batch.slice();
  markDuplicates(copy);
  const walker = new RecordWalker();
  walker.walk(copy, nextBatch(copy, 0, copy.length)!); // the CRC holds
  for (let i = 0; i < walker.count; i++) {
    const tag = readTag(copy, walker.headersStarts[i]!, walker.headersEnds[i]!)!;
    assert.equal([tag.seq, tag.dup, tag.home.cluster], [i, 1, 'east']);
  }
  const changed = copy.reduce((sum, byte, i) => sum + Number(i >= 21 && byte !== batch[i]), 0);
  assert.is(changed, 200);
  encoder.append(0, null, 0, 0, null, 0, 0);
  assert.throws(() => markDuplicates(encoder.finish()!), /does not end with a tag/);
});

spec('every broker code has a name, a kind and one sentence', () => {
  assert.is(brokerErrorCodes.size, 134); // -1 and 1 to 133
  assert.is(new Set([...brokerErrorCodes.values()].map(({ name }) => name)).size, 134);
  for (const { why } of brokerErrorCodes.values()) assert.ok(why.length > 10 && !why.endsWith('.'));
  const error = brokerError(6, 'Produce', 'flights/2 in east');
  assert.ok(error.retriable);
  assert.match(error.describe(), /NOT_LEADER_OR_FOLLOWER \(6\)/);
  assert.is(brokerErrorOf(error)?.code, 6);
  assert.is(brokerErrorOf(new BraidError('ASSERTION', 'x')), undefined);
  assert.is(brokerErrorCode(9999).kind, 'fatal');
  assert.is(brokerErrorCode(47).kind, 'fenced');
  assert.is(brokerError(1, 'Fetch', 'x').code, 'OFFSET_OUT_OF_RANGE');
});

spec.run();
