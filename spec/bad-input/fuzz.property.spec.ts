/**
 * Random and damaged bytes, thrown at everything that reads bytes of somebody else: nothing but a BraidError may come out
 * (or a counted bad record, or a closed connection), and soon. BRAID_SEED replays a run, BRAID_RUNS makes it longer.
 */
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { cutPieces } from '../../actors/cut-pieces.ts';
import type { Split } from '../../actors/split.ts';
import { ByteReader } from '../../lib/base/byte-reader.ts';
import { ManualClock } from '../../lib/base/clock.ts';
import { BraidError } from '../../lib/base/errors.ts';
import { SlabPool } from '../../lib/data/slab.ts';
import { ClusterState, defaultSettings } from '../../lib/embedded/cluster-state.ts';
import { dispatch } from '../../lib/embedded/dispatch.ts';
import { FaultRules } from '../../lib/embedded/faults.ts';
import { FrameAssembler, FrameRefused } from '../../lib/embedded/frame-assembler.ts';
import { type BatchHeader, nextBatch, rangeOfBatches, sealCrc } from '../../lib/formats/record-batch/header.ts';
import { decodeHeaders } from '../../lib/formats/record-batch/headers.ts';
import { RecordWalker } from '../../lib/formats/record-batch/walk.ts';
import { createClientFactory } from '../../lib/kafka/client.ts';
import { apiVersionsRequest } from '../../lib/kafka/requests/api-versions.ts';
import { createTopicsRequest } from '../../lib/kafka/requests/create-topics.ts';
import { fetchRequest } from '../../lib/kafka/requests/fetch.ts';
import { listOffsetsRequest } from '../../lib/kafka/requests/list-offsets.ts';
import { metadataRequest } from '../../lib/kafka/requests/metadata.ts';
import { produceRequest } from '../../lib/kafka/requests/produce.ts';
import { decodeTag, readTag, TagEncoder } from '../../lib/kafka/tag.ts';
import { compileFragment } from '../../lib/kernels/compile.ts';
import type { FragmentResult, FragmentTask } from '../../lib/kernels/fragment.ts';
import { capturedRequests } from '../support/captured-requests.ts';
import { answers, fakeBroker } from '../support/fake-broker.ts';
import { mutated } from '../support/mutate.ts';
import { joined, recordBatch, recordsTask } from '../support/record-batches.ts';
import { rowFragment, schemaFrom } from '../support/row-fragment.ts';
import { suite } from '../support/suite.ts';

const seed = Number(process.env['BRAID_SEED'] ?? Date.now() % 2 ** 31);
const numRuns = Number(process.env['BRAID_RUNS'] ?? 2000);
const options = { seed, numRuns, includeErrorInReport: true };
const test = suite('bad input: fuzz', 20_000);
console.log(`BRAID_SEED=${seed} BRAID_RUNS=${numRuns}`);

/** Runs `read`: what it returns, or undefined where it refused with a BraidError that tells the user something. */
function refusedOr<T>(read: () => T): T | undefined {
  const started = performance.now();
  try {
    return read();
  } catch (thrown) {
    if (!(thrown instanceof BraidError) || thrown.code === 'ASSERTION') throw thrown;
    return undefined;
  } finally {
    const ms = performance.now() - started;
    if (ms > 5000) assert.unreachable(`it took ${ms} ms`);
  }
}

const tag = new TagEncoder({ job: 'j', sink: 's', writer: 0, home: { cluster: 'east', term: 0 }, epoch: 0 });
const tagValue = tag.headers(300, 0).slice(1 + 1 + 5 + 1);
const batches = [
  recordBatch([{ value: '{"n":1,"s":"a"}', key: 'k' }, { value: null }, { value: '{"n":3}', headers: [['h', null]] }]),
  recordBatch([{ value: '{"n":4,"s":"\\u00e9"}', headers: [['braid', tagValue]], timestamp: 1e12 }], 3),
];
const zipped = batches.map(batch => {
  const out = joined(batch.subarray(0, 61), gzipSync(batch.subarray(61)));
  new DataView(out.buffer).setInt32(8, out.length - 12);
  new DataView(out.buffer).setInt16(21, 1);
  sealCrc(out, 0, out.length);
  return out;
});
const sound = joined(...batches);

