import * as assert from 'uvu/assert';
import { OutageScript } from '../../examples/flights/outage.ts';
import type { ClusterState, JobEvent, JobMetrics } from '../../lib/plan/job-report.ts';
import { suite } from '../support/suite.ts';

const test = suite('script of the outage');

/** A job of 1000 records whose figures and events the spec makes up, on a clock that stands still. */
function stage() {
  const log: string[] = [];
  let now = 0;
  const script = new OutageScript({
    cluster: 'east',
    records: 1000,
    goDark: async () => void log.push('dark'),
    comeBack: async () => void log.push('back'),
    now: () => now,
  });
  return {
    log,
    script,
    at(ms: number) {
      now = ms;
    },
    async look(recordsIn: number, eastIn: number, westLag = 100, eastLag = 100) {
      script.look({
        recordsIn,
        clusters: [
          { name: 'east', recordsIn: eastIn, lag: eastLag },
          { name: 'west', recordsIn: recordsIn - eastIn, lag: westLag },
        ],
      } as unknown as JobMetrics);
      await Promise.resolve();
      await Promise.resolve();
    },
    cluster(to: ClusterState, cluster = 'east') {
      script.onEvent({ type: 'cluster', at: now, cluster, from: 'healthy', to, reason: '', generation: 1 } as JobEvent);
    },
    switched() {
      script.onEvent({ type: 'sink.switched', at: now, from: 'east', to: 'west', resent: 3, ms: 1 });
    },
  };
}

test('dark at 40 %, back at 60 %, and every time is measured from the fault or from its end', async () => {
  const { script, log, at, look, cluster, switched } = stage();
  await look(399, 200);
  assert.equal(log, []);
  at(1000);
  await look(400, 200);
  assert.equal(log, ['dark']);
  at(1450);
  cluster('down');
  at(1480);
  switched();
  at(2600);
  await look(599, 200);
  assert.equal(log, ['dark']);
  at(3000);
  await look(600, 200);
  assert.equal(log, ['dark', 'back']);
  at(3200);
  await look(650, 200);
  cluster('healthy');
  await look(650, 200);
  assert.is(script.phase, 'returning');
  at(3250);
  await look(660, 210);
  assert.is(script.phase, 'over');
  assert.equal(script.outages, [{ cluster: 'east', detectMs: 450, downMs: 1550, resumeMs: 250 }]);
  assert.equal(script.failovers, [{ from: 'east', to: 'west', switchMs: 480 }]);
  assert.is(script.unplanned, 0);
  await script.end();
  assert.equal(log, ['dark', 'back']);
});

test('it stays away for a second of down, however far the input is', async () => {
  const { log, at, look, cluster } = stage();
  await look(400, 200);
  at(100);
  await look(1000, 500);
  assert.equal(log, ['dark'], 'not yet down');
  at(500);
  cluster('down');
  at(1499);
  await look(1000, 500);
  assert.equal(log, ['dark']);
  at(1500);
  await look(1000, 500);
  assert.equal(log, ['dark', 'back']);
});

test('it returns before 60 % when the other cluster has nothing left', async () => {
  const { log, at, look, cluster } = stage();
  await look(400, 200);
  cluster('down');
  at(1000);
  await look(500, 200);
  assert.equal(log, ['dark']);
  await look(500, 200, 0);
  assert.equal(log, ['dark', 'back']);
});

test('where nothing was left to read, it has resumed when it is healthy', async () => {
  const { script, at, look, cluster } = stage();
  await look(900, 500, 0, 0);
  cluster('down');
  at(1000);
  await look(900, 500, 0, 0);
  at(1100);
  cluster('healthy');
  await look(900, 500, 0, 0);
  assert.is(script.outages[0]!.resumeMs, 100);
});

test('a job that ends in the dark brings the cluster back and reports what did not happen', async () => {
  const { script, log, look } = stage();
  await look(400, 200);
  await script.end();
  assert.equal(log, ['dark', 'back']);
  assert.equal(script.outages, [{ cluster: 'east', detectMs: null, downMs: null, resumeMs: null }]);
});

test('a job that ends before 40 % has no outage', async () => {
  const { script, log, look } = stage();
  await look(399, 200);
  await script.end();
  assert.equal(log, []);
  assert.equal(script.outages, []);
});

test('an outage that nobody planned is counted', async () => {
  const { script, cluster } = stage();
  cluster('down', 'west');
  assert.is(script.unplanned, 1);
});

test('a fault that cannot be set is heard of at the end', async () => {
  const script = new OutageScript({
    cluster: 'east',
    records: 1,
    goDark: () => Promise.reject(new Error('no such cluster')),
    comeBack: async () => undefined,
    now: () => 0,
  });
  script.look({ recordsIn: 1, clusters: [] } as unknown as JobMetrics);
  try {
    await script.end();
    assert.unreachable();
  } catch (error) {
    assert.match(String(error), 'no such cluster');
  }
});

test.run();
