import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { RecordBatchEncoder } from '../../lib/formats/record-batch/encode.ts';
import { createClientFactory } from '../../lib/kafka/client.ts';
import type { ClusterClient } from '../../lib/kafka/transport.ts';
import { type ApacheKafka, startApacheKafka } from '../support/apache-kafka.ts';
import { suite } from '../support/suite.ts';

const spec = suite('Apache Kafka brokers for specs', 60_000);
const started: ApacheKafka[] = [];
spec.after(async () => {
  await Promise.all(started.map(cluster => cluster.stop()));
});

async function start(name: string): Promise<ApacheKafka> {
  const cluster = await startApacheKafka({ name });
  started.push(cluster);
  return cluster;
}

function listens(broker: string): Promise<boolean> {
  const [host = '', port] = broker.split(':');
  return new Promise(resolve => {
    const socket = connect(Number(port), host, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

async function connected(cluster: ApacheKafka, generation: number): Promise<ClusterClient> {
  const client = createClientFactory({ name: 'real', brokers: [cluster.broker] }, { connectMsMax: 1000 })(generation);
  await client.connect();
  return client;
}

function batchOf(value: string): Uint8Array {
  const encoder = new RecordBatchEncoder();
  const bytes = new TextEncoder().encode(value);
  encoder.append(Date.now(), null, 0, 0, bytes, 0, bytes.length);
  return encoder.finish()!;
}

spec('two clusters do not meet', async () => {
  const [east, west] = await Promise.all([start('east'), start('west')]);
  const [a, b] = [await connected(east, 1), await connected(west, 1)];
  await a.createTopics([{ topic: 'only-east', partitions: 1, replicationFactor: 1 }]);
  assert.is(await b.metadata(['only-east']).catch(error => error.code), 'TOPIC_UNKNOWN');
  a.destroy();
  b.destroy();
});

spec(
  'a paused cluster is silent, a new client finds it so in bounded time, and it applies what had reached it',
  async () => {
    const cluster = started[0] ?? (await start('east'));
    const client = await connected(cluster, 1);
    await client.createTopics([{ topic: 'dark', partitions: 1, replicationFactor: 1 }]);
    const produce = (value: string) =>
      client.produce(1, { topic: 'dark', timeoutMs: 1000, partitions: [{ partition: 0, batch: batchOf(value) }] });
    await produce('before');
    cluster.pause();
    const { answers } = client.traffic;
    const lost = produce('in the dark').catch(error => error.code);
    const beat = client.heartbeat().catch(error => error.code);
    const probe = await connected(cluster, 2).catch(error => error.code);
    assert.is(probe, 'CLUSTER_UNREACHABLE', 'a TCP connect succeeds, and is no answer');
    assert.is(client.traffic.answers, answers);
    assert.is(client.traffic.inFlight, 2);
    client.destroy();
    assert.equal([await lost, await beat], ['CONNECTION_LOST', 'CONNECTION_LOST']);
    cluster.resume();
    const next = await connected(cluster, 3);
    // It had reached the socket: nobody may conclude from CONNECTION_LOST that it was not written.
    while ((await next.listOffsets('dark', [0], 'latest')).get(0) !== 2) await next.heartbeat();
    next.destroy();
  },
);

spec('a stopped cluster leaves no port and no folder', async () => {
  const cluster = await start('brief');
  assert.ok(await listens(cluster.broker));
  assert.ok(cluster.usage()!.rssBytes > 10 << 20);
  cluster.pause(); // also a paused one
  await cluster.stop();
  await cluster.stop();
  assert.not.ok(await listens(cluster.broker));
});

spec('brokers die with their parent, even where that was killed and they are paused', async () => {
  const harness = JSON.stringify(join(import.meta.dirname, '..', 'support', 'apache-kafka.ts'));
  const script = `
    const { startApacheKafka } = await import(${harness});
    const cluster = await startApacheKafka({ name: 'orphan' });
    cluster.pause();
    console.log(cluster.broker + ' ' + cluster.folder);`;
  const parent = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  const [broker = '', folder = ''] = line.toString().trim().split(' ');
  assert.ok(existsSync(folder));
  assert.ok(await listens(broker));
  parent.kill('SIGKILL');
  await once(parent, 'exit');
  while ((await listens(broker)) || existsSync(folder)) await new Promise(resolve => setImmediate(resolve));
});

spec.run();
