import * as assert from 'uvu/assert';
import { kafkaSink } from '../../lib/index.ts';
import { isDown, stateOf } from '../support/clusters-seen.ts';
import { suite } from '../support/suite.ts';
import {
  addresses,
  append,
  deal,
  type Observed,
  observe,
  trips,
  tripsFrom,
  withClusters,
  written,
} from '../support/trips.ts';

const test = suite('back-pressure', 20_000);

const budget = 1 << 20;

/** The most that was prefetched, as far as anybody looked. */
function peakOf(run: Observed) {
  let peak = 0;
  return {
    look: () => {
      peak = Math.max(peak, run.job.metrics().prefetchBytes);
      return peak;
    },
  };
}

test('a full sink stops the fetch within the budget, and a cluster that dies meanwhile is noticed', () =>
  withClusters({ names: ['north'], partitions: 2 }, async north => {
    await withClusters({ names: ['east'], out: 2 }, async east => {
      const rows = trips(110_000, { stepMs: 10 });
      await deal([north!], 'trips', 2, rows, 200);
      let machineEvents = 0;
      let release = (): void => {};
      const released = new Promise<undefined>(resolve => {
        release = () => resolve(undefined);
      });
      const stop = east!.faults.intercept('Produce', () => released);
      const run = observe(tripsFrom([north!], { prefetchBytesMax: budget }).select('id', 'city'), {
        sink: kafkaSink({ topic: 'out', clusters: addresses([east!]), key: 'city', unacknowledgedRowsMax: 1_000 }),
        threads: 1,
        register: (_, __, actor) => {
          actor.system.inspect(event => {
            if (event.type === '@xstate.event') machineEvents++;
          });
        },
      });
      const peak = peakOf(run);
      // Everything is full: the sink, the channel, the queues, the budget.
      let before = -1;
      let still = 0;
      await run.until('nothing moves any more', () => {
        const { recordsIn, prefetchBytes } = run.job.metrics();
        peak.look();
        still = recordsIn === before && prefetchBytes > budget / 2 ? still + 1 : 0;
        before = recordsIn;
        return still > 50;
      });
      assert.ok(before < rows.length, 'the sink stopped the source');
      assert.ok(run.job.metrics().sink.unacknowledged < 70_000);
      assert.is(stateOf(run, 'north'), 'healthy');
      await north!.faults.blackHole();
      await run.until('north is given up although nobody fetches', isDown(run, 'north'));
      await run.until('the job is degraded', () => run.job.state === 'degraded');
      await north!.faults.heal();
      await run.until('north is back', () => stateOf(run, 'north') === 'healthy');
      stop();
      release();
      await run.until('it is through', () => {
        peak.look();
        return run.job.state === 'finished';
      });
      assert.ok(peak.look() <= budget, `${peak.look()} bytes were prefetched`);
      assert.ok(machineEvents < 200, `${machineEvents} machine events, with an outage and a full sink`);
      const ids = (await written(east!, 'out', 2)).map(({ value }) => Number(value.id)).sort((a, b) => a - b);
      assert.is(ids.length, rows.length);
      assert.ok(ids.every((id, i) => id === i));
    });
  }));

test('a program that takes its time holds the fetch back', () =>
  withClusters({ partitions: 2 }, async (...clusters) => {
    const rows = trips(30_000, { stepMs: 10 });
    await deal(clusters, 'trips', 2, rows, 200);
    let peak = 0;
    const run = observe(tripsFrom(clusters, { prefetchBytesMax: budget }).select('id'), {
      threads: 2,
      onBatch: () => {
        const until = performance.now() + 2;
        while (performance.now() < until);
        peak = Math.max(peak, run.job.metrics().prefetchBytes);
      },
    });
    await run.job.done;
    assert.is(run.rows.length, rows.length);
    assert.ok(peak > 0 && peak <= budget, `${peak} bytes were prefetched`);
  }));

test('a batch that takes the whole budget passes, alone', () =>
  withClusters({ names: ['east'], partitions: 2 }, async east => {
    // About 750 kB each, hence slabs of 1 MiB.
    for (const partition of [0, 1])
      await append(east!, 'trips', partition, trips(7_500, { fromId: partition * 7_500 }), 2_500);
    const run = observe(tripsFrom([east!], { prefetchBytesMax: budget }).select('id'));
    await run.job.done;
    assert.is(run.rows.length, 15_000);
  }));

test.run();
