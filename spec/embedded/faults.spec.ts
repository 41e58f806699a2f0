import { connect } from 'node:net';
import * as assert from 'uvu/assert';
import { ByteWriter } from '../../lib/base/byte-writer.ts';
import { ManualClock } from '../../lib/base/clock.ts';
import { BraidError } from '../../lib/base/errors.ts';
import { type EmbeddedCluster, startCluster } from '../../lib/embedded/index.ts';
import { suite } from '../support/suite.ts';
import { batch } from './batches.ts';
import { failureOf, fetch, listOffset, produce, produceBody, rawClient, requestFrame } from './raw-client.ts';

const test = suite('embedded: faults');
const one = batch({ values: ['x'] });

async function withCluster(
  body: (cluster: EmbeddedCluster, clock: ManualClock) => Promise<void>,
  brokers = 1,
): Promise<void> {
  const clock = new ManualClock();
  const cluster = await startCluster({ brokers, topics: [{ topic: 't', partitions: brokers }] }, clock);
  try {
    await body(cluster, clock);
  } finally {
    await cluster.close();
    assert.is(clock.pending, 0, 'a closed cluster leaves no timer');
  }
}
const turn = () => new Promise(resolve => setImmediate(resolve));

test('down resets connections and refuses new ones; up listens on the same port with the log kept', () =>
  withCluster(async cluster => {
    const address = cluster.bootstrap[0]!;
    const client = await rawClient(address);
    await produce(client, 't', 0, one);
    const poll = failureOf(fetch(client, [{ topic: 't', partition: 0, offset: 1 }], { waitMsMax: 60_000 }));
    await cluster.faults.down();
    assert.is(await client.closed, 'ECONNRESET');
    await poll;
    assert.is((await failureOf(rawClient(address))).code, 'ECONNREFUSED');
    await cluster.faults.down();

    await cluster.faults.up();
    await cluster.faults.up();
    assert.equal(cluster.bootstrap, [address]);
    const again = await rawClient(address);
    assert.is((await produce(again, 't', 0, one)).baseOffset, 1);
    assert.is((await fetch(again, [{ topic: 't', partition: 0, offset: 0 }]))[0]!.records.length, 2 * one.length);
    again.close();
  }));

test('a black hole takes connections and bytes and says nothing; healed, it applies what arrived and answers who is left', () =>
  withCluster(async cluster => {
    const stays = await rawClient(cluster.bootstrap[0]!);
    const leaves = await rawClient(cluster.bootstrap[0]!);
    await produce(stays, 't', 0, one);
    await cluster.faults.blackHole();

    const late = await rawClient(cluster.bootstrap[0]!);
    let answers = 0;
    const first = produce(stays, 't', 0, one).finally(() => answers++);
    const second = produce(late, 't', 0, one).finally(() => answers++);
    // This client loses patience and goes; its bytes have reached the socket of the broker all the same.
    await new Promise<void>(resolve =>
      leaves.socket.write(requestFrame(0, 7, 1, 'c', produceBody('t', 0, one).view()), () => resolve()),
    );
    leaves.socket.destroy();
    for (let n = 0; n < 20; n++) await turn();
    assert.equal([answers, await cluster.endOffset('t', 0)], [0, 1]);

    await cluster.faults.heal();
    assert.equal([(await first).error, (await second).error], [0, 0]);
    while ((await cluster.endOffset('t', 0)) < 4) await turn();
    stays.close();
    late.close();
  }));

test('an answer that was due in a black hole is held until it ends', () =>
  withCluster(async (cluster, clock) => {
    const client = await rawClient(cluster.bootstrap[0]!);
    let answered = false;
    const poll = fetch(client, [{ topic: 't', partition: 0, offset: 0 }], { waitMsMax: 100 });
    void poll.then(() => {
      answered = true;
    });
    while (clock.pending === 0) await turn();
    await cluster.faults.blackHole();
    clock.advance(100);
    for (let n = 0; n < 20; n++) await turn();
    assert.not.ok(answered);
    await cluster.faults.heal();
    assert.is((await poll)[0]!.error, 0);
    client.close();
  }));

test('a large request that fills the buffers of a black-holed broker goes through when it heals', () =>
  withCluster(async cluster => {
    const client = await rawClient(cluster.bootstrap[0]!);
    await cluster.faults.blackHole();
    const large = batch({ values: ['x'.repeat(1_000_000)] });
    const answers = Array.from({ length: 20 }, () => produce(client, 't', 0, large));
    for (let n = 0; n < 20; n++) await turn();
    assert.is(await cluster.endOffset('t', 0), 0);
    await cluster.faults.heal();
    assert.equal(
      (await Promise.all(answers)).map(answer => answer.baseOffset),
      Array.from({ length: 20 }, (_, n) => n),
    );
    client.close();
  }));