/** Damage behind the CRC: it is made right again, so that what it protects is read. */
function resealed(bytes: Uint8Array): Uint8Array {
  const out = bytes.slice();
  if (out.length > 61) sealCrc(out, 0, out.length);
  return out;
}

test('headers of record batches, the walker, and what lies in the records', () => {
  const walker = new RecordWalker();
  const seen = { read: 0, refused: 0 };
  fc.assert(
    fc.property(mutated([...batches, ...zipped, sound]), fc.boolean(), (damaged, reseal) => {
      const bytes = reseal ? resealed(damaged) : damaged;
      refusedOr(() => rangeOfBatches(bytes, 0, bytes.length, 'place'));
      let header: BatchHeader | undefined;
      let at = 0;
      do {
        header = refusedOr(() => nextBatch(bytes, at, bytes.length, 'place'));
        if (header === undefined) break;
        const { start, end } = header;
        assert.ok(start === at && end > at && end <= bytes.length, 'a header moves on and stays inside');
        const records = refusedOr(() => {
          walker.walk(bytes, header!, { place: 'place', checkCrc: reseal, decompressedBytesMax: 1 << 20 });
          return walker.count;
        });
        seen[records === undefined ? 'refused' : 'read']++;
        for (let i = 0; i < (records ?? 0); i++) {
          const [from, to] = [walker.headersStarts[i]!, walker.headersEnds[i]!];
          assert.ok(walker.valueEnds[i]! <= walker.bytes.length && to <= walker.bytes.length);
          refusedOr(() => decodeHeaders(walker.bytes, from, to));
          refusedOr(() => readTag(walker.bytes, from, to));
        }
        at = end;
      } while (at < bytes.length);
    }),
    options,
  );
  assert.ok(seen.read > numRuns / 20 && seen.refused > numRuns / 20, JSON.stringify(seen));
});

test('what a fetch brings is cut into pieces that go on and never overlap, or refused', () => {
  fc.assert(
    fc.property(
      mutated([sound, joined(sound, sound)]),
      fc.nat(6),
      fc.integer({ min: 1, max: 5 }),
      (bytes, from, max) => {
        const split = { topic: 't', partition: 0, cluster: 'east', fetchOffset: from, endOffset: 1e6 } as Split;
        const pieces = refusedOr(() => cutPieces(split, bytes, true, max, new SlabPool(1 << 20)));
        let offset = from;
        for (const piece of pieces ?? []) {
          assert.is(piece.fromOffset, offset);
          assert.ok(piece.nextOffset > offset);
          offset = piece.nextOffset;
        }
      },
    ),
    options,
  );
});

const schema = schemaFrom({
  n: 'INT NULL',
  s: 'STRING NULL',
  d: 'DOUBLE NULL',
  b: 'BOOLEAN NULL',
  t: 'TIMESTAMP NULL',
});
const kernels = (['structure', 'full'] as const).map(validate =>
  compileFragment(rowFragment(schema, { badRecords: 'skip', validate })),
);

test('kernels over damaged batches: every record that is read is a row or a dead letter', () => {
  fc.assert(
    fc.property(mutated([...batches, ...zipped, sound]), fc.constantFrom(...kernels), (damaged, kernel) => {
      const task: FragmentTask = { ...recordsTask(resealed(damaged)), checkCrc: false };
      const result = refusedOr<FragmentResult>(() => kernel.run(task));
      if (result !== undefined) assert.is(result.rowsIn, result.rowsPassed + result.badRecords.length);
    }),
    options,
  );
});

