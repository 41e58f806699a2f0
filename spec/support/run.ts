/**
 * Runs specs: `node --import tsx spec/support/run.ts [PATTERN...]` (paths that contain a pattern; none = all that need
 * npm alone; `apache-kafka` specs only when asked for). Each file is a process of its own; prints a line a file and, last,
 * `N passed, N failed`. Exit 1 if anything failed.
 */
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
const patterns = process.argv.slice(2);
const files = readdirSync(join(root, 'spec'), { recursive: true, encoding: 'utf8' })
  .filter(file => file.endsWith('.spec.ts'))
  .filter(file =>
    patterns.length === 0 ? !file.startsWith('apache-kafka') : patterns.some(pattern => file.includes(pattern)),
  )
  .sort();

const fileMsMax = Number(process.env.BRAID_SPEC_FILE_MS_MAX ?? 240_000);

interface Outcome {
  passed: number;
  failed: number;
}

function runFile(file: string): Promise<Outcome> {
  return new Promise(resolve => {
    const started = performance.now();
    const child = spawn(process.execPath, ['--import', 'tsx', join(root, 'spec', file)], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    // Each spec has a limit of its own; this one is for a file whose event loop stands still, or that does not exit.
    const limit = setTimeout(() => {
      output += `\nkilled: took longer than ${fileMsMax} ms`;
      child.kill('SIGKILL');
    }, fileMsMax);
    child.stdout.on('data', chunk => (output += chunk));
    child.stderr.on('data', chunk => (output += chunk));
    child.on('close', code => {
      clearTimeout(limit);
      const total = Number(/Total:\s+(\d+)/.exec(output)?.[1] ?? 0);
      const passed = Number(/Passed:\s+(\d+)/.exec(output)?.[1] ?? 0);
      const failed = Math.max(total - passed, code === 0 && total > 0 ? 0 : 1);
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      console.log(`${failed > 0 ? 'FAIL' : 'ok  '} ${file} (${passed} passed, ${seconds} s)`);
      if (failed > 0) console.log(output);
      resolve({ passed, failed });
    });
  });
}

/** Two at a time: a spec that measures nothing may share the machine. */
const lanes = Number(process.env['BRAID_SPEC_LANES'] ?? 2);
const queue = [...files];
const sum: Outcome = { passed: 0, failed: 0 };
await Promise.all(
  Array.from({ length: lanes }, async () => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      const outcome = await runFile(file);
      sum.passed += outcome.passed;
      sum.failed += outcome.failed;
    }
  }),
);
console.log(`${sum.passed} passed, ${sum.failed} failed`);
process.exit(sum.failed > 0 || sum.passed === 0 ? 1 : 0);
