import * as assert from 'uvu/assert';
import type { EmbeddedCluster } from '../../lib/embedded/index.ts';
import { kafkaSink } from '../../lib/index.ts';
import { tagIdentity } from '../../lib/kafka/tag.ts';
import { isDown, stateOf } from '../support/clusters-seen.ts';
import { fastClock } from '../support/fast-clock.ts';
import { suite } from '../support/suite.ts';
import { addresses, deal, observe, trips, tripsFrom, type Written, withClusters, written } from '../support/trips.ts';

const test = suite('cluster sink', 15_000);

const partitions = 3;
const outTo = (clusters: readonly EmbeddedCluster[], settings: object = {}) =>
  kafkaSink({
    topic: 'out',
    clusters: addresses(clusters),
    key: 'city',
    lingerMs: 5,
    batchBytesMax: 4096,
    ...settings,
  } as Parameters<typeof kafkaSink<'city'>>[0]);
const all = async (clusters: readonly EmbeddedCluster[]) =>
  (await Promise.all(clusters.map(cluster => written(cluster, 'out', partitions)))).flat();
const idsOf = (records: readonly Written[]) => records.map(({ value }) => Number(value.id)).sort((a, b) => a - b);

/** Within one log, the records of a key stand in the order in which they entered the sink; a copy may come again later. */
function assertOrder(records: readonly Written[]): void {
  const last = new Map<string, number>();
  for (const { cluster, partition, key, tag } of records) {
    const place = `${cluster} ${partition} ${key}`;
    assert.ok((last.get(place) ?? -1) < tag.seq, `seq ${tag.seq} of ${place} after ${last.get(place)}`);
    last.set(place, tag.seq);
  }
}

test('a black hole: the sink switches, what was unacknowledged comes again with dup = 1, and it stays where it is', () =>
  withClusters({ out: partitions }, async (east, west) => {
    const clusters = [east!, west!];
    const rows = trips(16_000);
    await deal(clusters, 'trips', 2, rows);
    const run = observe(
      tripsFrom(clusters, { recordsPerSecondMax: 8_000, prefetchBytesMax: 1 << 20 }).select('id', 'city'),
      { sink: outTo(clusters), threads: 1 },
    );
    await run.until('rows are acknowledged', () => run.job.metrics().sink.acknowledged > 2_000);
    assert.is(run.job.metrics().sink.active, 'east');
    const darkAt = performance.now();
    await east!.faults.blackHole();
    await run.until('it has switched', () => run.eventsOf('sink.switched').length > 0);
    const [switched] = run.eventsOf('sink.switched');
    assert.equal([switched!.from, switched!.to], ['east', 'west']);
    // No cluster is given up before 400 ms of silence, and the time that is told is that of the fault, give or take two ticks.
    const most = switched!.at - darkAt + 100;
    assert.ok(switched!.ms >= 400 && switched!.ms <= most, `${switched!.ms} ms of ${most}`);
    await east!.faults.heal();
    await run.until('east is back', () => stateOf(run, 'east') === 'healthy');
    const { metrics } = await run.job.done;
    assert.is(metrics.sink.active, 'west');
    assert.is(metrics.sink.switches, 1);
    assert.is(metrics.sink.acknowledged, rows.length);
    assert.is(metrics.sink.unacknowledged, 0);

    const records = await all(clusters);
    assertOrder(records);
    const byIdentity = new Map<string, Written[]>();
    for (const record of records) {
      const same = byIdentity.get(tagIdentity(record.tag)) ?? [];
      byIdentity.set(tagIdentity(record.tag), [...same, record]);
    }
    assert.is(byIdentity.size, rows.length, 'each row has one tag');
    assert.equal(
      idsOf([...byIdentity.values()].map(([first]) => first!)),
      rows.map(row => row.id),
    );
    const twice = [...byIdentity.values()].filter(same => same.length > 1);
    assert.ok(twice.length > 0, 'the black hole applied what had reached it');
    for (const same of twice) {
      assert.equal(same.map(({ cluster, tag }) => `${cluster} ${tag.dup}`).sort(), ['east 0', 'west 1']);
      assert.equal(same[0]!.value, same[1]!.value);
      assert.is(same[0]!.tag.home.cluster, 'east');
    }
    assert.is(records.filter(({ tag }) => tag.dup === 1).length, metrics.sink.resent);
    const fresh = records.filter(({ cluster, tag }) => cluster === 'west' && tag.home.cluster === 'west');
    assert.ok(fresh.length > 0 && fresh.every(({ tag }) => tag.dup === 0));
  }));