/** Pieces of JSON in any order, and bytes that are none. */
const pieces = fc
  .array(
    fc.oneof(
      {
        weight: 12,
        arbitrary: fc
          .constantFrom(
            ...[
              '{',
              '}',
              '[',
              ']',
              ':',
              ',',
              '"',
              '\\',
              ' ',
              '\n',
              '-',
              '+',
              '.',
              'e',
              '0',
              '1',
              '12345678901234567890',
            ],
            ...[
              'true',
              'false',
              'null',
              '"n"',
              '"s"',
              '"d"',
              '"n":',
              '"s":',
              ',"n":',
              '{"n":',
              '{"s":"',
              '"}',
              '"\\u00',
            ],
            ...[
              '\\u',
              'd800',
              '"\\ud83d\\ude00"',
              '{"n":1}',
              '{"n":1,',
              '"2001-01-01T00:00:00"',
              '"t":',
              '1e400',
              '"b":',
            ],
          )
          .map(text => new TextEncoder().encode(text)),
      },
      { weight: 1, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 3 }) },
    ),
    { maxLength: 12 },
  )
  .map(parts => new Uint8Array(Buffer.concat(parts)));

/** Half of them begin and end as an object does. */
const braced = (inside: Uint8Array): Uint8Array => Buffer.concat([Buffer.from('{"n":'), inside, Buffer.from('}')]);
const soup = fc.oneof(pieces, pieces.map(braced));

test('values that are no JSON are dead letters where everything is checked, and those that are JSON objects are not', () => {
  const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const isObject = (value: Uint8Array): boolean => {
    try {
      const parsed: unknown = JSON.parse(utf8.decode(value));
      return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed);
    } catch {
      return false;
    }
  };
  const seen = { objects: 0 };
  fc.assert(
    fc.property(fc.array(soup, { minLength: 1, maxLength: 8 }), values => {
      const task = recordsTask(recordBatch(values.map(value => ({ value }))));
      const [structure, full] = kernels.map(kernel => kernel.run(task)) as [FragmentResult, FragmentResult];
      for (const result of [structure, full]) {
        assert.is(result.rowsIn, values.length);
        assert.is(result.rowsPassed + result.badRecords.length, values.length);
      }
      for (const [offset, value] of values.entries()) {
        const letter = full.badRecords.find(bad => bad.offset === offset);
        const malformed = letter !== undefined && !letter.reason.startsWith('the field');
        const object = isObject(value);
        if (object) seen.objects++;
        assert.is(malformed, !object, `${JSON.stringify(Buffer.from(value).toString())}: ${letter?.reason}`);
        if (letter === undefined) assert.not.ok(structure.badRecords.some(bad => bad.offset === offset));
      }
    }),
    options,
  );
  assert.ok(seen.objects > numRuns / 100, JSON.stringify(seen));
});

test('tags', () => {
  assert.is(decodeTag(tagValue).seq, 300);
  fc.assert(
    fc.property(mutated([tagValue]), bytes => {
      const read = refusedOr(() => decodeTag(bytes));
      if (read !== undefined) assert.ok(read.seq >= 0 && read.job.length <= 127);
    }),
    options,
  );
});

const decoders = [
  { request: apiVersionsRequest, answer: answers.apiVersions() },
  { request: metadataRequest(['t']), answer: answers.metadata(9092) },
  { request: listOffsetsRequest('t', [0], -1), answer: answers.listOffsets(5n) },
  {
    request: fetchRequest({ topic: 't', partitions: [], waitMsMax: 0, bytesMin: 0, bytesMax: 0 }),
    answer: answers.fetch(sound, 5n),
  },
  { request: produceRequest({ topic: 't', partitions: [], timeoutMs: 0 }), answer: answers.produce(5n) },
  { request: createTopicsRequest([], 0), answer: answers.createTopics('t') },
] as const;

