import * as assert from 'uvu/assert';
import { ByteWriter } from '../../lib/base/byte-writer.ts';
import { ManualClock } from '../../lib/base/clock.ts';
import { startCluster } from '../../lib/embedded/index.ts';
import { suite } from '../support/suite.ts';
import { baseOffsetOf, batch } from './batches.ts';
import { failureOf, fetch, produce, rawClient } from './raw-client.ts';

const test = suite('embedded: fetch');
const clock = new ManualClock();
const cluster = await startCluster(
  { topics: [{ topic: 'three' }, { topic: 'two', partitions: 2 }, { topic: 'live' }, { topic: 'gone' }] },
  clock,
);
const client = await rawClient(cluster.bootstrap[0]!);
const other = await rawClient(cluster.bootstrap[0]!);
test.after(async () => {
  client.close();
  other.close();
  await cluster.close();
});

const sizes: number[] = [];
test.before(async () => {
  for (const values of [['a', 'b'], ['c', 'd', 'e'], ['f']]) {
    const bytes = batch({ values });
    sizes.push(bytes.length);
    await cluster.append('three', 0, bytes);
  }
  await cluster.append('two', 0, batch({ values: ['x'.repeat(500)] }));
  await cluster.append('two', 1, batch({ values: ['y'.repeat(500)] }));
});
const all = () => sizes.reduce((sum, size) => sum + size, 0);
const one = async (offset: number, bytesMax?: number) => {
  const wish = { topic: 'three', partition: 0, offset };
  return (await fetch(client, [bytesMax === undefined ? wish : { ...wish, bytesMax }]))[0]!;
};

test('an offset inside a batch returns the whole batch and what follows', async () => {
  const answer = await one(3);
  assert.is(answer.error, 0);
  assert.is(answer.highWatermark, 6);
  assert.is(answer.records.length, sizes[1]! + sizes[2]!);
  assert.is(baseOffsetOf(answer.records), 2);
});

test('the first batch comes whole although it is over the limit; later ones are cut in their middle', async () => {
  assert.is((await one(0, 1)).records.length, sizes[0]!);
  assert.is((await one(0, sizes[0]! + 20)).records.length, sizes[0]! + 20);
  assert.is((await one(0, all() - 1)).records.length, all() - 1);
  assert.is((await one(0, all())).records.length, all());
});

test('only the first partition with records goes over the limit of the whole answer', async () => {
  const wishes = [0, 1].map(partition => ({ topic: 'two', partition, offset: 0 }));
  const [first, second] = await fetch(client, wishes, { bytesMax: 100 });
  assert.ok(first!.records.length > 500);
  assert.is(second!.records.length, 0);
  const [whole, cut] = await fetch(client, wishes, { bytesMax: first!.records.length + 100 });
  assert.is(whole!.records.length, first!.records.length);
  assert.is(cut!.records.length, 0, 'a first batch that does not fit is left out where another came');
});

test('at the end of the log there is nothing, beyond it and before its start offset 1 is the error', async () => {
  assert.equal([(await one(6)).error, (await one(6)).records.length], [0, 0]);
  assert.is((await one(7)).error, 1);
  assert.is((await one(-1)).error, 1);
  assert.is((await one(7)).highWatermark, -1);
});

test('answers 3 for what does not exist and 74 or 75 for another leader epoch', async () => {
  const errors = await fetch(client, [
    { topic: 'nowhere', partition: 0, offset: 0 },
    { topic: 'three', partition: 1, offset: 0 },
    { topic: 'three', partition: 0, offset: 0, leaderEpoch: 5 },
  ]);
  assert.equal(
    errors.map(answer => answer.error),
    [3, 3, 75],
  );
});

test('a long poll waits until enough bytes are there, and not longer', async () => {
  const size = batch({ values: ['v'] }).length;
  const poll = fetch(client, [{ topic: 'live', partition: 0, offset: 0 }], {
    waitMsMax: 60_000,
    bytesMin: size + 1,
  });
  assert.is((await produce(other, 'live', 0, batch({ values: ['v'] }))).error, 0);
  assert.is(clock.pending, 1, 'one batch is not enough: the poll still waits');
  assert.is((await produce(other, 'live', 0, batch({ values: ['w'] }))).error, 0);
  assert.is((await poll)[0]!.records.length, 2 * size);
  assert.is(clock.pending, 0);
});

test('a long poll answers with nothing when its time is over', async () => {
  const poll = fetch(client, [{ topic: 'live', partition: 0, offset: 2 }], { waitMsMax: 500 });
  await waiting(1);
  clock.advance(499);
  assert.is(clock.pending, 1);
  clock.advance(1);
  assert.is((await poll)[0]!.records.length, 0);
});

test('a long poll ends at once when its topic is deleted, and with its connection', async () => {
  const poll = fetch(client, [{ topic: 'gone', partition: 0, offset: 0 }], { waitMsMax: 60_000 });
  await waiting(1);
  await other.request(20, 1, new ByteWriter().int32(1).string('gone').int32(1000));
  assert.is((await poll)[0]!.error, 3);

  const leaving = await rawClient(cluster.bootstrap[0]!);
  const lost = failureOf(fetch(leaving, [{ topic: 'live', partition: 0, offset: 2 }], { waitMsMax: 60_000 }));
  await waiting(1);
  leaving.socket.resetAndDestroy();
  await lost;
  await waiting(0);
});

test('a request behind a long poll on the same connection waits for it, as on a real broker', async () => {
  const order: string[] = [];
  const body = new ByteWriter();
  body.int32(-1).int32(500).int32(1).int32(1000).int8(0).int32(0).int32(-1).int32(1).string('live');
  body.int32(1).int32(0).int32(-1).int64(2).int64(0).int32(1000).int32(0).string('');
  const poll = client.request(1, 11, body).then(() => order.push('poll'));
  const behind = client.request(18, 0).then(() => order.push('behind'));
  await waiting(1);
  clock.advance(500);
  await Promise.all([poll, behind]);
  assert.equal(order, ['poll', 'behind']);
});

test('a fetch session that a client invents is refused with 70', async () => {
  const body = new ByteWriter();
  body.int32(-1).int32(0).int32(1).int32(1000).int8(0).int32(1234).int32(1).int32(0).int32(0).string('');
  const answer = await client.request(1, 11, body);
  answer.int32();
  assert.is(answer.int16(), 70);
});

/** Turns the event loop until so many timers of the cluster are armed. */
async function waiting(timers: number): Promise<void> {
  while (clock.pending !== timers) await new Promise(resolve => setImmediate(resolve));
}

test.run();
