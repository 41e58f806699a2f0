import * as assert from 'uvu/assert';
import { kafkaSink } from '../../lib/index.ts';
import { stateOf } from '../support/clusters-seen.ts';
import { suite } from '../support/suite.ts';
import {
  addresses,
  append,
  deal,
  naive,
  observe,
  perMinute,
  shown,
  trips,
  tripsFrom,
  withClusters,
  written,
} from '../support/trips.ts';

const test = suite('several brokers in a cluster', 20_000);

const replicated = { names: ['east'], partitions: 6, out: 4, brokers: 3, replicationFactor: 2 };

test('a broker that goes down moves its leaders; the source follows, and the cluster is not lost', () =>
  withClusters(replicated, async east => {
    const rows = trips(16_000);
    await deal([east!], 'trips', 6, rows);
    const run = observe(perMinute([east!], { recordsPerSecondMax: 8_000, prefetchBytesMax: 1 << 20 }), { threads: 1 });
    await run.until('it runs', () => run.job.metrics().recordsIn > 3_000);
    await east!.faults.down(2);
    const before = run.job.metrics().recordsIn;
    await run.until('it goes on', () => run.job.metrics().recordsIn > before + 4_000);
    await east!.faults.up(2);
    await east!.faults.down(1);
    const { metrics } = await run.job.done;
    assert.is(metrics.lateRows, 0);
    assert.is(metrics.recordsIn, rows.length);
    assert.equal(shown(run.rows), naive(rows));
    const states = run.eventsOf('cluster').map(event => event.to);
    assert.not.ok(states.includes('down'), states.join());
    assert.ok(states.length < 20, `${states.length} changes of state: ${states.join()}`);
  }));

test('the sink follows moved leaders too, and stays with its cluster', () =>
  withClusters(replicated, async east => {
    const rows = trips(12_000);
    await deal([east!], 'trips', 6, rows);
    const run = observe(
      tripsFrom([east!], { recordsPerSecondMax: 8_000, prefetchBytesMax: 1 << 20 }).select('id', 'city'),
      { sink: kafkaSink({ topic: 'out', clusters: addresses([east!]), key: 'city', lingerMs: 5 }) },
    );
    await run.until('rows are acknowledged', () => run.job.metrics().sink.acknowledged > 3_000);
    await east!.faults.down(2);
    const { metrics } = await run.job.done;
    assert.is(metrics.sink.unacknowledged, 0);
    assert.equal(run.eventsOf('sink.switched'), []);
    const ids = new Set((await written(east!, 'out', 4)).map(({ value }) => Number(value.id)));
    assert.is(ids.size, rows.length);
  }));

test('a partition without a leader waits alone, and is read when it has one again', () =>
  withClusters({ ...replicated, replicationFactor: 1 }, async east => {
    const rows = trips(6_000);
    await deal([east!], 'trips', 6, rows);
    const run = observe(tripsFrom([east!], { recordsPerSecondMax: 6_000, prefetchBytesMax: 1 << 20 }).select('id'));
    await run.until('it runs', () => run.job.metrics().recordsIn > 600);
    await east!.faults.down(3);
    await run.until('the others are through', () => run.job.metrics().recordsIn >= 4_000);
    assert.is(stateOf(run, 'east'), 'healthy');
    await east!.faults.up(3);
    await run.job.done;
    assert.equal(
      run.rows.map(row => Number(row.id)).sort((a, b) => a - b),
      rows.map(row => row.id),
    );
  }));

test('a job starts while a partition has no leader yet', () =>
  withClusters({ ...replicated, replicationFactor: 1 }, async east => {
    const rows = trips(600);
    await deal([east!], 'trips', 6, rows);
    await east!.faults.down(3);
    const run = observe(tripsFrom([east!]).select('id'));
    await run.until('metadata was asked for', () => stateOf(run, 'east') === 'healthy');
    assert.is(run.job.state, 'starting');
    await east!.faults.up(3);
    await run.job.done;
    assert.is(run.rows.length, rows.length);
  }));

test('a start that waits for a leader in vain says so', () =>
  withClusters({ ...replicated, replicationFactor: 1 }, async east => {
    await append(east!, 'trips', 0, trips(10));
    await east!.faults.down(3);
    const run = observe(tripsFrom([east!]).select('id'), { limits: { startMsMax: 600 } });
    const error = await run.job.done.catch(thrown => thrown);
    assert.is(error.code, 'JOB_STATE');
    assert.match(error.hint, /LEADER_NOT_AVAILABLE/);
  }));

test.run();
