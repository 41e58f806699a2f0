import { createRequire } from 'node:module';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { BraidError } from '../../../lib/base/errors.ts';
import { RecordBatchEncoder } from '../../../lib/formats/record-batch/encode.ts';
import { checkCrc, headerBytes, nextBatch, rangeOfBatches, sealCrc } from '../../../lib/formats/record-batch/header.ts';
import { decodeHeaders, encodeHeaders, findHeader } from '../../../lib/formats/record-batch/headers.ts';
import { RecordWalker, type WalkOptions } from '../../../lib/formats/record-batch/walk.ts';
import { suite } from '../../support/suite.ts';

const spec = suite('record batch');

interface PlainRecord {
  timestamp: number;
  key: Uint8Array | null;
  value: Uint8Array | null;
  headers: [string, Uint8Array | null][];
}

/** The parts of kafkajs that encode and decode batches: an implementation that shares no line with ours. */
interface KafkajsBatch {
  firstOffset: string;
  records: {
    offset: string;
    timestamp: string;
    key: Buffer | null;
    value: Buffer | null;
    headers: Record<string, Buffer | Buffer[]>;
  }[];
}
const require = createRequire(import.meta.url);
const KafkajsDecoder = require('kafkajs/src/protocol/decoder') as new (bytes: Buffer) => object;
const decodeWithKafkajs = require('kafkajs/src/protocol/recordBatch/v0/decoder') as (
  d: object,
) => Promise<KafkajsBatch>;
const kafkajsRecord = require('kafkajs/src/protocol/recordBatch/record/v0') as (record: object) => object;
const { RecordBatch: encodeWithKafkajs } = require('kafkajs/src/protocol/recordBatch/v0') as {
  RecordBatch: (batch: object) => Promise<{ buffer: Buffer }>;
};
const Long = require('kafkajs/src/utils/long') as { fromValue(value: number | string): object };

const bytesArbitrary = fc.uint8Array({ maxLength: 300 });
const recordArbitrary: fc.Arbitrary<PlainRecord> = fc.record({
  timestamp: fc.oneof(
    fc.integer({ min: 1_700_000_000_000, max: 1_700_000_100_000 }),
    fc.integer({ min: -1, max: 8_640_000_000_000_000 / 2 }),
  ),
  key: fc.option(bytesArbitrary),
  value: fc.option(bytesArbitrary),
  headers: fc.array(fc.tuple(fc.string({ maxLength: 20 }), fc.option(fc.uint8Array({ maxLength: 80 }))), {
    maxLength: 4,
  }),
});
const recordsArbitrary = fc.array(recordArbitrary, { minLength: 1, maxLength: 150 });

function encode(records: readonly PlainRecord[], baseOffset = 0): Uint8Array {
  const encoder = new RecordBatchEncoder({ batchBytesMax: 16 << 20, capacityBytes: 128 });
  for (const { timestamp, key, value, headers } of records) {
    // Slices of a larger buffer: the borders must be honoured.
    const k = key === null ? null : Uint8Array.of(1, 2, ...key, 3);
    const v = value === null ? null : Uint8Array.of(9, ...value, 8, 7);
    encoder.append(
      timestamp,
      k,
      2,
      2 + (key?.length ?? 0),
      v,
      1,
      1 + (value?.length ?? 0),
      headers.length === 0 ? undefined : encodeHeaders(headers),
    );
  }
  assert.is(encoder.records, records.length);
  const size = encoder.byteLength;
  const batch = encoder.finish()!;
  assert.is(batch.length, size);
  new DataView(batch.buffer).setBigInt64(0, BigInt(baseOffset));
  return batch;
}

/** Reads a batch that lies somewhere inside other bytes. */
function decode(batch: Uint8Array, options?: WalkOptions): (PlainRecord & { offset: number })[] {
  const bytes = new Uint8Array(batch.length + 12);
  bytes.set(batch, 5);
  const header = nextBatch(bytes, 5, 5 + batch.length);
  assert.ok(header);
  const walker = new RecordWalker();
  walker.walk(bytes, header, options);
  return Array.from({ length: walker.count }, (_, i) => ({
    offset: walker.offsets[i]!,
    timestamp: walker.timestamps[i]!,
    key: slice(walker.bytes, walker.keyStarts[i]!, walker.keyEnds[i]!),
    value: slice(walker.bytes, walker.valueStarts[i]!, walker.valueEnds[i]!),
    headers: decodeHeaders(walker.bytes, walker.headersStarts[i]!, walker.headersEnds[i]!).map(([name, value]) => [
      name,
      value === null ? null : Uint8Array.from(value),
    ]),
  }));
}

function slice(bytes: Uint8Array, start: number, end: number): Uint8Array | null {
  return start < 0 ? null : Uint8Array.from(bytes.subarray(start, end));
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof BraidError) return thrown.code;
    throw thrown;
  }
  return 'none';
}

