import * as assert from 'uvu/assert';
import { count, sum } from '../../lib/index.ts';
import { suite } from '../support/suite.ts';
import { deal, minuteMs, naive, observe, perMinute, shown, trips, tripsFrom, withClusters } from '../support/trips.ts';

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

test('where partials do not shrink the input the local phase is dropped, by measurement, and the answer is the same', () =>
  withClusters({ names: ['east'], partitions: 2 }, async east => {
    const rows = trips(60_000, { stepMs: 10 });
    await deal([east!], 'trips', 2, rows, 1_000);
    const unique = tripsFrom([east!], { prefetchBytesMax: 8 << 20 })
      .watermark('ts')
      .groupBy('id')
      .tumble({ minutes: 1 })
      .aggregate(f => ({ trips: count(), fares: sum(f.fare.toBigint()) }));
    const run = observe(unique, { threads: 2 });
    const { metrics } = await run.job.done;
    assert.equal(
      run.eventsOf('localPhase').map(({ on, partialsPerRow }) => [on, partialsPerRow]),
      [[false, 1]],
    );
    assert.is(metrics.lateRows, 0);
    assert.is(run.rows.length, rows.length);
    const byId = new Map(rows.map(row => [row.id, row]));
    for (const { id, trips: many, fares, windowStart } of run.rows) {
      const { ts, fare } = byId.get(id as number)!;
      assert.equal([many, fares, Number(windowStart)], [1n, BigInt(fare), ts - (ts % minuteMs)]);
    }
  }));

test.run();
