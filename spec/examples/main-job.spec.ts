import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import type { FlightReport } from '../../examples/flights/report.ts';
import { suite } from '../support/suite.ts';

const test = suite('main job', 60_000);

const main = fileURLToPath(new URL('../../examples/flights/main.ts', import.meta.url));

async function run(...args: string[]) {
  const child = spawn(process.execPath, ['--import', 'tsx', main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', chunk => {
      output += chunk;
    });
  const [code] = await once(child, 'close');
  return { code, output };
}

test('through an outage every row equals what DuckDB finds in the Parquet file', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'braid-spec-'));
  try {
    const file = join(folder, 'report.json');
    const { code, output } = await run('--records', '60000', '--report', file);
    assert.is(code, 0, output);
    const report = JSON.parse(await readFile(file, 'utf8')) as FlightReport;
    const { recordsIn, lost, doubled, mismatches, lateRows, badRecords } = report;
    assert.equal(
      { recordsIn, lost, doubled, mismatches, lateRows, badRecords },
      { recordsIn: 60_000, lost: 0, doubled: 0, mismatches: 0, lateRows: 0, badRecords: 0 },
    );
    assert.ok(report.recordsOut > 5000);
    assert.match(report.verifiedBy, 'DuckDB');
    assert.is(report.outages.length, 1);
    const [outage] = report.outages;
    assert.is(outage?.cluster, 'east');
    assert.ok(outage?.detectMs !== null && outage?.resumeMs !== null);
    assert.ok((outage?.downMs ?? 0) >= 1000, 'it stays away until it was down for a second');
    assert.is(report.failovers[0]?.from, 'east');
    assert.is(report.failovers[0]?.to, 'west');
    assert.equal(
      report.clusters.map(cluster => cluster.name),
      ['east', 'west'],
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});

for (const records of ['1', '7', '300'])
  test(`${records} records flat out: the job ends, however soon`, async () => {
    const { code, output } = await run('--records', records, '--rate', 'max', '--threads', '0');
    assert.is(code, 0, output);
  });

test('a wrong call is answered at once: exit 2, a hint, no stack', async () => {
  for (const [args, hint] of [
    [['--recrods', '5'], 'did you mean --records?'],
    [['--report', '/no/such/folder/report.json'], '/no/such/folder'],
  ] as const) {
    const { code, output } = await run(...args);
    assert.is(code, 2);
    assert.match(output, hint);
    assert.not.match(output, /\n\s+at /);
  }
});

test.run();
