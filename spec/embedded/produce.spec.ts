import * as assert from 'uvu/assert';
import { crc32c } from '../../lib/base/crc32c.ts';
import { startCluster } from '../../lib/embedded/index.ts';
import { suite } from '../support/suite.ts';
import { baseOffsetOf, batch, joined, leaderEpochOf, resealed, withByte } from './batches.ts';
import { failureOf, produce, produceBody, rawClient } from './raw-client.ts';

const test = suite('embedded: produce');
const cluster = await startCluster({
  topics: [
    { topic: 't', partitions: 2 },
    { topic: 'small', config: { 'max.message.bytes': '200' } },
    { topic: 'stamped', config: { 'message.timestamp.type': 'LogAppendTime' } },
  ],
});
const client = await rawClient(cluster.bootstrap[0]!);
test.after(async () => {
  client.close();
  await cluster.close();
});
const end = (partition = 0) => cluster.endOffset('t', partition);

test('gives offsets one after another and stamps base offset and leader epoch without touching the checksum', async () => {
  const first = await produce(client, 't', 0, batch({ values: ['a', 'b', 'c'] }));
  const second = await produce(client, 't', 0, batch({ values: ['d'] }));
  assert.equal(
    [first, second],
    [
      { error: 0, baseOffset: 0 },
      { error: 0, baseOffset: 3 },
    ],
  );
  const stored = await cluster.records('t', 0);
  assert.equal(stored.map(baseOffsetOf), [0, 3]);
  assert.equal(stored.map(leaderEpochOf), [0, 0]);
  for (const bytes of stored) {
    assert.is(new DataView(bytes.buffer, bytes.byteOffset).getUint32(17), crc32c(bytes, 21));
  }
});

test('refuses what a real broker refuses, with the same code, and appends nothing', async () => {
  const before = await end();
  const good = batch({ values: ['x', 'y'] });
  const cases: readonly [string, Uint8Array | null, number][] = [
    ['a flipped bit in a record', withByte(good, good.length - 2, good[good.length - 2]! ^ 1), 2],
    ['a length shorter than a header', withByte(good, 11, 10), 2],
    ['two batches in one partition', joined([good, good]), 87],
    ['a batch cut in its middle', good.subarray(0, good.length - 3), 87],
    ['no bytes', new Uint8Array(0), 87],
    ['null', null, 87],
    ['magic 1', withByte(good, 16, 1), 87],
    ['a record count that disagrees with the last offset', resealed(withByte(good, 60, 9)), 87],
    ['a control batch', resealed(batch({ values: ['x'], attributes: 32 })), 87],
    ['codec 7', resealed(batch({ values: ['x'], attributes: 7 })), 87],
    [
      'a transactional batch outside a transaction',
      batch({ values: ['x'], attributes: 16, producerId: 1, epoch: 0, sequence: 0 }),
      48,
    ],
    ['a timestamp two hours ahead', batch({ values: ['x'], timestamp: Date.now() + 7_200_000 }), 32],
    ['a batch over max.message.bytes', batch({ values: ['x'.repeat(1_048_588)] }), 10],
  ];
  for (const [what, records, error] of cases) {
    assert.equal(await produce(client, 't', 0, records), { error, baseOffset: -1 }, what);
  }
  assert.is(await end(), before);
});

test('takes a batch of exactly max.message.bytes, and honours the config of the topic', async () => {
  const overhead = batch({ values: ['x'.repeat(1_000_000)] }).length - 1_000_000;
  const exact = batch({ values: ['x'.repeat(1_048_588 - overhead)] });
  assert.is(exact.length, 1_048_588);
  assert.is((await produce(client, 't', 1, exact)).error, 0);
  assert.is((await produce(client, 'small', 0, batch({ values: ['x'.repeat(200)] }))).error, 10);
  assert.is((await produce(client, 'small', 0, batch({ values: ['x'.repeat(20)] }))).error, 0);
});

test('answers 3 for a topic or partition that does not exist', async () => {
  assert.is((await produce(client, 'nowhere', 0, batch({ values: ['x'] }))).error, 3);
  assert.is((await produce(client, 't', 2, batch({ values: ['x'] }))).error, 3);
  assert.is((await produce(client, '__proto__', 0, batch({ values: ['x'] }))).error, 3);
});

test('acks 0 gets no answer and is applied; one that fails closes the connection; acks 2 is refused', async () => {
  const before = await end();
  const other = await rawClient(cluster.bootstrap[0]!);
  const unanswered = failureOf(other.request(0, 7, produceBody('t', 0, batch({ values: ['x'] }), 0)));
  await other.request(18, 0);
  assert.is(await end(), before + 1);
  const failing = failureOf(other.request(0, 7, produceBody('nowhere', 0, batch({ values: ['x'] }), 0)));
  assert.is(await other.closed, 'end');
  await Promise.all([unanswered, failing]);
  assert.is((await produce(client, 't', 0, batch({ values: ['x'] }), 2)).error, 21);
  assert.is((await produce(client, 't', 0, batch({ values: ['x'] }), 1)).error, 0);
});

test('LogAppendTime puts the time of the broker into the batch and makes the checksum anew', async () => {
  const before = Date.now();
  assert.is((await produce(client, 'stamped', 0, batch({ values: ['x'], timestamp: 5 }))).error, 0);
  const [stored] = await cluster.records('stamped', 0);
  const view = new DataView(stored!.buffer, stored!.byteOffset, stored!.length);
  assert.is(view.getInt16(21) & 8, 8);
  assert.ok(Number(view.getBigInt64(35)) >= before);
  assert.is(view.getUint32(17), crc32c(stored!, 21));
});

test('an idempotent producer: duplicates keep their offset, gaps and old epochs are refused', async () => {
  const send = (sequence: number, { value = 'v', epoch = 3, producerId = 77 } = {}) =>
    produce(client, 't', 1, batch({ values: [value], producerId, epoch, sequence }));
  const first = await send(10);
  assert.is(first.error, 0, 'an unknown producer id may start at any sequence');
  for (let sequence = 11; sequence <= 15; sequence++) assert.is((await send(sequence)).error, 0);
  const before = await end(1);
  assert.equal(await send(11), { error: 0, baseOffset: first.baseOffset + 1 });
  assert.equal(await send(11, { value: 'other bytes' }), { error: 0, baseOffset: first.baseOffset + 1 });
  assert.is((await send(10)).error, 45, 'older than the last five');
  assert.is((await send(17)).error, 45, 'a gap');
  assert.is((await send(16, { epoch: 2 })).error, 47, 'an older epoch');
  assert.is((await send(5, { epoch: 4 })).error, 45, 'a new epoch starts at 0');
  assert.is(await end(1), before);
  assert.is((await send(0, { epoch: 4 })).error, 0);
  const wrap = { producerId: 78, epoch: 0 };
  assert.is((await send(2 ** 31 - 1, wrap)).error, 0);
  assert.is((await send(0, wrap)).error, 0, 'sequences wrap');
});

test.run();