test('a killed broker forgets what it had not read: down in a black hole applies nothing', () =>
  withCluster(async cluster => {
    const client = await rawClient(cluster.bootstrap[0]!);
    await cluster.faults.blackHole();
    const lost = failureOf(produce(client, 't', 0, one));
    await cluster.faults.down();
    await lost;
    await cluster.faults.up();
    assert.is(await cluster.endOffset('t', 0), 0);
    const again = await rawClient(cluster.bootstrap[0]!);
    assert.is((await produce(again, 't', 0, one)).error, 0);
    again.close();
  }));

test('a delay holds a request before it is applied, until it is taken away', () =>
  withCluster(async (cluster, clock) => {
    const client = await rawClient(cluster.bootstrap[0]!);
    await cluster.faults.delay('Produce', 250);
    const delayed = produce(client, 't', 0, one);
    while (clock.pending === 0) await turn();
    clock.advance(249);
    await turn();
    assert.is(await cluster.endOffset('t', 0), 0);
    clock.advance(1);
    assert.is((await delayed).error, 0);
    await cluster.faults.delay('Produce', 0);
    assert.is((await produce(client, 't', 0, one)).error, 0);
    client.close();
  }));

test('a broker that is killed while it delays a request never applies it, nor what waited behind', () =>
  withCluster(async (cluster, clock) => {
    const client = await rawClient(cluster.bootstrap[0]!);
    await cluster.faults.delay('Produce', 250, { times: 1 });
    const lost = [0, 1].map(() => failureOf(produce(client, 't', 0, one)));
    while (clock.pending === 0) await turn();
    await cluster.faults.down();
    await Promise.all(lost);
    await cluster.faults.up();
    clock.advance(250);
    await turn();
    assert.is(await cluster.endOffset('t', 0), 0);
  }));

test('a client that leaves while its request is delayed has its request applied all the same', () =>
  withCluster(async (cluster, clock) => {
    const client = await rawClient(cluster.bootstrap[0]!);
    await cluster.faults.delay('Produce', 250);
    const lost = failureOf(produce(client, 't', 0, one));
    while (clock.pending === 0) await turn();
    client.close();
    await lost;
    clock.advance(250);
    while ((await cluster.endOffset('t', 0)) === 0) await turn();
  }));

test('a closed cluster ends the delays that are under way', async () => {
  const clock = new ManualClock();
  const cluster = await startCluster({ topics: [{ topic: 't' }] }, clock);
  const client = await rawClient(cluster.bootstrap[0]!);
  await cluster.faults.delay('*', 3_600_000);
  const lost = failureOf(produce(client, 't', 0, one));
  while (clock.pending === 0) await turn();
  await cluster.close();
  await lost;
  await turn();
  assert.equal([clock.pending, await cluster.endOffset('t', 0)], [0, 0]);
});

test('fewer living replicas than min.insync.replicas refuse acks = all and nothing else', async () => {
  const config = { 'min.insync.replicas': '2' };
  const cluster = await startCluster({ brokers: 2, topics: [{ topic: 'safe', replicationFactor: 2, config }] });
  const client = await rawClient(cluster.bootstrap[0]!);
  assert.is((await produce(client, 'safe', 0, one)).error, 0);
  await cluster.faults.down(2);
  assert.is((await produce(client, 'safe', 0, one)).error, 19);
  assert.is((await produce(client, 'safe', 0, one, 1)).error, 0);
  client.close();
  await cluster.close();
});

test('an error reply is given so often as asked, at the chosen broker, and nothing is applied', () =>
  withCluster(async cluster => {
    const [first, second] = await Promise.all(cluster.bootstrap.map(address => rawClient(address)));
    await cluster.faults.errorReply('Produce', 7, { times: 2, broker: 1 });
    assert.is((await produce(second!, 't', 1, one)).error, 0, 'the other broker is well');
    assert.equal(
      [await produce(first!, 't', 0, one), await produce(first!, 't', 0, one), await produce(first!, 't', 0, one)].map(
        answer => answer.error,
      ),
      [7, 7, 0],
    );
    assert.is(await cluster.endOffset('t', 0), 1);
    await cluster.faults.errorReply('ListOffsets', 6);
    assert.is((await listOffset(first!, 't', 0, -1)).error, 6);
    await cluster.faults.clear();
    assert.is((await listOffset(first!, 't', 0, -1)).error, 0);
    first!.close();
    second!.close();
  }, 2));

