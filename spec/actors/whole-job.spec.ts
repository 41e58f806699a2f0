import * as assert from 'uvu/assert';
import { suite } from '../support/suite.ts';
import { deal, naive, observe, perMinute, shown, trips, tripsFrom, withClusters } from '../support/trips.ts';

const test = suite('whole job', 15_000);

test("one cluster on the job's own thread equals a Map", () =>
  withClusters({ names: ['east'] }, async east => {
    const rows = trips(5_000);
    await deal([east!], 'trips', 2, rows);
    const run = observe(perMinute([east!]));
    const result = await run.job.done;
    assert.is(result.state, 'finished');
    assert.equal(shown(run.rows), naive(rows));
    assert.is(result.metrics.recordsIn, rows.length);
    assert.is(result.metrics.lateRows, 0);
  }));

test('two clusters and a pool equal a Map', () =>
  withClusters({}, async (...clusters) => {
    const rows = trips(20_000, { stepMs: 100 });
    await deal(clusters, 'trips', 2, rows);
    const run = observe(perMinute(clusters), { threads: 2 });
    const result = await run.job.done;
    assert.equal(shown(run.rows), naive(rows));
    assert.is(result.metrics.lateRows, 0);
    assert.is(result.metrics.prefetchBytes, 0);
  }));

test('rows of a partition keep their order', () =>
  withClusters({}, async (...clusters) => {
    const rows = trips(8_000);
    await deal(clusters, 'trips', 2, rows, 37);
    const run = observe(tripsFrom(clusters).select('id'), { threads: 2 });
    await run.job.done;
    assert.is(run.rows.length, rows.length);
    const last = new Map<number, number>();
    for (const { id } of run.rows as { id: number }[]) {
      assert.ok((last.get(id % 4) ?? -1) < id, `${id} came after ${last.get(id % 4)}`);
      last.set(id % 4, id);
    }
  }));

test('a bounded source of empty partitions finishes at once', () =>
  withClusters({}, async (...clusters) => {
    const run = observe(perMinute(clusters));
    const result = await run.job.done;
    assert.is(result.state, 'finished');
    assert.equal(run.rows, []);
  }));

test('one empty cluster beside a full one changes nothing', () =>
  withClusters({}, async (east, west) => {
    const rows = trips(2_000);
    await deal([east!], 'trips', 2, rows);
    const run = observe(perMinute([east!, west!]), { threads: 2 });
    await run.job.done;
    assert.equal(shown(run.rows), naive(rows));
    assert.is(run.late.length, 0);
  }));

test.run();
