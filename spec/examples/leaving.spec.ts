import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { suite } from '../support/suite.ts';

const test = suite('leaving the main job', 60_000);

const main = fileURLToPath(new URL('../../examples/flights/main.ts', import.meta.url));
const children: number[] = [];
test.after(() => {
  // Whatever a failed spec left behind.
  for (const pid of children) signal(-pid, 'SIGKILL');
});

/** The main job in a process group of its own, as a terminal would start it. */
async function start(...args: string[]) {
  const child = spawn(process.execPath, ['--import', 'tsx', main, ...args], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child.pid!);
  let output = '';
  let waiting: { text: string; resolve: () => void } | undefined;
  const hear = (chunk: Buffer) => {
    output += chunk;
    if (waiting !== undefined && output.includes(waiting.text)) waiting.resolve();
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  const closed = once(child, 'close');
  return {
    pid: child.pid!,
    closed,
    output: () => output,
    /** Resolves when the job has printed `text`. */
    until: (text: string) =>
      Promise.race([
        new Promise<void>(resolve => {
          waiting = { text, resolve };
          if (output.includes(text)) resolve();
        }),
        closed.then(() => Promise.reject(new Error(`it ended without "${text}":\n${output}`))),
      ]),
  };
}

function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

/** Resolves when no process of the group is left; the limit of the spec is the limit of the wait. */
async function groupGone(pid: number): Promise<void> {
  while (signal(-pid, 0)) await pause(10);
}

async function portsAreFree(output: string): Promise<void> {
  const ports = [...output.matchAll(/cluster \w+ at 127\.0\.0\.1:(\d+)/g)].map(match => Number(match[1]));
  assert.is(ports.length, 2);
  for (const port of ports) {
    const server = createServer().listen(port, '127.0.0.1');
    await once(server, 'listening');
    server.close();
  }
}

for (const [stage, ...args] of [
  ['load:', '--records', '1000000'],
  ['run:', '--records', '50000', '--threads', '2'],
  ['verify:', '--records', '50000', '--threads', '0', '--rate', 'max', '--no-outage'],
] as const)
  test(`Ctrl-C at "${stage}" ends everything, with a partial summary and exit code 130`, async () => {
    const job = await start(...args);
    await job.until(stage);
    signal(-job.pid, 'SIGINT');
    const [code] = await job.closed;
    assert.is(code, 130, job.output());
    assert.match(job.output(), 'nothing was compared');
    await groupGone(job.pid);
    await portsAreFree(job.output());
  });

test('the two signals of one Ctrl-C under npm count as one, and a second Ctrl-C is not waited for', async () => {
  const job = await start('--records', '50000', '--threads', '0');
  await job.until('run:');
  signal(-job.pid, 'SIGINT');
  signal(-job.pid, 'SIGINT');
  // Presses again until it is gone, as somebody does who is in a hurry.
  while (signal(-job.pid, 'SIGINT')) await pause(100);
  const [code, killedBy] = await job.closed;
  // A key that is pressed while Node itself ends the process is answered by the kernel.
  assert.ok(code === 130 || killedBy === 'SIGINT');
  assert.match(job.output(), 'nothing was compared');
  await groupGone(job.pid);
});

test('when the main process is killed, its clusters end too', async () => {
  const job = await start('--records', '50000', '--threads', '0');
  await job.until('run:');
  signal(job.pid, 'SIGKILL');
  await job.closed;
  await groupGone(job.pid);
  await portsAreFree(job.output());
});

test.run();