test('a closed port: nothing is lost, and the switch does not wait for a time-out', () =>
  withClusters({ out: partitions }, async (east, west) => {
    const clusters = [east!, west!];
    const rows = trips(8_000);
    await deal(clusters, 'trips', 2, rows);
    const run = observe(
      tripsFrom(clusters, { recordsPerSecondMax: 8_000, prefetchBytesMax: 1 << 20 }).select('id', 'city'),
      { sink: outTo(clusters) },
    );
    await run.until('rows are acknowledged', () => run.job.metrics().sink.acknowledged > 2_000);
    await east!.faults.down();
    await run.until('it has switched', () => run.eventsOf('sink.switched').length > 0);
    await east!.faults.up();
    await run.job.done;
    const records = await all(clusters);
    assert.equal(
      [...new Set(idsOf(records))],
      rows.map(row => row.id),
    );
    assertOrder(records);
  }));

test('a cluster alone: the sink waits for it, sends again, and that is no switch', () =>
  withClusters({ names: ['east'], out: partitions }, async east => {
    const rows = trips(4_000);
    await deal([east!], 'trips', 2, rows);
    const run = observe(
      tripsFrom([east!], { recordsPerSecondMax: 4_000, prefetchBytesMax: 1 << 20 }).select('id', 'city'),
      { sink: outTo([east!]) },
    );
    await run.until('rows are acknowledged', () => run.job.metrics().sink.acknowledged > 500);
    // Applied, and the answer lost: the copy that is sent again is a real duplicate.
    await east!.faults.verdict('Produce', { kind: 'resetAfter' }, { times: 1 });
    await east!.faults.down();
    await run.until('it is given up', isDown(run, 'east'));
    await east!.faults.up();
    const { metrics } = await run.job.done;
    assert.equal(run.eventsOf('sink.switched'), []);
    assert.is(metrics.sink.switches, 0);
    const records = await all([east!]);
    assert.equal(
      [...new Set(idsOf(records))],
      rows.map(row => row.id),
    );
  }));

test('a switch, then the other cluster lost and back: that is not told as a second switch', () =>
  withClusters({ out: partitions }, async (east, west) => {
    const clusters = [east!, west!];
    // Read from a third place, so that the outage stops the sink alone.
    await withClusters({ names: ['north'] }, async north => {
      const rows = trips(6_000);
      await deal([north!], 'trips', 2, rows);
      const run = observe(
        tripsFrom([north!], { recordsPerSecondMax: 3_000, prefetchBytesMax: 1 << 20 }).select('id', 'city'),
        { sink: outTo(clusters) },
      );
      await run.until('rows are acknowledged', () => run.job.metrics().sink.acknowledged > 500);
      await east!.faults.down();
      await run.until('it has switched', () => run.eventsOf('sink.switched').length > 0);
      await west!.faults.down();
      await run.until('west is given up', isDown(run, 'west'));
      await west!.faults.up();
      const { metrics } = await run.job.done;
      assert.is(run.eventsOf('sink.switched').length, 1);
      assert.is(metrics.sink.active, 'west');
      assert.equal(
        [...new Set(idsOf(await all(clusters)))],
        rows.map(row => row.id),
      );
    });
  }));

test('an error that passes is tried again on the same cluster, in order and without doubles', () =>
  withClusters({ out: partitions }, async (east, west) => {
    const clusters = [east!, west!];
    const rows = trips(3_000);
    await deal(clusters, 'trips', 2, rows);
    // NOT_LEADER_OR_FOLLOWER: nothing was written.
    await east!.faults.errorReply('Produce', 6, { times: 4 });
    const run = observe(tripsFrom(clusters).select('id', 'city'), { sink: outTo(clusters) });
    const { metrics } = await run.job.done;
    const restarts = run.eventsOf('actor.restarted');
    assert.ok(restarts.length >= 1 && restarts.length <= 4, `${restarts.length} restarts`);
    assert.equal([restarts[0]!.actor, restarts[0]!.restarts, restarts[0]!.restartsMax], ['writer east', 1, 10]);
    assert.is(metrics.sink.switches, 0);
    const records = await all(clusters);
    assert.equal(
      idsOf(records),
      rows.map(row => row.id),
    );
    assertOrder(records);
    assert.ok(records.every(({ tag }) => tag.dup === 0));
  }));