spec('reads back what it wrote', () => {
  fc.assert(
    fc.property(recordsArbitrary, fc.integer({ min: 0, max: 2 ** 40 }), (records, baseOffset) => {
      assert.equal(
        decode(encode(records, baseOffset)),
        records.map((record, i) => ({ offset: baseOffset + i, ...record })),
      );
    }),
    { numRuns: 150 },
  );
});

spec('kafkajs reads what it wrote', async () => {
  await fc.assert(
    fc.asyncProperty(recordsArbitrary, async records => {
      const read = await decodeWithKafkajs(new KafkajsDecoder(Buffer.from(encode(records, 7))));
      assert.is(read.firstOffset, '7');
      assert.equal(
        read.records.map(r => ({ offset: r.offset, timestamp: r.timestamp, key: r.key, value: r.value })),
        records.map((r, i) => ({
          offset: String(7 + i),
          timestamp: String(r.timestamp),
          key: r.key && Buffer.from(r.key),
          value: r.value && Buffer.from(r.value),
        })),
      );
    }),
    { numRuns: 60 },
  );
});

spec('it reads what kafkajs wrote, plain and gzip', async () => {
  await fc.assert(
    fc.asyncProperty(recordsArbitrary, fc.constantFrom(0, 1), async (records, compression) => {
      const first = records[0]!.timestamp;
      const unique = records.map(r => ({ ...r, headers: [...new Map(r.headers.filter(([, v]) => v !== null))] }));
      const encoded = await encodeWithKafkajs({
        compression,
        firstOffset: Long.fromValue(12),
        firstTimestamp: Long.fromValue(first),
        maxTimestamp: Long.fromValue(Math.max(...records.map(r => r.timestamp))),
        lastOffsetDelta: records.length - 1,
        records: unique.map((r, i) =>
          kafkajsRecord({
            offsetDelta: i,
            timestampDelta: Long.fromValue(r.timestamp - first),
            key: r.key && Buffer.from(r.key),
            value: r.value && Buffer.from(r.value),
            headers: Object.fromEntries(r.headers.map(([name, value]) => [name, Buffer.from(value!)])),
          }),
        ),
      });
      const sorted = (r: PlainRecord) => ({ ...r, headers: r.headers.sort(([a], [b]) => (a < b ? -1 : 1)) });
      assert.equal(
        decode(new Uint8Array(encoded.buffer)).map(sorted),
        unique.map((r, i) => ({ offset: 12 + i, ...sorted(r) })),
      );
    }),
    { numRuns: 60 },
  );
});

spec('every flipped bit behind the length is caught', () => {
  const batch = encode([
    { timestamp: 1000, key: Uint8Array.of(1), value: Uint8Array.of(2, 3, 4), headers: [['a', null]] },
    { timestamp: 1001, key: null, value: null, headers: [] },
  ]);
  for (let bit = 16 * 8; bit < batch.length * 8; bit++) {
    const damaged = batch.slice();
    damaged[bit >> 3]! ^= 1 << (bit & 7);
    const code = codeOf(() => checkCrc(damaged, nextBatch(damaged, 0, damaged.length)!));
    assert.ok(code === 'BATCH_CORRUPT' || code === 'CODEC_UNSUPPORTED', `bit ${bit} gave ${code}`);
  }
});

spec('hostile bytes under a valid CRC end in a clear error, never in a hang or a large allocation', () => {
  fc.assert(
    fc.property(
      recordsArbitrary,
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 6 }),
      (records, edits) => {
        const batch = encode(records);
        for (const [at, byte] of edits) batch[12 + (at % (batch.length - 12))] = byte;
        batch[16] = 2;
        sealCrc(batch, 0, batch.length);
        const code = codeOf(() => decode(batch, { decompressedBytesMax: 1 << 20 }));
        assert.ok(['none', 'BATCH_CORRUPT', 'CODEC_UNSUPPORTED', 'BATCH_TOO_LARGE'].includes(code), code);
      },
    ),
    { numRuns: 400 },
  );
});

spec('a batch cut short is no batch, at whatever byte it was cut', () => {
  const batch = encode([{ timestamp: 5, key: null, value: Uint8Array.of(1, 2, 3), headers: [] }]);
  for (let end = 0; end < batch.length; end++) assert.is(nextBatch(batch, 0, end), undefined);
  assert.is(nextBatch(batch, 0, batch.length)?.end, batch.length);
});

