import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { seededRandom } from '../../lib/base/random.ts';
import { FakeClient, settle } from '../support/fake-client.ts';
import { scriptedLog } from '../support/scripted-log.ts';
import { scriptedPool } from '../support/scripted-pool.ts';
import { suite } from '../support/suite.ts';
import { naive, observe, perMinute, shown, type Trip, trips, tripsFrom } from '../support/trips.ts';

const test = suite('interleaving of splits', 20_000);

const names = ['east', 'west'] as const;
const partitions = 2;

/** Deals rows out over both clusters, each partition in order of time. */
function logsOf(rows: readonly Trip[], batchRows: number) {
  const logs = { east: scriptedLog(partitions), west: scriptedLog(partitions) };
  names.forEach((name, c) => {
    for (let p = 0; p < partitions; p++)
      logs[name].append(
        p,
        rows.filter(row => row.id % 4 === c * partitions + p),
        batchRows,
      );
  });
  return logs;
}

const clusters = names.map(name => ({ name, bootstrap: [`${name}:9092`] }));

/** Runs a job whose tasks end in an order that a seed decides. */
async function run(
  stream: ReturnType<typeof perMinute> | ReturnType<typeof tripsFrom>,
  logs: ReturnType<typeof logsOf>,
  seed: number,
) {
  const random = seededRandom(seed);
  const pool = scriptedPool(3);
  const observed = observe(stream as ReturnType<typeof tripsFrom>, {
    dial:
      ({ name }) =>
      generation =>
        new FakeClient(name, generation, logs[name as 'east' | 'west'].cluster),
    makePool: pool.makePool,
  });
  let done = false;
  observed.job.done.finally(() => {
    done = true;
  });
  while (!done) {
    // Sometimes several pile up, sometimes the only one ends at once.
    if (pool.waiting.length > 0 && random() < 0.7) pool.end(Math.floor(random() * pool.waiting.length));
    await settle(1);
  }
  await observed.job.done;
  return observed;
}

const scripts = fc.record({
  seed: fc.integer(),
  rows: fc.integer({ min: 1, max: 400 }),
  batchRows: fc.integer({ min: 1, max: 40 }),
  stepMs: fc.constantFrom(100, 1_000, 20_000),
});

test('whatever order the pool ends its tasks in, rows in time make the same windows', () =>
  fc.assert(
    fc.asyncProperty(scripts, async ({ seed, rows: count, batchRows, stepMs }) => {
      const rows = trips(count, { stepMs, seed });
      const observed = await run(perMinute(clusters), logsOf(rows, batchRows), seed);
      assert.equal(shown(observed.rows), naive(rows));
      assert.is(observed.job.metrics().lateRows, 0);
      assert.is(observed.job.metrics().prefetchBytes, 0);
    }),
    { numRuns: 40 },
  ));

test('whatever order the pool ends its tasks in, rows of a partition stay in order', () =>
  fc.assert(
    fc.asyncProperty(scripts, async ({ seed, rows: count, batchRows }) => {
      const observed = await run(tripsFrom(clusters), logsOf(trips(count, { seed }), batchRows), seed);
      assert.is(observed.rows.length, count);
      const last = new Map<number, number>();
      for (const { id } of observed.rows as { id: number }[]) {
        assert.ok((last.get(id % 4) ?? -1) < id);
        last.set(id % 4, id);
      }
    }),
    { numRuns: 20 },
  ));

test('late rows and those in time are all rows, whatever order they come in', () =>
  fc.assert(
    fc.asyncProperty(scripts, async ({ seed, rows: count, batchRows, stepMs }) => {
      const random = seededRandom(seed);
      // Some rows are up to ten minutes behind those before them.
      const rows = trips(count, { stepMs, seed }).map(row =>
        random() < 0.2 ? { ...row, ts: row.ts - Math.floor(random() * 600_000) } : row,
      );
      const observed = await run(perMinute(clusters), logsOf(rows, batchRows), seed);
      const late = new Set(observed.late.map(row => Number(row.id)));
      assert.is(late.size, observed.late.length, 'no row is told twice');
      assert.is(observed.job.metrics().lateRows, late.size);
      assert.equal(shown(observed.rows), naive(rows.filter(row => !late.has(row.id))));
    }),
    { numRuns: 40 },
  ));

test.run();
