/**
 * What becomes of record batches that are damaged, that lie about themselves, that are compressed in ways Braid does not
 * read, or that are very large. All of them lie in the log of a cluster; where a broker would have refused one, the log
 * itself is changed after the produce.
 */
import { deflateRawSync, gzipSync } from 'node:zlib';
import * as assert from 'uvu/assert';
import { startCluster } from '../../lib/embedded/index.ts';
import { sealCrc } from '../../lib/formats/record-batch/header.ts';
import { job, kafka, schema, t, toArray } from '../../lib/index.ts';
import { assertError, type Ending, type ErrorWanted, endingOf } from '../support/ending.ts';
import { joined, type RecordSource, recordBatch } from '../support/record-batches.ts';
import { suite } from '../support/suite.ts';

const test = suite('bad input: record batches', 10_000);
const cluster = await startCluster({ requestBytesMax: 256 << 20 });
test.after(() => cluster.close());

const numbers = schema({ n: t.int().notNull() });
let topics = 0;
async function newTopic(config: Readonly<Record<string, string>> = {}): Promise<string> {
  const topic = `batches-${topics++}`;
  await cluster.createTopic({ topic, config });
  return topic;
}

interface ReadOptions {
  readonly threads?: number;
  readonly prefetchBytesMax?: number;
}
/** The policy is `skip` everywhere: a batch that cannot be read is no bad record, and never skipped. */
async function read(topic: string, options: ReadOptions = {}): Promise<Ending<{ n: number }[]>> {
  const source = kafka({
    topic,
    clusters: [{ name: 'east', brokers: cluster.bootstrap }],
    schema: numbers,
    bounded: true,
    badRecords: 'skip',
    prefetchBytesMax: options.prefetchBytesMax ?? 64 << 20,
  });
  return endingOf(job('batches').from(source).to(toArray()), { threads: options.threads ?? 0 });
}

/** Three batches of two records each: offsets 0 to 5. */
const three = (): Uint8Array[] =>
  [1, 3, 5].map(n => recordBatch([{ value: `{"n":${n}}` }, { value: `{"n":${n + 1}}` }]));
/** Byte positions in such a batch: the header of 61 bytes, then the first record. */
const record = { length: 61, attributes: 62, timestampDelta: 63, offsetDelta: 64, keyLength: 65, valueLength: 66 };

function resealed(batch: Uint8Array): Uint8Array {
  const copy = batch.slice();
  sealCrc(copy, 0, copy.length);
  return copy;
}

type Change = (batch: Uint8Array, view: DataView) => void;

/** A topic of three batches, one of which is changed in the log; with its CRC made right again, or not. */
async function topicWith(at: number, change: Change, seal = true): Promise<string> {
  const topic = await newTopic();
  for (const batch of three()) await cluster.append(topic, 0, batch);
  const stored = (await cluster.records(topic, 0))[at]!;
  change(stored, new DataView(stored.buffer, stored.byteOffset, stored.byteLength));
  if (seal) stored.set(resealed(stored));
  return topic;
}

const corrupt = (sentence: RegExp): ErrorWanted => ({ code: 'BATCH_CORRUPT', sentence });
const doesNotFit = corrupt(/has records that do not fit/);

interface Damage {
  readonly what: string;
  readonly change: Change;
  /** The CRC stays what it was. */
  readonly unsealed?: true;
  readonly wanted: ErrorWanted;
}

