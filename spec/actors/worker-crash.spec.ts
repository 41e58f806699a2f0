import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { BraidError } from '../../lib/base/errors.ts';
import { createPiscinaPool } from '../../lib/workers/piscina-pool.ts';
import type { FragmentPoolOptions } from '../../lib/workers/pool.ts';
import { suite } from '../support/suite.ts';
import { append, naive, observe, perMinute, shown, trips, withClusters } from '../support/trips.ts';

const test = suite('crash of a worker', 20_000);

interface Crashes {
  readonly how: 'exit' | 'throw';
  readonly fromOffsets: readonly number[] | null;
  readonly times: number;
}

/** A job over one partition in pieces of 100 rows, whose workers die as the script says. */
async function withCrashes(
  script: Crashes,
  body: (run: ReturnType<typeof observe>, rows: ReturnType<typeof trips>) => Promise<void>,
) {
  const folder = mkdtempSync(join(tmpdir(), 'braid-spec-'));
  writeFileSync(join(folder, 'script.json'), JSON.stringify(script));
  process.env.BRAID_SPEC_CRASHES = folder;
  const entry = fileURLToPath(new URL('../support/crashing-worker.mjs', import.meta.url));
  try {
    await withClusters({ names: ['east'], partitions: 1 }, async east => {
      const rows = trips(2_000);
      await append(east!, 'trips', 0, rows, 100);
      // The pace decides how the batches are cut into pieces: one batch each.
      const run = observe(perMinute([east!], { recordsPerSecondMax: 5_000 }), {
        threads: 2,
        makePool: (options: FragmentPoolOptions) => createPiscinaPool({ ...options, entry }),
      });
      await body(run, rows);
    });
  } finally {
    rmSync(folder, { recursive: true });
    delete process.env.BRAID_SPEC_CRASHES;
  }
}

for (const how of ['exit', 'throw'] as const) {
  test(`a task whose worker dies once (${how}) runs again on its slab, and the answer is exact`, () =>
    withCrashes({ how, fromOffsets: [300, 1_100], times: 1 }, async (run, rows) => {
      const { metrics } = await run.job.done;
      assert.equal(shown(run.rows), naive(rows));
      assert.is(metrics.recordsIn, rows.length);
      assert.is(metrics.prefetchBytes, 0);
      assert.equal(
        run.eventsOf('worker.crashed').map(event => event.place),
        ['trips-0 of east, offsets 300 to 399', 'trips-0 of east, offsets 1100 to 1199'],
      );
    }));
}

test('a task whose worker dies twice fails the job, naming topic, partition and offsets', () =>
  withCrashes({ how: 'exit', fromOffsets: [700], times: 2 }, async run => {
    const error: unknown = await run.job.done.catch(thrown => thrown);
    assert.instance(error, BraidError);
    assert.is((error as BraidError).code, 'WORKER_CRASHED');
    assert.is((error as BraidError).place, 'trips-0 of east, offsets 700 to 799');
    assert.is(run.job.state, 'failed');
    assert.is(run.job.metrics().prefetchBytes, 0, 'slabs are free again');
    assert.equal(
      run.eventsOf('worker.crashed').map(event => event.place),
      ['trips-0 of east, offsets 700 to 799', 'trips-0 of east, offsets 700 to 799'],
      'threads that are ended with the job are no crashes',
    );
  }));

test('more deaths within a minute than the budget allows fail the job', () =>
  withCrashes({ how: 'exit', fromOffsets: null, times: 1 }, async run => {
    const error: unknown = await run.job.done.catch(thrown => thrown);
    assert.instance(error, BraidError);
    assert.is((error as BraidError).code, 'RESTARTS_EXHAUSTED');
    assert.match((error as BraidError).message, /more than 5 crashes of workers/);
    assert.is(run.eventsOf('worker.crashed').length, 6);
  }));

test('threads that are ended while they start take nothing with them', () =>
  withClusters({ names: ['east'], partitions: 1 }, async east => {
    for (let i = 0; i < 15; i++) {
      const run = observe(perMinute([east!], { bounded: false }), { threads: 2 });
      // Each time a little later: before, amid and after the load of the engine.
      await new Promise(resolve => setTimeout(resolve, 10 + i * 12));
      await run.job.stop();
      assert.is(run.job.state, 'stopped');
      assert.equal(run.eventsOf('worker.crashed'), []);
    }
  }));

test.run();
