import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { suite } from '../support/suite.ts';

const root = join(import.meta.dirname, '..', '..');
const mainJob = suite('main job on Apache Kafka', 180_000);

mainJob('survives a broker that is stopped in mid-run, with an answer equal to DuckDB to the row', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'braid-main-job-'));
  const report = join(folder, 'report.json');
  const child = spawn(
    process.execPath,
    [join(root, 'dist/examples/flights/main.js'), '--kafka', '--records', '600000', '--report', report],
    { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let output = '';
  child.stdout.on('data', text => (output += text));
  child.stderr.on('data', text => (output += text));
  const code = await new Promise(resolve => child.on('close', resolve));
  assert.is(code, 0, output);
  const told = JSON.parse(readFileSync(report, 'utf8'));
  rmSync(folder, { recursive: true });
  assert.is(told.recordsIn, 600_000);
  assert.equal([told.lost, told.doubled, told.mismatches], [0, 0, 0]);
  assert.is(told.outages.length, 1);
  assert.ok(told.outages[0].detectMs < 10_000, `detected after ${told.outages[0].detectMs} ms`);
  assert.ok(told.outages[0].resumeMs < 20_000, `resumed after ${told.outages[0].resumeMs} ms`);
  assert.equal(
    told.failovers.map((each: { from: string; to: string }) => [each.from, each.to]),
    [['east', 'west']],
  );
});

mainJob.run();