test('answers of brokers', () => {
  for (const { request, answer } of decoders) {
    request.decode(new ByteReader(answer));
    fc.assert(
      fc.property(mutated([answer]), bytes => {
        refusedOr(() => request.decode(new ByteReader(bytes)));
      }),
      { ...options, numRuns: numRuns / 4 },
    );
  }
});

test('a client over answers that are damaged: it is done in time, and says what is wrong', async () => {
  const said = mutated([answers.metadata(1), answers.listOffsets(5n), answers.fetch(sound, 5n), answers.produce(5n)]);
  const samples = fc.sample(fc.tuple(said, said, said), { seed, numRuns: Math.min(100, numRuns / 20) });
  await Promise.all(
    samples.map(async ([listOffsets, fetch, produce]) => {
      const broker = await fakeBroker({ listOffsets: () => listOffsets, fetch: () => fetch, produce: () => produce });
      const address = { name: 'east', brokers: [broker.address] };
      const client = createClientFactory(address, { connectMsMax: 5000, requestMsMax: 5000 })(1);
      await client.connect();
      const calls = [
        client.listOffsets('t', [0], 'latest'),
        client.fetch(1, {
          topic: 't',
          partitions: [{ partition: 0, offset: 0, bytesMax: 1 }],
          waitMsMax: 0,
          bytesMin: 0,
          bytesMax: 1,
        }),
        client.produce(1, { topic: 't', partitions: [{ partition: 0, batch: sound }], timeoutMs: 0 }),
      ];
      for (const call of await Promise.allSettled(calls)) {
        if (call.status === 'fulfilled') continue;
        if (!(call.reason instanceof BraidError)) throw call.reason;
        assert.match(call.reason.place ?? '', /east/, call.reason.describe());
      }
      client.destroy();
      await broker.close();
    }),
  );
});

test('requests to the embedded cluster: an answer, or a closed connection', async () => {
  const requests = await capturedRequests();
  assert.ok(new Set(requests.map(frame => new DataView(frame.buffer, frame.byteOffset).getInt16(0))).size >= 15);
  const clock = new ManualClock();
  const failures: unknown[] = [];
  let answered = 0;
  let state = new ClusterState('fuzz', 1, clock, { ...defaultSettings, autoCreateTopics: true });
  let left = 0;
  fc.assert(
    fc.property(mutated(requests), frame => {
      // Now and then a new one, so that what damaged requests have made does not add up.
      if (left-- === 0) {
        left = 100;
        state.groups.close();
        state = new ClusterState('fuzz', 1, clock, { ...defaultSettings, autoCreateTopics: true });
      }
      const host = {
        cluster: state,
        broker: state.brokers[0]!,
        faults: new FaultRules(clock),
        whenHeard: () => Promise.resolve(),
      };
      const client = { id: 1, clientHost: '/127.0.0.1', dropped: false, onClosed: () => () => {} };
      const outcome = dispatch(host, client, frame);
      if (outcome instanceof Promise) outcome.catch(failure => failures.push(failure));
      else if (outcome.kind === 'answer') answered++;
      clock.advance(1000);
    }),
    options,
  );
  await new Promise(resolve => setImmediate(resolve));
  assert.equal(failures, []);
  assert.ok(answered > numRuns / 10, `${answered}`);
});

test('frames of the embedded cluster, in any portions', () => {
  fc.assert(
    fc.property(mutated([joined(Uint8Array.of(0, 0, 0, 8), new Uint8Array(8))]), fc.nat(20), (bytes, portion) => {
      const frames = new FrameAssembler(1000);
      try {
        for (let at = 0; at < bytes.length; at += portion + 1) {
          frames.push(Buffer.from(bytes.subarray(at, at + portion + 1)));
          for (let frame = frames.next(); frame !== undefined; frame = frames.next()) assert.ok(frame.length >= 8);
        }
      } catch (thrown) {
        if (!(thrown instanceof FrameRefused)) throw thrown;
      }
      assert.ok(frames.bufferedBytes <= bytes.length);
    }),
    options,
  );
});

test.run();
