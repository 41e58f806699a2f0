/**
 * kcat (Debian package `kcat`, on librdkafka: a client that shares nothing with kafkajs) against the embedded cluster.
 * It lives in this folder because it needs more than npm.
 */
import { spawn } from 'node:child_process';
import * as assert from 'uvu/assert';
import { type EmbeddedCluster, startCluster } from '../../lib/embedded/index.ts';
import { suite } from '../support/suite.ts';

const test = suite('kcat reads and writes an embedded cluster');

interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function kcat(cluster: EmbeddedCluster, args: readonly string[], input = ''): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn('kcat', ['-b', cluster.bootstrap.join(','), ...args]);
    let out = '';
    let err = '';
    child.on('error', cause => reject(new Error('kcat is missing: apt-get install -y kcat', { cause })));
    child.stdout.on('data', chunk => {
      out += chunk;
    });
    child.stderr.on('data', chunk => {
      err += chunk;
    });
    child.on('close', code => resolve({ code, out, err }));
    child.stdin.end(input);
  });
}

async function withCluster(
  options: Parameters<typeof startCluster>[0],
  body: (cluster: EmbeddedCluster) => Promise<void>,
): Promise<void> {
  const cluster = await startCluster(options);
  try {
    await body(cluster);
    assert.equal(cluster.refusals, []);
  } finally {
    await cluster.close();
  }
}
const read = (cluster: EmbeddedCluster, topic: string) =>
  kcat(cluster, ['-C', '-t', topic, '-e', '-q', '-f', '%p %o %k %s\n']);

test('-L lists brokers, topics and leaders', () =>
  withCluster({ brokers: 3, topics: [{ topic: 't', partitions: 3, replicationFactor: 2 }] }, async cluster => {
    const { out } = await kcat(cluster, ['-L']);
    assert.match(out, /3 brokers:/);
    assert.match(out, /topic "t" with 3 partitions:/);
    assert.match(out, /partition 1, leader 2, replicas: 2,3, isrs: 2,3/);
  }));

for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
  test(`-P writes and -C reads ${codec}, byte for byte and in order`, () =>
    withCluster({ topics: [{ topic: 't' }] }, async cluster => {
      const lines = Array.from({ length: 2_000 }, (_, n) => `key${n}:value ${n} ${'x'.repeat(50)}`);
      const produced = await kcat(cluster, ['-P', '-t', 't', '-p', '0', '-K:', '-z', codec], lines.join('\n'));
      assert.equal([produced.code, produced.err], [0, '']);
      const { out } = await read(cluster, 't');
      assert.is(out, lines.map((line, n) => `0 ${n} ${line.replace(':', ' ')}\n`).join(''));
      const [first] = await cluster.records('t', 0);
      assert.is(first![22]! & 7, ['none', 'gzip', 'snappy', 'lz4', 'zstd'].indexOf(codec), 'it was compressed');
    }));
}

test('an idempotent producer writes each line once', () =>
  // Two brokers, because kcat gives up when all of its brokers are down at once.
  withCluster({ brokers: 2, topics: [{ topic: 't', partitions: 2 }] }, async cluster => {
    await cluster.faults.verdict('Produce', { kind: 'resetAfter' }, { times: 1 });
    const lines = Array.from({ length: 100 }, (_, n) => `line ${n}`);
    const produced = await kcat(
      cluster,
      ['-P', '-t', 't', '-p', '1', '-X', 'enable.idempotence=true', '-X', 'retry.backoff.ms=20'],
      lines.join('\n'),
    );
    assert.is(produced.code, 0, produced.err);
    assert.is(await cluster.endOffset('t', 1), 100, 'the batch whose answer was lost came again and counted once');
  }));

test('-G reads with a group, commits, and goes on from there', () =>
  withCluster({ brokers: 2, topics: [{ topic: 't', partitions: 2 }] }, async cluster => {
    await kcat(cluster, ['-P', '-t', 't', '-p', '0'], 'a\nb\n');
    await kcat(cluster, ['-P', '-t', 't', '-p', '1'], 'c\n');
    const group = ['-G', 'g', '-e', '-q', '-X', 'auto.offset.reset=earliest', '-f', '%p %o %s\n', 't'];
    const first = await kcat(cluster, group);
    assert.equal(first.out.trim().split('\n').sort(), ['0 0 a', '0 1 b', '1 0 c'], first.err);
    await kcat(cluster, ['-P', '-t', 't', '-p', '1'], 'd\n');
    const second = await kcat(cluster, group);
    assert.is(second.out, '1 1 d\n');
  }));

test('-Q asks for offsets by timestamp', () =>
  withCluster({ topics: [{ topic: 't' }] }, async cluster => {
    await kcat(cluster, ['-P', '-t', 't', '-p', '0'], 'a\nb\n');
    assert.match((await kcat(cluster, ['-Q', '-t', 't:0:0'])).out, /t \[0\] offset 0/);
    assert.match((await kcat(cluster, ['-Q', '-t', 't:0:-1'])).out, /t \[0\] offset 2/);
  }));

test('a topic that does not exist, and a message that is too large, are errors of kcat', () =>
  withCluster({ topics: [{ topic: 'small', config: { 'max.message.bytes': '100' } }] }, async cluster => {
    const unknown = await kcat(cluster, ['-C', '-t', 'nowhere', '-e']);
    assert.match(unknown.err, /Unknown topic or partition/i);
    const large = await kcat(cluster, ['-P', '-t', 'small', '-p', '0'], 'x'.repeat(200));
    assert.match(large.err, /Message size too large/i);
    assert.is(await cluster.endOffset('small', 0), 0);
  }));

test.run();
