import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { suite } from '../support/suite.ts';

const test = suite('command line');

const main = fileURLToPath(new URL('../../lib/cli/main.ts', import.meta.url));

function start(...args: string[]) {
  return spawn(process.execPath, ['--import', 'tsx', main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
}

async function run(...args: string[]) {
  const child = start(...args);
  let out = '';
  let err = '';
  child.stdout.on('data', chunk => {
    out += chunk;
  });
  child.stderr.on('data', chunk => {
    err += chunk;
  });
  const [code] = await once(child, 'close');
  return { code, out, err };
}

test('--help lists the verbs; no arguments are a call for help', async () => {
  const [asked, bare] = await Promise.all([run('--help'), run()]);
  assert.is(asked.code, 0);
  assert.match(asked.out, /cluster .*embedded Kafka cluster/);
  assert.equal(bare, asked);
});

test('--version prints the version of the package', async () => {
  const { code, out } = await run('--version');
  assert.is(code, 0);
  assert.match(out, /^\d+\.\d+\.\d+\n$/);
});

for (const [args, hint] of [
  ['clutser', 'cluster'],
  ['cluster --prot 5', '--port'],
  ['cluster --port x', 'whole number'],
  ['cluster --port 65535 --brokers 2', '65536'],
  ['cluster --port 0 --topic :3', '--topic flights:4'],
] as const)
  test(`"${args}" is a wrong call: exit 2, a hint, no stack`, async () => {
    const { code, err } = await run(...args.split(' '));
    assert.is(code, 2);
    assert.match(err, hint);
    assert.not.match(err, /\n\s+at /);
  });

test('cluster prints its addresses first, and Ctrl-C ends it with exit 0 and closed ports', async () => {
  const child = start('cluster', '--port', '0', '--brokers', '2', '--topic', 'flights:4');
  const [chunk] = await once(child.stdout, 'data');
  const ports = String(chunk)
    .split('\n')[0]!
    .split(',')
    .map(address => Number(address.replace('127.0.0.1:', '')));
  assert.is(ports.length, 2);
  child.kill('SIGINT');
  const [code] = await once(child, 'close');
  assert.is(code, 0);
  for (const port of ports) {
    const server = createServer().listen(port, '127.0.0.1');
    await once(server, 'listening');
    server.close();
  }
});

test('a port that is taken is one clear error', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const { code, err } = await run('cluster', '--port', String(port));
  server.close();
  assert.ok(code === 1 || code === 2);
  assert.match(err, String(port));
  assert.not.match(err, /\n\s+at /);
});

test.run();