test('a lost reply is applied; a dropped request is not; a reset ends the connection before or after', () =>
  withCluster(async cluster => {
    const client = await rawClient(cluster.bootstrap[0]!);
    const unanswered = [];
    await cluster.faults.verdict('Produce', { kind: 'loseReply' }, { times: 1 });
    unanswered.push(failureOf(produce(client, 't', 0, one)));
    await client.request(18, 0);
    assert.is(await cluster.endOffset('t', 0), 1);
    await cluster.faults.verdict('Produce', { kind: 'drop' }, { times: 1 });
    unanswered.push(failureOf(produce(client, 't', 0, one)));
    await client.request(18, 0);
    assert.is(await cluster.endOffset('t', 0), 1);
    await cluster.faults.verdict('Produce', { kind: 'resetAfter' }, { times: 1 });
    unanswered.push(failureOf(produce(client, 't', 0, one)));
    assert.is(await client.closed, 'ECONNRESET');
    assert.is(await cluster.endOffset('t', 0), 2);
    const next = await rawClient(cluster.bootstrap[0]!);
    await cluster.faults.verdict('Produce', { kind: 'reset' }, { times: 1 });
    unanswered.push(failureOf(produce(next, 't', 0, one)));
    assert.is(await next.closed, 'ECONNRESET');
    assert.is(await cluster.endOffset('t', 0), 2);
    await Promise.all(unanswered);
  }));

test('an interceptor sees each request, and can hold one while others go on', () =>
  withCluster(async cluster => {
    const [held, free] = [
      await rawClient(cluster.bootstrap[0]!, 'held'),
      await rawClient(cluster.bootstrap[0]!, 'free'),
    ];
    let release = () => {};
    const seen: string[] = [];
    const stop = cluster.faults.intercept('*', request => {
      seen.push(`${request.clientId} ${request.apiName} ${request.apiVersion} at ${request.broker}`);
      if (request.clientId !== 'held') return undefined;
      return new Promise(resolve => {
        release = () => resolve(undefined);
      });
    });
    const waiting = produce(held, 't', 0, one);
    while (seen.length === 0) await turn();
    assert.is((await produce(free, 't', 0, one)).baseOffset, 0);
    release();
    assert.is((await waiting).baseOffset, 1);
    assert.equal(seen, ['held Produce 7 at 1', 'free Produce 7 at 1']);
    stop();
    await produce(free, 't', 0, one);
    assert.is(seen.length, 2);
    held.close();
    free.close();
  }));

test('with more replicas than one, a broker that goes down hands its partitions to another, one epoch on', async () => {
  const cluster = await startCluster({ brokers: 2, topics: [{ topic: 'r', replicationFactor: 2 }, { topic: 's' }] });
  const [first, second] = await Promise.all(cluster.bootstrap.map(address => rawClient(address)));
  assert.is((await produce(first!, 'r', 0, one)).error, 0);
  assert.is((await produce(second!, 'r', 0, one)).error, 6);
  await cluster.faults.down(1);
  assert.is((await produce(second!, 'r', 0, one)).error, 0);
  const stale = { topic: 'r', partition: 0, offset: 0, leaderEpoch: 0 };
  assert.is((await fetch(second!, [stale]))[0]!.error, 74);
  assert.is((await fetch(second!, [{ ...stale, leaderEpoch: 1 }]))[0]!.error, 0);
  await cluster.faults.down(2);
  await cluster.faults.up();
  second!.close();
  const again = await rawClient(cluster.bootstrap[1]!);
  const topics = await again.request(3, 1, new ByteWriter().int32(-1));
  const brokers = topics.array(() => [topics.int32(), topics.string(), topics.int32(), topics.nullableString()]);
  assert.equal(
    brokers.map(([node]) => node),
    [1, 2],
  );
  again.close();
  await cluster.close();
});

test('faults that make no sense are refused with a hint', () =>
  withCluster(async cluster => {
    for (const order of [cluster.faults.down(7), cluster.faults.delay('Prodcue', 5)]) {
      const error = await failureOf(order);
      assert.ok(error instanceof BraidError && error.code === 'OPTION_INVALID' && error.hint !== undefined);
    }
  }));

test('two clusters on one port are refused; a closed cluster leaves its port', async () => {
  const cluster = await startCluster();
  const port = Number(cluster.bootstrap[0]!.split(':')[1]);
  const error = await failureOf(startCluster({ ports: [port] }));
  assert.ok(error instanceof BraidError && error.code === 'OPTION_INVALID');
  assert.match(error.describe(), new RegExp(`port ${port}.*hint`, 's'));
  await cluster.close();
  const successor = await startCluster({ ports: [port] });
  await new Promise<void>(resolve =>
    connect(port, '127.0.0.1').once('connect', function (this: { destroy(): void }) {
      this.destroy();
      resolve();
    }),
  );
  await successor.close();
  await successor.close();
});

test.run();