const damages: readonly Damage[] = [
  {
    what: 'a flipped bit in a record',
    change: batch => {
      batch[70]! ^= 1;
    },
    unsealed: true,
    wanted: corrupt(/does not match its CRC/),
  },
  {
    what: 'a flipped bit in the CRC',
    change: batch => {
      batch[17]! ^= 0x80;
    },
    unsealed: true,
    wanted: corrupt(/does not match its CRC/),
  },
  { what: 'an old format', change: (_, view) => view.setInt8(16, 1), wanted: corrupt(/has format 1/) },
  { what: 'a negative length', change: (_, view) => view.setInt32(8, -1), wanted: corrupt(/length field of -1/) },
  { what: 'a length of nothing', change: (_, view) => view.setInt32(8, 0), wanted: corrupt(/length field of 0/) },
  {
    what: 'a length that ends with the header',
    change: (_, view) => view.setInt32(8, 49),
    wanted: corrupt(/claims 2 records in 49 bytes/),
  },
  {
    what: 'a length that is one too short',
    change: (_, view) => view.setInt32(8, view.getInt32(8) - 1),
    wanted: corrupt(/does not match its CRC/),
  },
  {
    what: 'a length of two gigabytes',
    change: (_, view) => view.setInt32(8, 0x7fffffff),
    wanted: corrupt(/no whole record batch/),
  },
  { what: 'fewer records than there are', change: (_, view) => view.setInt32(57, 1), wanted: doesNotFit },
  { what: 'a count of no records', change: (_, view) => view.setInt32(57, 0), wanted: doesNotFit },
  {
    what: 'more records than there are',
    change: (_, view) => {
      view.setInt32(57, 3);
      view.setInt32(23, 2);
    },
    wanted: corrupt(/has records that do not fit|offsets \d to \d came where/),
  },
  {
    what: 'two billion records',
    change: (_, view) => {
      view.setInt32(57, 0x7fffffff);
      view.setInt32(23, 0x7ffffffe);
    },
    wanted: corrupt(/claims 2147483647 records/),
  },
  {
    what: 'a negative count',
    change: (_, view) => view.setInt32(57, -1),
    wanted: corrupt(/claims -1 records/),
  },
  {
    what: 'a last offset before that of its last record',
    change: (_, view) => view.setInt32(23, 0),
    wanted: corrupt(/claims 2 records/),
  },
  {
    what: 'a negative offset',
    change: (_, view) => view.setBigInt64(0, -5n),
    wanted: corrupt(/impossible offset/),
  },
  {
    what: 'an offset beyond the safe integers',
    change: (_, view) => view.setBigInt64(0, 0x7fffffffffffffffn),
    wanted: corrupt(/impossible offset/),
  },
  {
    what: 'a record longer than its batch',
    change: batch => {
      batch[record.length] = 0x7e;
    },
    wanted: doesNotFit,
  },
  {
    what: 'a record of negative length',
    change: batch => {
      batch[record.length] = 1;
    },
    wanted: doesNotFit,
  },
  {
    what: 'a record length that never ends',
    change: batch => batch.fill(0xff, record.length, record.length + 12),
    wanted: doesNotFit,
  },
  {
    what: 'a key longer than its record',
    change: batch => {
      batch[record.keyLength] = 0x7e;
    },
    wanted: doesNotFit,
  },
  {
    what: 'a value longer than its record',
    change: batch => {
      batch[record.valueLength] = 0x7e;
    },
    wanted: doesNotFit,
  },
  {
    what: 'a value shorter than its record',
    change: batch => {
      batch[record.valueLength] = 2;
    },
    wanted: doesNotFit,
  },
  {
    what: 'a negative offset within the batch',
    change: batch => {
      batch[record.offsetDelta] = 1;
    },
    wanted: doesNotFit,
  },
  {
    what: 'an offset behind the end of the batch',
    change: batch => {
      batch[record.offsetDelta] = 8;
    },
    wanted: doesNotFit,
  },
  ...(['snappy', 'lz4', 'zstd', 'number 5', 'number 6', 'number 7'] as const).map(
    (codec, i): Damage => ({
      what: `compressed with ${codec}`,
      change: (_, view) => view.setInt16(21, 2 + i),
      wanted: {
        code: 'CODEC_UNSUPPORTED',
        sentence: new RegExp(`compressed with ${codec}`),
        hint: /compression\.type=gzip/,
      },
    }),
  ),
];

