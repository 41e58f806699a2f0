import * as assert from 'uvu/assert';
import { ManualClock } from '../../lib/base/clock.ts';
import { FakeClient, settle } from '../support/fake-client.ts';
import { type ScriptedLog, scriptedLog } from '../support/scripted-log.ts';
import { scriptedPool } from '../support/scripted-pool.ts';
import { suite } from '../support/suite.ts';
import { type Observed, observe, perMinute, trips } from '../support/trips.ts';

const test = suite('idleness of a split');

interface Scene {
  readonly run: Observed;
  readonly logs: Readonly<Record<'east' | 'west', ScriptedLog>>;
  advance(ms: number): Promise<void>;
  /** East has ten more seconds of rows, so that it is active and ahead of west. */
  eastGoesOn(): Promise<void>;
}

/** Two scripted clusters of one partition, on a clock that is moved by hand. East goes on and on, west has one minute. */
async function scene(options: Parameters<typeof perMinute>[1], pool?: ReturnType<typeof scriptedPool>): Promise<Scene> {
  const clock = new ManualClock();
  const logs = { east: scriptedLog(1), west: scriptedLog(1) };
  logs.east.append(0, trips(300));
  logs.west.append(0, trips(60, { fromId: 1_000 }));
  const clusters = Object.keys(logs).map(name => ({ name, bootstrap: [`${name}:9092`] }));
  const run = observe(perMinute(clusters, { bounded: false, ...options }), {
    clock,
    dial:
      ({ name }) =>
      generation =>
        new FakeClient(name, generation, logs[name as 'east' | 'west'].cluster),
    ...(pool && { makePool: pool.makePool }),
  });
  const advance = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 50) {
      clock.advance(50);
      await settle(4);
    }
  };
  await advance(500);
  let minutes = 5;
  const eastGoesOn = async (): Promise<void> => {
    logs.east.append(0, trips(10, { fromId: 10_000 + minutes * 10, fromMs: minutes++ * 60_000 }));
    await advance(200);
  };
  return { run, logs, advance, eastGoesOn };
}

/** Stops the job while its clock stands: the sink takes what is there. */
const stop = async ({ run, advance }: Scene): Promise<void> => {
  const stopped = run.job.stop();
  await advance(100);
  await stopped;
};
const westAt = trips(60).at(-1)!.ts;

test('a split that has nothing new holds the watermark for ever, unless it is told otherwise', async () => {
  const it = await scene({});
  assert.is(it.run.job.metrics().recordsIn, 360);
  const asked = it.logs.west.fetches;
  await it.advance(60_000);
  assert.ok(it.logs.west.fetches > asked + 100, 'its broker has said so many times');
  assert.is(it.run.job.metrics().watermark, westAt - 1);
  await stop(it);
});

test('with `idleAfterMs` it is idle once its broker has said so for that long, and active with its next row', async () => {
  const it = await scene({ idleAfterMs: 2_000 });
  await it.advance(1_000);
  assert.is(it.run.job.metrics().watermark, westAt - 1);
  await it.advance(1_500);
  // All are idle at their ends: the watermark has gone as far as east.
  const reached = it.run.job.metrics().watermark;
  assert.is(reached, trips(300).at(-1)!.ts - 1);
  it.logs.east.append(0, trips(60, { fromId: 2_000, fromMs: 300_000 }));
  await it.advance(500);
  assert.ok(it.run.job.metrics().watermark > reached);
  // West speaks again: what lies behind is late, what lies ahead counts.
  it.logs.west.append(0, trips(30, { fromId: 3_000, fromMs: 60_000 }));
  await it.advance(500);
  assert.is(it.run.job.metrics().lateRows, 30);
  const held = it.run.job.metrics().watermark;
  it.logs.east.append(0, trips(60, { fromId: 4_000, fromMs: 360_000 }));
  await it.advance(500);
  assert.is(it.run.job.metrics().watermark, held, 'west bounds it again');
  await it.advance(2_500);
  assert.ok(it.run.job.metrics().watermark > held);
  await stop(it);
});

test('silence is not idleness: a broker that says nothing makes nobody idle', async () => {
  const it = await scene({ idleAfterMs: 2_000, holdWatermarkMs: 3_600_000 });
  it.logs.west.cluster.mode = 'silent';
  await it.advance(20_000);
  await it.eastGoesOn();
  assert.is(it.run.job.state, 'degraded');
  assert.is(it.run.job.metrics().watermark, westAt - 1);
  await stop(it);
});

test('what a broker said before an outage does not count after it', async () => {
  const it = await scene({ idleAfterMs: 5_000, holdWatermarkMs: 3_600_000 });
  it.logs.west.cluster.mode = 'silent';
  await it.advance(20_000);
  it.logs.west.cluster.mode = 'serving';
  await it.advance(2_000);
  await it.eastGoesOn();
  assert.is(it.run.job.state, 'running');
  assert.is(it.run.job.metrics().watermark, westAt - 1, 'idle only after five seconds of "nothing new"');
  await it.advance(5_000);
  await it.eastGoesOn();
  assert.ok(it.run.job.metrics().watermark > westAt);
  await stop(it);
});

test('a throttled split is not idle', async () => {
  const it = await scene({ idleAfterMs: 1_000 });
  it.logs.west.throttleMs = 100;
  await it.advance(20_000);
  await it.eastGoesOn();
  assert.is(it.run.job.metrics().watermark, westAt - 1);
  it.logs.west.throttleMs = 0;
  await it.advance(1_500);
  await it.eastGoesOn();
  assert.ok(it.run.job.metrics().watermark > westAt);
  await stop(it);
});

test('a split whose rows are still under way is not idle', async () => {
  const pool = scriptedPool(4);
  const it = await scene({ idleAfterMs: 1_000 }, pool);
  const endAll = async (of: string): Promise<void> => {
    for (let at = 0; at < pool.waiting.length; ) {
      if (!pool.waiting[at]!.includes(of)) at++;
      else pool.end(at);
      await settle(2);
    }
  };
  await endAll('east');
  await it.advance(200);
  await endAll('east');
  assert.ok(pool.waiting.every(place => place.includes('west')) && pool.waiting.length > 0);
  await it.advance(20_000);
  assert.is(it.run.job.metrics().watermark, Number.NEGATIVE_INFINITY, 'rows of west wait in the pool');
  assert.equal(it.run.rows, []);
  const ended = setInterval(() => void endAll('trips'), 1);
  try {
    await it.run.until('all is read', () => it.run.job.metrics().recordsIn === 360);
    await it.advance(1_500);
    await it.eastGoesOn();
    assert.is(it.run.job.metrics().lateRows, 0);
    assert.ok(it.run.job.metrics().watermark > westAt);
    await stop(it);
  } finally {
    clearInterval(ended);
  }
});

test.run();
