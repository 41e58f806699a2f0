import * as assert from 'uvu/assert';
import { type JobEvent, jobMachine } from '../../state-machines/job.ts';
import { runChart } from '../support/chart-run.ts';
import { walkChart } from '../support/chart-walk.ts';
import { suite } from '../support/suite.ts';

const delays = { startLimit: 10_000, drainLimit: 1_500 };
const input = { job: 'delays', clusters: ['east', 'west'] };
const failure = { code: 'WORKER_CRASHED', message: 'the task crashed its worker twice', place: 'flights/3' };
const lost = (cluster: string): JobEvent => ({ type: 'cluster.lost', cluster, reason: 'connection refused' });
const healthy = (cluster: string): JobEvent => ({ type: 'cluster.healthy', cluster });

const start = () => runChart(jobMachine, input, delays);
function running() {
  const run = start();
  run.send({ type: 'plan.ready' });
  run.send({ type: 'actors.started' });
  return run;
}

const test = suite('job chart');

test('every state is reached, every transition is taken, and a job that ends lets go of its parts', () => {
  const steps = walkChart({
    machine: jobMachine,
    inputs: [input],
    delays,
    facts: context => Object.keys(context.lost).sort(),
    events: (): JobEvent[] => [
      { type: 'plan.ready' },
      { type: 'actors.started' },
      lost('east'),
      lost('west'),
      healthy('east'),
      healthy('west'),
      { type: 'source.exhausted' },
      { type: 'sink.drained' },
      { type: 'part.failed', part: 'workerPool', failure },
      { type: 'job.stop' },
    ],
  });
  const finals = ['finished', 'stopped', 'failed'];
  for (const { before, event, after, effects } of steps) {
    const step = `${before} -- ${event} --> ${after}: ${effects.join(', ')}`;
    if (finals.includes(before)) assert.equal([after, effects], [before, []], step);
    else if (finals.includes(after)) {
      assert.ok(effects.includes(after === 'failed' ? 'abortParts' : 'releaseParts'), step);
      assert.is(effects.filter(effect => effect.startsWith('announce')).length, 1, step);
    }
    if (event.startsWith('cluster.')) assert.not.ok(finals.includes(after) && !finals.includes(before), step);
  }
});

test('a bounded job plans, starts, runs, ends and is finished', () => {
  const run = start();
  assert.equal(run.begun, ['makePlan']);
  assert.equal(run.send({ type: 'plan.ready' }), ['startActors']);
  assert.equal(run.send({ type: 'actors.started' }), ['announceHealthy']);
  assert.is(run.state, 'running.healthy');
  assert.equal(run.send({ type: 'source.exhausted' }), []);
  assert.is(run.state, 'draining.ending');
  assert.equal(run.send({ type: 'sink.drained' }), ['releaseParts', 'announceFinished']);
  assert.is(run.state, 'finished');
  assert.is(run.clock.pending, 0);
});

test('a sink that has had the end mark before the source reports it finishes the job, even while it starts', () => {
  for (const run of [start(), running()]) {
    if (run.state === 'planning') run.send({ type: 'plan.ready' });
    assert.equal(run.send({ type: 'sink.drained' }), ['releaseParts', 'announceFinished']);
    assert.equal(run.send({ type: 'source.exhausted' }), []);
    assert.is(run.state, 'finished');
    assert.is(run.clock.pending, 0);
  }
});

test('is degraded while any cluster is lost, and says so once', () => {
  const run = running();
  assert.equal(run.send(lost('east')), ['announceDegraded']);
  assert.equal(run.send(lost('west')), []);
  assert.equal(run.send(healthy('east')), []);
  assert.is(run.state, 'running.degraded');
  assert.equal(run.context.lost, { west: 'connection refused' });
  assert.equal(run.send(healthy('west')), ['announceHealthy']);
  assert.is(run.context.outages, 2);
});

test('waits for ever while both clusters are lost', () => {
  const run = running();
  run.send(lost('east'));
  run.send(lost('west'));
  run.advance(7 * 24 * 3_600_000);
  assert.is(run.state, 'running.degraded');
});

test('begins degraded where a cluster was lost after the parts had started', () => {
  const run = start();
  run.send({ type: 'plan.ready' });
  run.send(lost('west'));
  assert.equal(run.send({ type: 'actors.started' }), ['announceDegraded']);
  assert.is(run.state, 'running.degraded');
});

test('fails with the reason of the cluster when it is not reached in time', () => {
  const run = start();
  run.send({ type: 'plan.ready' });
  run.send(lost('west'));
  assert.equal(run.advance(10_000), ['abortParts', 'announceFailed']);
  assert.is(run.state, 'failed');
  assert.equal(run.context.failure, {
    code: 'CLUSTER_UNREACHABLE',
    message: 'the cluster was not reached: connection refused',
    place: 'west',
  });
});

test('a stop drains the sources and is stopped when the sinks are', () => {
  const run = running();
  assert.equal(run.send({ type: 'job.stop' }), ['drainSources']);
  assert.is(run.state, 'draining.stopping');
  assert.equal(run.send({ type: 'source.exhausted' }), []);
  assert.equal(run.send({ type: 'sink.drained' }), ['releaseParts', 'announceStopped']);
});

test('a stop that cannot deliver its rows in time is a failure that names the lost clusters', () => {
  const run = running();
  run.send(lost('east'));
  run.send(lost('west'));
  run.send({ type: 'job.stop' });
  assert.equal(run.advance(1_500), ['abortParts', 'announceFailed']);
  assert.is(run.context.failure?.code, 'SINK_FAILED');
  assert.match(run.context.failure?.message ?? '', /east: connection refused; west: connection refused/);
});

test('the end of the input waits for the sinks without a limit, and a stop sets one', () => {
  const run = running();
  run.send({ type: 'source.exhausted' });
  run.advance(3_600_000);
  assert.is(run.state, 'draining.ending');
  run.send({ type: 'job.stop' });
  assert.is(run.state, 'draining.endingInTime');
  run.advance(1_499);
  assert.equal(run.send({ type: 'sink.drained' }), ['releaseParts', 'announceFinished']);
});

test('a stop before the job runs ends it at once', () => {
  for (const events of [[], [{ type: 'plan.ready' } as const]]) {
    const run = start();
    for (const event of events) run.send(event);
    assert.equal(run.send({ type: 'job.stop' }), ['abortParts', 'releaseParts', 'announceStopped']);
    assert.is(run.clock.pending, 0);
  }
});

test('a failed part fails the job, and the first failure is the one that is told', () => {
  const run = running();
  assert.equal(run.send({ type: 'part.failed', part: 'workerPool', failure }), ['abortParts', 'announceFailed']);
  run.send({ type: 'part.failed', part: 'sink', failure: { code: 'SINK_FAILED', message: 'aborted' } });
  assert.equal(run.context.failure, failure);
});

test.run();
