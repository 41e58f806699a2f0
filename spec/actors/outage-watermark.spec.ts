import * as assert from 'uvu/assert';
import { isDown, readFrom, stateOf } from '../support/clusters-seen.ts';
import { suite } from '../support/suite.ts';
import { append, deal, naive, observe, perMinute, shown, trips, withClusters } from '../support/trips.ts';

const test = suite('watermark of an outage', 15_000);

test('without a hold the other cluster closes windows, and rows of the lost one that come too late are told whole', () =>
  withClusters({}, async (east, west) => {
    const rows = trips(20_000);
    await deal([east!, west!], 'trips', 2, rows);
    const run = observe(perMinute([east!, west!], { recordsPerSecondMax: 10_000, prefetchBytesMax: 1 << 20 }));
    await run.until('some of east is read', () => readFrom(run, 'east') > 2_000);
    await east!.faults.blackHole();
    await run.until('east is given up', isDown(run, 'east'));
    const windows = run.rows.length;
    await run.until('windows close without east', () => run.rows.length > windows + 100);
    await east!.faults.heal();
    const { metrics } = await run.job.done;
    assert.ok(metrics.lateRows > 0);
    assert.is(run.late.length, metrics.lateRows);
    assert.is(
      run.eventsOf('late').reduce((sum, event) => sum + event.rows, 0),
      metrics.lateRows,
    );
    assert.ok(run.eventsOf('late').every(event => event.cluster === 'east'));
    // A window that closed without its late rows has those that were in time, and no row is in both or in none.
    const late = new Set(run.late.map(row => row.id));
    assert.is(late.size, run.late.length);
    assert.equal(shown(run.rows), naive(rows.filter(row => !late.has(row.id))));
    const byId = new Map(rows.map(row => [row.id, row]));
    for (const row of run.late) {
      const { ts, city, fare } = byId.get(row.id as number)!;
      assert.equal([Number(row.ts), row.city, row.fare], [ts, city, fare]);
    }
  }));

test('a hold that expires lets the windows go on', () =>
  withClusters({ partitions: 1 }, async (east, west) => {
    await deal([east!, west!], 'trips', 1, trips(2_000));
    const run = observe(perMinute([east!, west!], { bounded: false, holdWatermarkMs: 900 }));
    await run.until('all is read', () => run.job.metrics().recordsIn === 2_000);
    await east!.faults.blackHole();
    await run.until('the watermark is held', () => run.eventsOf('watermark.held').length > 0);
    const stood = run.job.metrics().watermark;
    await append(west!, 'trips', 0, trips(1_000, { fromId: 5_000, fromMs: 2_000_000 }));
    await run.until('west is read on', () => run.job.metrics().recordsIn === 3_000);
    assert.is(run.job.metrics().watermark, stood);
    await run.until('the hold has expired', () => run.eventsOf('watermark.released').length > 0);
    assert.is(run.eventsOf('watermark.released')[0]!.because, 'expired');
    await run.until('the watermark has gone on', () => run.job.metrics().watermark > stood);
    assert.is(run.job.state, 'degraded');
    await run.job.stop();
  }));

test('rows that were fetched before the cluster was lost are in time, also without a hold', () =>
  withClusters({ partitions: 1 }, async (east, west) => {
    // All of it is fetched at once; the pace makes it wait in memory.
    const rows = trips(3_000);
    await append(
      east!,
      'trips',
      0,
      rows.filter(row => row.id % 2 === 0),
      50,
    );
    await append(
      west!,
      'trips',
      0,
      rows.filter(row => row.id % 2 === 1),
      50,
    );
    const run = observe(perMinute([east!, west!], { bounded: false, recordsPerSecondMax: 2_000 }));
    await run.until('it runs', () => run.job.metrics().recordsIn > 100);
    await run.until('enough of east is in memory', () => run.job.metrics().prefetchBytes > 0);
    await east!.faults.down();
    await run.until('east is given up', isDown(run, 'east'));
    const inTime = readFrom(run, 'east');
    await run.until('west is through', () => readFrom(run, 'west') === 1_500);
    await run.until('the watermark has gone on without east', () => run.job.metrics().watermark >= rows.at(-1)!.ts - 1);
    assert.ok(readFrom(run, 'east') > inTime, 'what was in memory was read');
    assert.is(run.job.metrics().lateRows, 0);
    await run.job.stop();
  }));

test('both clusters down: the job waits, and goes on with whichever returns', () =>
  withClusters({}, async (east, west) => {
    const rows = trips(16_000);
    await deal([east!, west!], 'trips', 2, rows);
    const run = observe(
      perMinute([east!, west!], { recordsPerSecondMax: 10_000, prefetchBytesMax: 1 << 20, holdWatermarkMs: 60_000 }),
    );
    await run.until('it runs', () => run.job.metrics().recordsIn > 2_000);
    await east!.faults.blackHole();
    await west!.faults.down();
    await run.until('both are given up', () => isDown(run, 'east')() && isDown(run, 'west')());
    assert.is(run.job.state, 'degraded');
    // Whichever was silent longer is the one that is named.
    assert.ok(run.job.metrics().heldBy !== undefined);
    await west!.faults.up();
    await run.until('west is back', () => stateOf(run, 'west') === 'healthy');
    assert.is(run.job.state, 'degraded');
    assert.is(run.job.metrics().heldBy?.cluster, 'east');
    await east!.faults.heal();
    const { metrics } = await run.job.done;
    assert.is(metrics.lateRows, 0);
    assert.equal(shown(run.rows), naive(rows));
    assert.equal(
      run.eventsOf('watermark.released').map(event => [event.cluster, event.because]),
      [
        ['west', 'returned'],
        ['east', 'returned'],
      ],
    );
  }));

test.run();
