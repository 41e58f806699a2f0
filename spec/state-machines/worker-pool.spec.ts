import * as assert from 'uvu/assert';
import { type WorkerPoolEvent, workerPoolMachine } from '../../state-machines/worker-pool.ts';
import { runChart } from '../support/chart-run.ts';
import { walkChart } from '../support/chart-walk.ts';
import { suite } from '../support/suite.ts';

const delays = { crashWindow: 60_000 };
const input = { threads: 2, crashesMax: 2 };
const twice = { code: 'WORKER_CRASHED', message: 'the task crashed its worker twice', place: 'flights/3 @ 100..199' };

function ready() {
  const run = runChart(workerPoolMachine, input, delays);
  run.send({ type: 'fragments.compiled' });
  return run;
}
const crash = (place: string): WorkerPoolEvent => ({ type: 'worker.crashed', place, reason: 'out of memory' });

const test = suite('workerPool chart');

test('every state is reached, every transition is taken, and whatever ends destroys the workers', () => {
  const steps = walkChart({
    machine: workerPoolMachine,
    inputs: [input],
    delays,
    facts: ({ crashes, retrying }) => ({ crashes, retrying }),
    events: (): WorkerPoolEvent[] => [
      { type: 'fragments.compiled' },
      crash('a'),
      crash('b'),
      { type: 'task.recovered', place: 'a' },
      { type: 'task.recovered', place: 'b' },
      { type: 'pool.broken', failure: twice },
      { type: 'crash.forgiven' },
      { type: 'pool.drain' },
      { type: 'tasks.drained' },
      { type: 'pool.abort' },
    ],
  });
  for (const { before, after, effects } of steps) {
    const ended = before !== after && (after === 'stopped' || after === 'failed');
    assert.is(effects.includes('destroyWorkers'), ended);
  }
});

test('is ready once every thread has compiled every fragment', () => {
  const run = runChart(workerPoolMachine, input, delays);
  assert.equal(run.begun, ['startWorkers']);
  assert.is(run.state, 'starting');
  assert.equal(run.send({ type: 'fragments.compiled' }), ['announceReady']);
  assert.is(run.state, 'ready');
});

test('counts the crashes of threads that are warm while others still compile', () => {
  const run = runChart(workerPoolMachine, input, delays);
  run.send(crash('a'));
  assert.equal(run.send({ type: 'fragments.compiled' }), ['announceReady']);
  assert.is(run.state, 'degraded');
  run.send({ type: 'task.recovered', place: 'a' });
  assert.is(run.state, 'ready');
  run.send(crash('b'));
  assert.equal(run.send(crash('c')), ['destroyWorkers', 'reportFailed']);
});

test('is degraded while a task runs for the second time, until the last of them went well', () => {
  const run = ready();
  run.send(crash('a'));
  run.send(crash('b'));
  assert.is(run.state, 'degraded');
  run.send({ type: 'task.recovered', place: 'a' });
  assert.is(run.state, 'degraded');
  run.send({ type: 'task.recovered', place: 'b' });
  assert.is(run.state, 'ready');
});

test('fails when workers crash more often than the budget allows within its window', () => {
  const run = ready();
  run.send(crash('a'));
  run.send(crash('b'));
  assert.equal(run.send(crash('c')), ['destroyWorkers', 'reportFailed']);
  assert.is(run.state, 'failed');
  assert.is(run.context.failure?.code, 'RESTARTS_EXHAUSTED');
  assert.is(run.context.failure?.place, 'c');
});

test('forgives each crash after the window', () => {
  const run = ready();
  for (let round = 0; round < 5; round++) {
    run.send(crash('a'));
    run.send({ type: 'task.recovered', place: 'a' });
    run.advance(30_000);
    assert.is(run.state, 'ready');
  }
  run.advance(60_000);
  assert.is(run.context.crashes, 0);
  assert.is(run.context.crashesTotal, 5);
});

test('fails at once when a task has crashed its worker twice, and keeps the place of the task', () => {
  const run = ready();
  run.send(crash('flights/3 @ 100..199'));
  run.send({ type: 'pool.broken', failure: twice });
  assert.is(run.state, 'failed');
  assert.equal(run.context.failure, twice);
});

test('drains what runs and then stops, even with a crash on the way', () => {
  const run = ready();
  assert.equal(run.send({ type: 'pool.drain' }), ['awaitTasks']);
  run.send(crash('a'));
  run.send({ type: 'task.recovered', place: 'a' });
  assert.equal(run.send({ type: 'tasks.drained' }), ['destroyWorkers', 'reportStopped']);
});

test.run();