spec('a fetch is summed up by its whole batches; one that holds no whole batch is corrupt', () => {
  const three = { timestamp: 5, key: null, value: Uint8Array.of(1), headers: [] };
  const first = encode([three, three, three], 10);
  const second = encode([three, three], 13);
  const fetched = new Uint8Array([...first, ...second, ...first.subarray(0, 40)]);
  assert.equal(rangeOfBatches(fetched, 0, fetched.length), {
    end: first.length + second.length,
    baseOffset: 10,
    nextOffset: 15,
    batches: 2,
    records: 5,
  });
  assert.is(rangeOfBatches(fetched, 3, 3), undefined);
  assert.is(
    codeOf(() => rangeOfBatches(first, 0, first.length - 1)),
    'BATCH_CORRUPT',
  );
  const backwards = new Uint8Array([...second, ...first]);
  assert.is(
    codeOf(() => rangeOfBatches(backwards, 0, backwards.length)),
    'BATCH_CORRUPT',
  );
});

spec('control batches are stepped over by their attribute bit, whatever their records look like', () => {
  const batch = encode([{ timestamp: 1, key: Uint8Array.of(0, 0, 0, 0), value: null, headers: [] }]);
  batch[22]! |= 32;
  sealCrc(batch, 0, batch.length);
  assert.ok(nextBatch(batch, 0, batch.length)?.control);
  assert.equal(decode(batch), []);
  assert.is(rangeOfBatches(batch, 0, batch.length)?.records, 0);
});

spec('an append time stands for the timestamps of all records', () => {
  const batch = encode([
    { timestamp: 1, key: null, value: null, headers: [] },
    { timestamp: 2, key: null, value: null, headers: [] },
  ]);
  batch[22]! |= 8;
  new DataView(batch.buffer).setBigInt64(35, 99n);
  sealCrc(batch, 0, batch.length);
  assert.equal(
    decode(batch).map(record => record.timestamp),
    [99, 99],
  );
});

spec('errors name the offset and the codec', () => {
  const batch = encode([{ timestamp: 1, key: null, value: null, headers: [] }], 4711);
  batch[30]! ^= 1;
  assert.throws(
    () => checkCrc(batch, nextBatch(batch, 0, batch.length)!, 'flights/3'),
    (error: BraidError) => error.message.includes('4711') && error.place === 'flights/3',
  );
  for (const [attribute, name] of [
    [2, 'snappy'],
    [3, 'lz4'],
    [4, 'zstd'],
    [7, 'number 7'],
  ] as const) {
    batch[22] = attribute;
    sealCrc(batch, 0, batch.length);
    assert.throws(
      () => decode(batch),
      (error: BraidError) => error.code === 'CODEC_UNSUPPORTED' && error.message.includes(name),
    );
  }
});

spec('gzip that unfolds beyond the cap is refused, also out of shared memory', async () => {
  const value = Buffer.alloc(2 << 20);
  const { buffer } = await encodeWithKafkajs({
    compression: 1,
    records: [kafkajsRecord({ key: null, value })],
  });
  assert.is(
    codeOf(() => decode(new Uint8Array(buffer), { decompressedBytesMax: 1 << 20 })),
    'BATCH_TOO_LARGE',
  );
  const shared = new Uint8Array(new SharedArrayBuffer(buffer.length));
  shared.set(buffer);
  const walker = new RecordWalker();
  walker.walk(shared, nextBatch(shared, 0, shared.length)!);
  assert.is(walker.valueEnds[0]! - walker.valueStarts[0]!, value.length);
});

spec('a record larger than the limit is refused and leaves the batch as it was', () => {
  const encoder = new RecordBatchEncoder({ batchBytesMax: 1000 });
  const small = new Uint8Array(100);
  encoder.append(1, null, 0, 0, small, 0, 100);
  assert.ok(encoder.fits(0, 100, 1));
  assert.not.ok(encoder.fits(0, 900, 1));
  assert.is(
    codeOf(() => encoder.append(1, null, 0, 0, new Uint8Array(2000), 0, 2000)),
    'RECORD_TOO_LARGE',
  );
  const batch = encoder.finish()!;
  assert.is(decode(batch).length, 1);
  assert.is(encoder.finish(), undefined);
  while (encoder.fits(0, 100, 1)) encoder.append(1, null, 0, 0, small, 0, 100);
  assert.ok(encoder.byteLength <= 1000 && encoder.byteLength > 800);
  assert.ok(encoder.finish()!.length > headerBytes);
});

spec('the last header of a name is found', () => {
  const section = encodeHeaders([
    ['braid', Uint8Array.of(1)],
    ['other', null],
    ['braid', Uint8Array.of(2, 3)],
  ]);
  const name = new TextEncoder().encode('braid');
  assert.equal(findHeader(section, 0, section.length, name), Uint8Array.of(2, 3));
  assert.is(findHeader(section, 0, section.length, new TextEncoder().encode('other')), undefined);
  assert.is(findHeader(section, 0, section.length, new TextEncoder().encode('none')), undefined);
});

spec.run();
