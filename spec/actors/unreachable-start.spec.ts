import * as assert from 'uvu/assert';
import { suite } from '../support/suite.ts';
import {
  append,
  deal,
  minuteMs,
  naive,
  observe,
  perMinute,
  shown,
  trips,
  tripsFrom,
  withClusters,
} from '../support/trips.ts';

const test = suite('start without a cluster', 15_000);

test('a job starts degraded while one cluster is out of reach, and reads it when it comes', () =>
  withClusters({}, async (east, west) => {
    const rows = trips(4_000);
    await deal([east!, west!], 'trips', 2, rows);
    await west!.faults.down();
    const run = observe(perMinute([east!, west!], { holdWatermarkMs: 60_000 }));
    await run.until('degraded', () => run.job.state === 'degraded');
    await run.until(
      'east is read',
      () => run.job.metrics().clusters[0]!.lag === 0 && run.job.metrics().recordsIn === 2_000,
    );
    assert.equal(run.rows, [], 'nothing closes while west may have rows of any time');
    assert.is(run.job.metrics().heldBy?.cluster, 'west');
    await west!.faults.up();
    const { metrics } = await run.job.done;
    assert.equal(shown(run.rows), naive(rows));
    assert.is(metrics.lateRows, 0);
    assert.equal(
      run.eventsOf('watermark.released').map(({ cluster, because }) => [cluster, because]),
      [['west', 'returned']],
    );
    const states = run.eventsOf('job').map(event => event.to);
    assert.equal(states, ['starting', 'degraded', 'running', 'finished']);
  }));

test('without a hold the windows close, and what the cluster brings when it comes is late', () =>
  withClusters({ partitions: 1 }, async (east, west) => {
    const early = trips(600);
    const late = trips(500, { fromId: 10_000 });
    await append(east!, 'trips', 0, early);
    await append(west!, 'trips', 0, late);
    await west!.faults.down();
    const run = observe(perMinute([east!, west!], { bounded: false }));
    // Ten minutes of rows: nine windows are closed by the rows themselves.
    const nine = early.slice(0, 540);
    await run.until('windows of east', () => shown(run.rows).length === naive(nine).length);
    await west!.faults.up();
    await run.until('late rows', () => run.late.length === late.length);
    assert.equal(
      run.late.map(row => row.id),
      late.map(row => row.id),
    );
    await run.job.stop();
    assert.is(run.job.metrics().lateRows, 500);
    assert.equal(shown(run.rows), naive(nine));
  }));

test('the hold of a cluster that never came counts from the start', () =>
  withClusters({ partitions: 1 }, async (east, west) => {
    await append(east!, 'trips', 0, trips(600));
    await west!.faults.down();
    const started = performance.now();
    const run = observe(perMinute([east!, west!], { holdWatermarkMs: 700, bounded: false }));
    await run.until('windows of east', () => run.rows.length > 0);
    const passed = performance.now() - started;
    assert.ok(passed >= 690, `closed after ${passed} ms`);
    const [released] = run.eventsOf('watermark.released');
    assert.is(released?.because, 'expired');
    assert.ok(released!.heldMs >= 690 && released!.heldMs < 30_000, `${released!.heldMs}`);
    await run.job.stop();
    assert.is(run.job.state, 'stopped');
  }));

test('with no cluster in reach the job fails and names the cluster and its address', () =>
  withClusters({}, async (...clusters) => {
    for (const cluster of clusters) await cluster.faults.down();
    const run = observe(perMinute(clusters), { limits: { startMsMax: 800 } });
    const error = await run.job.done.then(
      () => undefined,
      thrown => thrown,
    );
    assert.is(error?.code, 'CLUSTER_UNREACHABLE');
    assert.is(error.place, 'east');
    assert.ok(error.message.includes(clusters[0]!.bootstrap[0]!), error.message);
    assert.is(run.job.state, 'failed');
  }));

test('a cluster that accepts connections and never answers is as good as out of reach', () =>
  withClusters({ partitions: 1 }, async (east, west) => {
    const rows = trips(1_000);
    await deal([east!, west!], 'trips', 1, rows);
    await west!.faults.blackHole();
    const run = observe(perMinute([east!, west!], { holdWatermarkMs: minuteMs }));
    await run.until('degraded', () => run.job.state === 'degraded');
    await west!.faults.heal();
    await run.job.done;
    assert.equal(shown(run.rows), naive(rows));
  }));

test('from `latest`, a cluster that comes later is read from when the job started', () =>
  withClusters({ partitions: 1 }, async (east, west) => {
    await west!.faults.down();
    const run = observe(tripsFrom([east!, west!], { bounded: false, startFrom: 'latest' }).select('id'));
    await run.until('degraded', () => run.job.state === 'degraded');
    // Written while nobody could be asked for the end of the log.
    await append(west!, 'trips', 0, trips(10), 100, Date.now() + 60_000);
    await west!.faults.up();
    await run.until('rows of west', () => run.rows.length === 10);
    await run.job.stop();
  }));

test('a topic that lacks in one cluster is named with it', () =>
  withClusters({}, async (east, west) => {
    const run = observe(tripsFrom([east!, west!], { topic: 'trops' }).select('id'));
    const error = await run.job.done.catch(thrown => thrown);
    assert.is(error.code, 'TOPIC_UNKNOWN');
    assert.match(error.place, /trops in (east|west)/);
  }));

test.run();