for (const { what, change, unsealed, wanted } of damages) {
  test(`${what}: one error that names topic, partition and offset; what came before it is out`, async () => {
    for (const [at, offset] of [0, 2, 4].entries()) {
      const topic = await topicWith(at, change, unsealed === undefined);
      const { error, metrics } = await read(topic);
      assertError(error, { ...wanted, place: new RegExp(`^${topic}-0 of east`) });
      const impossible = wanted.sentence.source.includes('impossible');
      const said = `${error!.message} ${error!.place}`;
      if (!impossible) assert.match(said, new RegExp(`\\b(${offset}|${offset + 2})\\b`));
      assert.ok(metrics!.recordsIn <= offset, 'nothing behind the damage was read');
      assert.is(metrics!.badRecords, 0);
    }
  });
}

test('a length that is one too long: whatever follows it, it is found', async () => {
  for (const at of [0, 1, 2]) {
    const topic = await topicWith(at, (_, view) => view.setInt32(8, view.getInt32(8) + 1));
    const { error } = await read(topic);
    assertError(error, corrupt(at === 2 ? /no whole record batch/ : /does not match its CRC/));
  }
});

test('a batch whose offsets lie before what was asked for, or overlap the batch before it', async () => {
  const back = await topicWith(2, (_, view) => view.setBigInt64(0, 0n));
  assertError((await read(back)).error, {
    ...corrupt(/offsets 0 to 1 .*offset 4/),
    place: new RegExp(`^${back}-0 of east`),
  });
  const wide = await topicWith(0, (_, view) => view.setInt32(23, 0x7fffffff));
  assertError((await read(wide)).error, { ...corrupt(/offsets 2 to 3 .*offset 2147483648/), place: /-0 of east/ });
});

test('a gap between offsets is what compaction leaves: it is read', async () => {
  const topic = await topicWith(1, (_, view) => view.setInt32(23, 1));
  const stored = (await cluster.records(topic, 0))[2]!;
  new DataView(stored.buffer, stored.byteOffset).setInt32(23, 7);
  stored.set(resealed(stored));
  const { error, output } = await read(topic);
  assert.is(error, undefined);
  assert.is(output!.length, 6);
});

test('a control batch holds no data, and is passed over', async () => {
  const topic = await topicWith(1, (_, view) => view.setInt16(21, 32));
  const { output, metrics } = await read(topic);
  assert.equal(output, [{ n: 1 }, { n: 2 }, { n: 5 }, { n: 6 }]);
  assert.is(metrics!.badRecords, 0);
});

/** The same records, compressed as a whole: `packed` takes the place of what gzip would make of them. */
function gzipped(batch: Uint8Array, packed: Uint8Array = gzipSync(batch.subarray(61))): Uint8Array {
  const out = joined(batch.subarray(0, 61), packed);
  const view = new DataView(out.buffer);
  view.setInt32(8, out.length - 12);
  view.setInt16(21, 1);
  return resealed(out);
}

test('gzip is read, with bad records in it too', async () => {
  const topic = await newTopic();
  await cluster.append(
    topic,
    0,
    gzipped(recordBatch([{ value: '{"n":1}' }, { value: '{"n":' }, { value: '{"n":3}' }])),
  );
  const { output, letters, metrics } = await read(topic);
  assert.equal(output, [{ n: 1 }, { n: 3 }]);
  assert.equal(
    letters.map(letter => [letter.offset, Buffer.from(letter.bytes).toString()]),
    [[1, '{"n":']],
  );
  assert.equal([metrics!.recordsIn, metrics!.badRecords], [3, 1]);
});

const plain = recordBatch([{ value: '{"n":1}' }, { value: '{"n":2}' }]);
const packed = gzipSync(plain.subarray(61));
const flipped = packed.slice();
flipped[packed.length - 12]! ^= 0xff;

