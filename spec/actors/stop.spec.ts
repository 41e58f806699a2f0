import * as assert from 'uvu/assert';
import { kafkaSink } from '../../lib/index.ts';
import { isDown } from '../support/clusters-seen.ts';
import { suite } from '../support/suite.ts';
import {
  addresses,
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
  written,
} from '../support/trips.ts';

const test = suite('stop of a job', 20_000);

/** What keeps this process alive, by kind, without what the embedded clusters keep open themselves. */
function resources(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

/** Sockets take a turn or two of the event loop to be gone on both of their ends. */
async function assertBackTo(before: Record<string, number>): Promise<void> {
  const deadline = performance.now() + 3_000;
  const kinds = ['TCPSocketWrap', 'Timeout', 'MessagePort', 'Immediate', 'TCPConnectWrap'];
  const left = () => kinds.filter(kind => (resources()[kind] ?? 0) > (before[kind] ?? 0));
  while (left().length > 0) {
    if (performance.now() > deadline) {
      assert.unreachable(
        `left: ${left().join(', ')} of ${JSON.stringify(resources())}, before ${JSON.stringify(before)}`,
      );
    }
    await new Promise(resolve => setImmediate(resolve));
  }
}

test('a stop writes what is under way, emits no open window and leaves no socket, timer or thread', () =>
  withClusters({}, async (...clusters) => {
    const rows = trips(10_000);
    await deal(clusters, 'trips', 2, rows);
    const before = resources();
    const run = observe(perMinute(clusters, { recordsPerSecondMax: 8_000, prefetchBytesMax: 1 << 20 }), { threads: 2 });
    await run.until('windows are closed', () => run.rows.length > 50);
    await run.job.stop();
    await assertBackTo(before);
    assert.is(run.job.state, 'stopped');
    const { state, metrics } = await run.job.done;
    assert.is(state, 'stopped');
    assert.ok(metrics.recordsIn < rows.length);
    assert.is(metrics.prefetchBytes, 0);
    // Every window that was emitted is whole: those that were open are not there at all.
    const whole = new Set(naive(rows));
    for (const row of shown(run.rows)) assert.ok(whole.has(row), row);
    assert.ok(metrics.operators[0]!.openWindows > 0);
    assert.equal(
      run.eventsOf('job').map(event => event.to),
      ['starting', 'running', 'draining', 'stopped'],
    );
  }));

test('a stop delivers every record that was counted, to the sink of another cluster', () =>
  withClusters({ out: 2 }, async (...clusters) => {
    await deal(clusters, 'trips', 2, trips(10_000));
    const before = resources();
    const run = observe(
      tripsFrom(clusters, { recordsPerSecondMax: 8_000, prefetchBytesMax: 1 << 20 }).select('id', 'city'),
      { sink: kafkaSink({ topic: 'out', clusters: addresses(clusters), key: 'city', lingerMs: 200 }), threads: 1 },
    );
    await run.until('rows are acknowledged', () => run.job.metrics().sink.acknowledged > 1_000);
    await run.job.stop();
    await assertBackTo(before);
    const { metrics } = await run.job.done;
    assert.is(metrics.sink.unacknowledged, 0);
    assert.is(metrics.sink.acknowledged, metrics.recordsIn);
    assert.is((await written(clusters[0]!, 'out', 2)).length, metrics.recordsIn);
  }));

for (const fault of ['blackHole', 'down'] as const) {
  test(`a stop while a cluster of the source is away (${fault}) does not wait for it`, () =>
    withClusters({}, async (east, west) => {
      await deal([east!, west!], 'trips', 2, trips(10_000));
      const before = resources();
      const run = observe(
        perMinute([east!, west!], { recordsPerSecondMax: 8_000, prefetchBytesMax: 1 << 20, holdWatermarkMs: minuteMs }),
      );
      await run.until('it runs', () => run.job.metrics().recordsIn > 1_000);
      await east!.faults[fault]();
      await run.until('east is given up', isDown(run, 'east'));
      const started = performance.now();
      await run.job.stop();
      assert.ok(performance.now() - started < 2_000);
      assert.is(run.job.state, 'stopped');
      await east!.faults.heal();
      await assertBackTo(before);
    }));
}

test('a stop whose rows cannot be delivered is a failure, after its limit, and leaves nothing', () =>
  withClusters({ names: ['north'] }, async north => {
    await withClusters({ names: ['east'], out: 2 }, async east => {
      await deal([north!], 'trips', 2, trips(5_000));
      const before = resources();
      const run = observe(tripsFrom([north!], { recordsPerSecondMax: 5_000 }).select('id', 'city'), {
        sink: kafkaSink({ topic: 'out', clusters: addresses([east!]), key: 'city' }),
        limits: { drainMsMax: 300 },
      });
      await run.until('rows are acknowledged', () => run.job.metrics().sink.acknowledged > 100);
      await east!.faults.blackHole();
      await run.until('east is given up', isDown(run, 'east'));
      await run.job.stop();
      assert.is(run.job.state, 'failed');
      const error = await run.job.done.catch(thrown => thrown);
      assert.is(error.code, 'SINK_FAILED');
      assert.match(error.message, /east: /);
      await east!.faults.heal();
      await assertBackTo(before);
    });
  }));

test('a stop before the clusters have answered ends the job at once', () =>
  withClusters({}, async (...clusters) => {
    const before = resources();
    for (const cluster of clusters) await cluster.faults.blackHole();
    const run = observe(perMinute(clusters), { threads: 1 });
    assert.is(run.job.state, 'starting');
    await run.job.stop();
    assert.is((await run.job.done).state, 'stopped');
    for (const cluster of clusters) await cluster.faults.heal();
    await assertBackTo(before);
  }));

test('a job that failed leaves nothing either, and is not stopped twice', () =>
  withClusters({}, async (...clusters) => {
    await deal(clusters, 'trips', 2, trips(1_000));
    const before = resources();
    const run = observe(perMinute(clusters), {
      threads: 2,
      onBatch: () => {
        throw new Error('a defect of the program');
      },
    });
    const error = await run.job.done.catch(thrown => thrown);
    assert.is(error.code, 'SINK_FAILED');
    assert.is(run.job.metrics().prefetchBytes, 0);
    await run.job.stop();
    await assertBackTo(before);
  }));

test('a lost leader and a long linger leave no timer behind', () =>
  withClusters({ names: ['east'], partitions: 2, out: 2, brokers: 2 }, async east => {
    await append(east!, 'trips', 0, trips(100));
    const before = resources();
    const run = observe(tripsFrom([east!], { bounded: false }).select('id', 'city'), {
      sink: kafkaSink({ topic: 'out', clusters: addresses([east!]), key: 'city', lingerMs: 3_600_000 }),
    });
    await run.until('it runs', () => run.job.metrics().recordsIn > 0);
    // One of its partitions has no leader now: it is looked for again and again.
    await east!.faults.down(2);
    await run.until('rows wait', () => run.job.metrics().sink.unacknowledged > 0);
    await east!.faults.up(2);
    await run.job.stop();
    await assertBackTo(before);
  }));

test.run();
