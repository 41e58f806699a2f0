import * as assert from 'uvu/assert';
import { ByteWriter } from '../../lib/base/byte-writer.ts';
import { startCluster } from '../../lib/embedded/index.ts';
import { suite } from '../support/suite.ts';
import { batch, resealed } from './batches.ts';
import { fetch, listOffset, rawClient } from './raw-client.ts';

const test = suite('embedded: offsets by time, and the start of the log');
const cluster = await startCluster({ topics: [{ topic: 't' }, { topic: 'empty' }, { topic: 'snappy' }] });
const client = await rawClient(cluster.bootstrap[0]!);
test.after(async () => {
  client.close();
  await cluster.close();
});
test.before(async () => {
  await cluster.append('t', 0, batch({ values: ['a', 'b', 'c'], timestamp: 1000, timestampStep: 10 }));
  await cluster.append('t', 0, batch({ values: ['d', 'e', 'f'], timestamp: 2000, timestampStep: 10, gzip: true }));
});
const at = (timestamp: number, topic = 't') => listOffset(client, topic, 0, timestamp);

test('-1 is the end and -2 the start', async () => {
  assert.equal(await at(-1), { error: 0, timestamp: -1, offset: 6 });
  assert.equal(await at(-2), { error: 0, timestamp: -1, offset: 0 });
  assert.equal(await at(-1, 'empty'), { error: 0, timestamp: -1, offset: 0 });
});

test('a timestamp finds the first record at or after it, also inside a gzip batch', async () => {
  assert.equal(await at(0), { error: 0, timestamp: 1000, offset: 0 });
  assert.equal(await at(1001), { error: 0, timestamp: 1010, offset: 1 });
  assert.equal(await at(1021), { error: 0, timestamp: 2000, offset: 3 });
  assert.equal(await at(2011), { error: 0, timestamp: 2020, offset: 5 });
  assert.equal(await at(2021), { error: 0, timestamp: -1, offset: -1 });
});

test('in a batch of a codec that it does not read, it is the first record of the batch', async () => {
  await cluster.append(
    'snappy',
    0,
    resealed(batch({ values: ['a', 'b'], timestamp: 5, timestampStep: 5, attributes: 2 })),
  );
  assert.equal(await at(10, 'snappy'), { error: 0, timestamp: 5, offset: 0 });
});

test('a topic that does not exist is error 3', async () => {
  assert.is((await at(-1, 'nowhere')).error, 3);
});

test('deleted records are gone for readers, and the start moves', async () => {
  const order = new ByteWriter();
  order.int32(1).string('t').int32(1).int32(0).int64(4).int32(1000);
  const answer = await client.request(21, 0, order);
  answer.int32();
  answer.int32();
  answer.string();
  answer.int32();
  answer.int32();
  assert.equal([answer.safeInt64(), answer.int16()], [4, 0]);
  assert.is((await at(-2)).offset, 4);
  assert.is((await at(0)).offset, 4);
  const wish = (offset: number) => [{ topic: 't', partition: 0, offset }];
  assert.is((await fetch(client, wish(3)))[0]!.error, 1);
  const kept = (await fetch(client, wish(4)))[0]!;
  assert.equal([kept.error, kept.logStart], [0, 4]);
  assert.is(kept.records.length, (await cluster.records('t', 0))[0]!.length);
});

test.run();
