import * as assert from 'uvu/assert';
import { type OperatorEvent, operatorMachine } from '../../state-machines/operator.ts';
import { runChart } from '../support/chart-run.ts';
import { walkChart } from '../support/chart-walk.ts';
import { suite } from '../support/suite.ts';

const crash = { code: 'OPERATOR_CRASHED', message: 'division by zero', place: 'aggregate' };
const start = () => runChart(operatorMachine, { operator: 'aggregate' }, {});

const test = suite('operator chart');

test('every state is reached, every transition is taken, and whatever ends stops its pump before it reports', () => {
  const steps = walkChart({
    machine: operatorMachine,
    inputs: [{ operator: 'aggregate' }],
    delays: {},
    facts: () => null,
    events: (): OperatorEvent[] => [
      { type: 'operator.start' },
      { type: 'outbox.filled' },
      { type: 'outbox.freed' },
      { type: 'input.ended' },
      { type: 'output.drained' },
      { type: 'operator.crashed', failure: crash },
      { type: 'operator.abort' },
    ],
  });
  for (const { before, after, effects } of steps) {
    const ended = before !== after && (after === 'stopped' || after === 'faulted');
    assert.equal(
      ended ? effects : [],
      ended ? ['stopPump', after === 'stopped' ? 'reportStopped' : 'reportFaulted'] : [],
    );
    if (before === 'stopped' || before === 'faulted') assert.equal([after, effects], [before, []]);
  }
});

test('runs, stalls while its outbox is full, drains at the end of its input, stops', () => {
  const run = start();
  assert.equal(run.begun, []);
  assert.equal(run.send({ type: 'operator.start' }), ['startPump']);
  assert.is(run.state, 'running.flowing');
  assert.equal(run.send({ type: 'outbox.filled' }), []);
  assert.is(run.state, 'running.stalled');
  run.send({ type: 'outbox.freed' });
  assert.is(run.state, 'running.flowing');
  assert.equal(run.send({ type: 'input.ended' }), ['closeOutput']);
  assert.is(run.state, 'draining');
  assert.equal(run.send({ type: 'output.drained' }), ['stopPump', 'reportStopped']);
  assert.is(run.context.stalls, 1);
});

test('the end of the input may come while it is stalled', () => {
  const run = start();
  run.send({ type: 'operator.start' });
  run.send({ type: 'outbox.filled' });
  assert.equal(run.send({ type: 'input.ended' }), ['closeOutput']);
});

test('a crash is kept as plain data, without the error and its stack', () => {
  const run = start();
  run.send({ type: 'operator.start' });
  const failure = Object.assign(new Error('division by zero'), { code: 'OPERATOR_CRASHED', place: 'aggregate' });
  run.send({ type: 'operator.crashed', failure });
  assert.is(run.state, 'faulted');
  assert.equal(run.context.failure, crash);
  assert.not.instance(run.context.failure, Error);
});

test.run();