for (const [what, bytes, wanted] of [
  ['gzip that is cut off', packed.subarray(0, -9), corrupt(/is not valid gzip/)],
  ['gzip with a flipped byte', flipped, corrupt(/is not valid gzip/)],
  ['text that is called gzip', Buffer.from('no gzip at all'), corrupt(/is not valid gzip/)],
  ['nothing that is called gzip', new Uint8Array(0), corrupt(/is not valid gzip/)],
  ['deflate that is called gzip', deflateRawSync(plain.subarray(61)), corrupt(/is not valid gzip/)],
  ['gzip of fewer records than the header says', gzipSync(plain.subarray(61, 77)), doesNotFit],
  ['gzip of nothing', gzipSync(new Uint8Array(0)), doesNotFit],
] as const)
  test(`${what}: one error that names topic, partition and offset`, async () => {
    const topic = await newTopic();
    await cluster.append(topic, 0, gzipped(plain, bytes));
    assertError((await read(topic)).error, { ...wanted, place: new RegExp(`^${topic}-0 of east.*\\b0\\b`) });
  });

test('a gzip bomb stops at a cap, in bounded memory', async () => {
  const topic = await newTopic();
  const bomb = gzipped(plain, gzipSync(new Uint8Array(200 << 20)));
  assert.ok(bomb.length < 300_000, 'a bomb is small');
  await cluster.append(topic, 0, bomb);
  const before = process.memoryUsage().arrayBuffers;
  const { error, ms } = await read(topic);
  assertError(error, {
    code: 'BATCH_TOO_LARGE',
    sentence: /offset 0 unfolds to more than 134217728 bytes/,
    place: new RegExp(`^${topic}-0 of east`),
  });
  assert.ok(ms < 30_000, `${ms} ms`);
  assert.ok(process.memoryUsage().arrayBuffers - before < 300 << 20);
});

for (const prefetchBytesMax of [1 << 20, 64 << 20])
  test(`a record of 50 MB is read with ${prefetchBytesMax >> 20} MiB of prefetch, between small ones`, async () => {
    const topic = await newTopic({ 'max.message.bytes': String(64 << 20) });
    const value = Buffer.alloc(50_000_000, 'x');
    value.write('{"n":2,"text":"');
    value.write('"}', value.length - 2);
    for (const records of [[{ value: '{"n":1}' }], [{ value }], [{ value: '{"n":3}' }]] satisfies RecordSource[][])
      await cluster.append(topic, 0, recordBatch(records));
    const before = process.memoryUsage().rss;
    const { error, output } = await read(topic, { prefetchBytesMax });
    assert.is(error, undefined);
    assert.equal(output, [{ n: 1 }, { n: 2 }, { n: 3 }]);
    const grown = (process.memoryUsage().rss - before) / 2 ** 20;
    assert.ok(grown < 400, `${Math.round(grown)} MiB`);
  });

test('a bad record of 50 MB is counted, and its dead letter has the first 64 KiB', async () => {
  const topic = await newTopic({ 'max.message.bytes': String(64 << 20) });
  await cluster.append(topic, 0, recordBatch([{ value: Buffer.alloc(50_000_000, '{') }, { value: '{"n":2}' }]));
  const { output, letters, metrics } = await read(topic);
  assert.equal(output, [{ n: 2 }]);
  assert.is(letters[0]!.bytes.length, 64 << 10);
  assert.equal([metrics!.recordsIn, metrics!.badRecords], [2, 1]);
});

test('an empty topic, and one whose records are all gone, are read to their end', async () => {
  const { error, output, metrics } = await read(await newTopic());
  assert.is(error, undefined);
  assert.equal([output, metrics!.recordsIn], [[], 0]);
});

test('in a pool thread it is the same: bad records are counted, bad batches named', async () => {
  const good = await newTopic();
  await cluster.append(good, 0, recordBatch([{ value: '{"n":1}' }, { value: 'x' }, { value: '{"n":3}' }]));
  const { output, letters } = await read(good, { threads: 1 });
  assert.equal(output, [{ n: 1 }, { n: 3 }]);
  assert.equal(
    letters.map(letter => [letter.offset, Buffer.from(letter.bytes).toString()]),
    [[1, 'x']],
  );
  const damaged = await topicWith(1, (_, view) => view.setInt16(21, 4));
  assertError((await read(damaged, { threads: 1 })).error, {
    code: 'CODEC_UNSUPPORTED',
    sentence: /offset 2 is compressed with zstd/,
    place: new RegExp(`^${damaged}-0 of east`),
    hint: /gzip/,
  });
});

test.run();
