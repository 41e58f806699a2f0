import * as assert from 'uvu/assert';
import type { EmbeddedCluster } from '../../lib/embedded/index.ts';
import { isDown, readFrom, stateOf } from '../support/clusters-seen.ts';
import { suite } from '../support/suite.ts';
import { deal, naive, observe, perMinute, shown, trips, tripsFrom, withClusters } from '../support/trips.ts';

const test = suite('outage of a cluster', 15_000);

const faults = {
  'a black hole': { begin: (c: EmbeddedCluster) => c.faults.blackHole(), end: (c: EmbeddedCluster) => c.faults.heal() },
  'a closed port': { begin: (c: EmbeddedCluster) => c.faults.down(), end: (c: EmbeddedCluster) => c.faults.up() },
};

for (const [name, fault] of Object.entries(faults)) {
  test(`${name}: the job is degraded, the other cluster is read on, and reading resumes without loss or double`, () =>
    withClusters({}, async (east, west) => {
      const rows = trips(40_000);
      await deal([east!, west!], 'trips', 2, rows);
      const run = observe(
        tripsFrom([east!, west!], { recordsPerSecondMax: 16_000, prefetchBytesMax: 1 << 20 }).select('id', 'ts'),
        {
          threads: 1,
        },
      );
      await run.until('a quarter of east is read', () => readFrom(run, 'east') > 5_000);
      await fault.begin(east!);
      await run.until('east is given up', isDown(run, 'east'));
      assert.is(run.job.state, 'degraded');
      const before = readFrom(run, 'west');
      await run.until(
        'west is read on',
        () => readFrom(run, 'west') > before + 2_000 || readFrom(run, 'west') === 20_000,
      );
      assert.is(stateOf(run, 'west'), 'healthy');
      await fault.end(east!);
      await run.until('east is back', () => stateOf(run, 'east') === 'healthy');
      const { metrics } = await run.job.done;
      assert.is(metrics.recordsIn, rows.length);
      assert.equal(
        run.rows.map(row => Number(row.id)).sort((a, b) => a - b),
        rows.map(row => row.id),
      );
      const moves = run.eventsOf('cluster').filter(event => event.cluster === 'west' && event.to !== 'stopped');
      assert.equal(
        moves.map(event => event.to),
        ['healthy'],
        'the other cluster never noticed',
      );
      assert.equal(run.eventsOf('actor.restarted'), []);
    }));

  test(`${name}: with a hold the windows are exact, and the watermark says who holds it`, () =>
    withClusters({}, async (east, west) => {
      const rows = trips(20_000);
      await deal([east!, west!], 'trips', 2, rows);
      const run = observe(
        perMinute([east!, west!], { recordsPerSecondMax: 10_000, prefetchBytesMax: 1 << 20, holdWatermarkMs: 60_000 }),
      );
      await run.until('some windows have closed', () => run.rows.length > 0 && readFrom(run, 'east') > 2_000);
      await fault.begin(east!);
      await run.until('east is given up', isDown(run, 'east'));
      assert.is(run.job.metrics().heldBy?.cluster, 'east');
      await run.until('west is exhausted', () => readFrom(run, 'west') === 10_000);
      await fault.end(east!);
      const { metrics } = await run.job.done;
      assert.is(metrics.lateRows, 0);
      assert.is(metrics.heldBy, undefined);
      assert.equal(shown(run.rows), naive(rows));
      assert.equal(
        run.eventsOf('watermark.held').map(event => event.cluster),
        ['east'],
      );
      assert.equal(
        run.eventsOf('watermark.released').map(event => event.because),
        ['returned'],
      );
    }));
}

test.run();
