import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { BraidError } from '../../lib/base/errors.ts';
import { type ClusterProcess, startClusterProcess } from '../../lib/embedded/index.ts';
import { suite } from '../support/suite.ts';
import { batch } from './batches.ts';
import { failureOf, fetch, listOffset, produce, rawClient } from './raw-client.ts';

const test = suite('embedded: a cluster as a process of its own');
const one = batch({ values: ['x'] });

async function withProcess(body: (cluster: ClusterProcess) => Promise<void>): Promise<void> {
  const cluster = await startClusterProcess({ name: 'child', topics: [{ topic: 't' }] });
  try {
    await body(cluster);
  } finally {
    await cluster.close();
  }
}
const runs = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

test('serves clients, and does over IPC what a cluster in this process does', () =>
  withProcess(async cluster => {
    const client = await rawClient(cluster.bootstrap[0]!);
    assert.is((await produce(client, 't', 0, one)).error, 0);
    assert.is(await cluster.append('t', 0, one), 1);
    assert.is(await cluster.endOffset('t', 0), 2);
    const stored = await cluster.records('t', 0);
    const fetched = (await fetch(client, [{ topic: 't', partition: 0, offset: 0 }]))[0]!.records;
    assert.ok(Buffer.concat(stored).equals(fetched));
    await cluster.createTopic({ topic: 'u', partitions: 2, config: { 'retention.ms': '-1' } });
    assert.is((await listOffset(client, 'u', 1, -1)).error, 0);
    const { cpuSeconds, rssBytesMax } = await cluster.usage();
    assert.ok(cpuSeconds > 0 && cpuSeconds < 60, `${cpuSeconds}`);
    assert.ok(rssBytesMax > 2e7 && rssBytesMax < 2e9, `${rssBytesMax}`);
    client.close();
  }));

test('has the same faults: error reply, black hole, down and up', () =>
  withProcess(async cluster => {
    const client = await rawClient(cluster.bootstrap[0]!);
    await cluster.faults.errorReply('Produce', 7, { times: 1 });
    assert.is((await produce(client, 't', 0, one)).error, 7);
    await cluster.faults.blackHole();
    const held = produce(client, 't', 0, one);
    await cluster.usage();
    assert.is(await cluster.endOffset('t', 0), 0);
    await cluster.faults.heal();
    assert.is((await held).baseOffset, 0);
    await cluster.faults.down();
    assert.is(await client.closed, 'ECONNRESET');
    await cluster.faults.up();
    const again = await rawClient(cluster.bootstrap[0]!);
    assert.is((await listOffset(again, 't', 0, -1)).offset, 1);
    again.close();
  }));

test('errors of the cluster come back as they are, with code, place and hint', async () => {
  await withProcess(async cluster => {
    const twice = await failureOf(cluster.createTopic({ topic: 't' }));
    assert.ok(twice instanceof BraidError && twice.code === 'OPTION_INVALID');
    assert.match(twice.describe(), /already exists.*cluster child, topic t/);
    assert.is((await failureOf(cluster.endOffset('t', 9))).code, 'TOPIC_UNKNOWN');
  });
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const address = taken.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  const refused = await failureOf(startClusterProcess({ ports: [port] }));
  assert.ok(refused instanceof BraidError && refused.code === 'OPTION_INVALID' && refused.hint !== undefined);
  taken.close();
});

test('ignores SIGINT, is gone when close resolves, and rejects calls after that', () =>
  withProcess(async cluster => {
    process.kill(cluster.pid, 'SIGINT');
    assert.is(await cluster.endOffset('t', 0), 0);
    const address = cluster.bootstrap[0]!;
    await cluster.close();
    assert.not.ok(runs(cluster.pid));
    assert.is((await failureOf(rawClient(address))).code, 'ECONNREFUSED');
    assert.is((await failureOf(cluster.endOffset('t', 0))).code, 'CONNECTION_LOST');
  }));

test('calls in flight reject when the process dies', () =>
  withProcess(async cluster => {
    process.kill(cluster.pid, 'SIGSTOP');
    const pending = failureOf(cluster.usage());
    process.kill(cluster.pid, 'SIGKILL');
    assert.is((await pending).code, 'CONNECTION_LOST');
    await cluster.exited;
    assert.is((await failureOf(cluster.usage())).code, 'CONNECTION_LOST');
  }));

test('dies with its parent, also when that is killed with SIGKILL', async () => {
  const entry = fileURLToPath(new URL('./cluster-parent.ts', import.meta.url));
  const parent = spawn(process.execPath, ['--import', 'tsx', entry], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  const { pid, bootstrap } = JSON.parse(line.toString()) as { pid: number; bootstrap: string[] };
  const client = await rawClient(bootstrap[0]!);
  assert.ok(runs(pid));
  parent.kill('SIGKILL');
  // The connection ends with the process that holds it.
  await client.closed;
  while (runs(pid) && (await isZombieFree(pid))) await new Promise(resolve => setImmediate(resolve));
  // The last thread of a process that is gone already may still hold the listener for a moment.
  let code: string | undefined;
  while (code !== 'ECONNREFUSED') {
    code = await rawClient(bootstrap[0]!).then(
      () => undefined,
      (error: { code?: string }) => error.code,
    );
  }
});

/** An orphan that nobody reaps still counts as running for kill(0). */
async function isZombieFree(pid: number): Promise<boolean> {
  const { readFile } = await import('node:fs/promises');
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => 'State:\tX');
  return !/State:\s+[ZX]/.test(status);
}

test.run();