test('errors that do not end switch the sink when the budget of its writer is spent', () =>
  withClusters({ out: partitions }, async (east, west) => {
    const clusters = [east!, west!];
    const rows = trips(500);
    await deal(clusters, 'trips', 2, rows);
    await east!.faults.errorReply('Produce', 19);
    const run = observe(tripsFrom(clusters, { suspectAfterMs: 20_000 }).select('id', 'city'), {
      sink: outTo(clusters),
      clock: fastClock(20),
    });
    const { metrics } = await run.job.done;
    assert.is(metrics.sink.active, 'west');
    assert.equal(
      run.eventsOf('sink.switched').map(({ from, to }) => [from, to]),
      [['east', 'west']],
    );
    const restarts = run.eventsOf('actor.restarted');
    assert.equal(
      restarts.map(event => event.restarts),
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
    );
    // 50, 100, 200, 400, 800 ms and then a second each: the rule, and not one try after the other.
    const gaps = restarts.slice(1).map((event, i) => event.at - restarts[i]!.at);
    for (const [i, least] of [100, 200, 400, 800, 1_000, 1_000, 1_000, 1_000, 1_000].entries())
      assert.ok(gaps[i]! >= least, `gap ${i} is ${gaps[i]}`);
    assert.equal(
      idsOf(await all(clusters)),
      rows.map(row => row.id),
    );
  }));

test('what one cluster refuses for good another may take', () =>
  withClusters({ out: partitions }, async (east, west) => {
    const clusters = [east!, west!];
    const rows = trips(500);
    await deal(clusters, 'trips', 2, rows);
    // TOPIC_AUTHORIZATION_FAILED: fatal, and a matter of that cluster alone.
    await east!.faults.errorReply('Produce', 29);
    const run = observe(tripsFrom(clusters, { suspectAfterMs: 20_000 }).select('id', 'city'), {
      sink: outTo(clusters),
      clock: fastClock(20),
    });
    const { metrics } = await run.job.done;
    assert.is(metrics.sink.active, 'west');
    assert.equal(
      idsOf(await all(clusters)),
      rows.map(row => row.id),
    );
  }));

test('an error that no try mends fails the job', () =>
  withClusters({ names: ['east'], out: partitions }, async east => {
    await deal([east!], 'trips', 2, trips(500));
    await east!.faults.errorReply('Produce', 10);
    const run = observe(tripsFrom([east!]).select('id', 'city'), { sink: outTo([east!]) });
    const error = await run.job.done.catch(thrown => thrown);
    assert.is(error.code, 'BATCH_TOO_LARGE');
    assert.match(error.place, /out-\d of east/);
  }));

test('partition counts that differ are refused, naming both', () =>
  withClusters({}, async (east, west) => {
    await east!.createTopic({ topic: 'out', partitions: 3 });
    await west!.createTopic({ topic: 'out', partitions: 4 });
    const run = observe(tripsFrom([east!, west!]).select('id', 'city'), { sink: outTo([east!, west!]) });
    const error = await run.job.done.catch(thrown => thrown);
    assert.is(error.code, 'PARTITIONS_DIFFER');
    assert.match(error.message, /3 partitions in east|3 in east/);
    assert.match(error.message, /4 partitions in west|4 in west/);
  }));

test('a sink that is full of rows does not wait for its linger', () =>
  withClusters({ names: ['east'], out: partitions }, async east => {
    const rows = trips(2_000);
    await deal([east!], 'trips', 2, rows);
    const run = observe(tripsFrom([east!]).select('id', 'city'), {
      sink: outTo([east!], { lingerMs: 3_600_000, batchBytesMax: 1 << 20, unacknowledgedRowsMax: 100 }),
    });
    await run.job.done;
    assert.equal(
      idsOf(await all([east!])),
      rows.map(row => row.id),
    );
  }));

test.run();
