import * as assert from 'uvu/assert';
import { type ClusterSinkEvent, clusterSinkMachine } from '../../state-machines/cluster-sink.ts';
import { runChart } from '../support/chart-run.ts';
import { walkChart } from '../support/chart-walk.ts';
import { suite } from '../support/suite.ts';

const delays = { retryBackoff: 100, retryWindow: 10_000 };
const input = { sink: 'delays', clusters: ['east', 'west'], retriesMax: 2 };
const tooLarge = { code: 'RECORD_TOO_LARGE', message: 'the record has 50 MB', place: 'delays/1' };
const notLeader = { code: 'BROKER_ERROR', message: 'not the leader', place: 'east/delays/1' };
const differ = { code: 'PARTITIONS_DIFFER', message: 'east has 4 partitions, west has 3', place: 'delays' };

const healthy = (cluster: string): ClusterSinkEvent => ({ type: 'cluster.healthy', cluster, generation: 1 });
const ready = (cluster: string): ClusterSinkEvent => ({ type: 'cluster.ready', cluster });
const lost = (cluster: string): ClusterSinkEvent => ({ type: 'cluster.lost', cluster, reason: 'no answer for 600 ms' });
const resent = (cluster: string): ClusterSinkEvent => ({ type: 'rows.resent', cluster });
const failed = (cluster: string, fatal = false): ClusterSinkEvent => ({
  type: 'produce.failed',
  cluster,
  failure: fatal ? tooLarge : notLeader,
  fatal,
});

const start = () => runChart(clusterSinkMachine, input, delays);
function writing() {
  const run = start();
  run.send(ready('west'));
  run.send(ready('east'));
  return run;
}
const delivery = (run: { readonly state: string }) => /delivery\.(\w+)/.exec(run.state)?.[1];

const test = suite('clusterSink chart');

test('every state is reached, every transition is taken, and the laws hold on each step', () => {
  const steps = walkChart({
    machine: clusterSinkMachine,
    inputs: [{ ...input, retriesMax: 1 }],
    delays,
    facts: ({ ready, lost, active, retries }) => [ready, lost, active, retries > 0],
    events: (): ClusterSinkEvent[] => [
      healthy('east'),
      ...['east', 'west'].flatMap(cluster => [
        ready(cluster),
        lost(cluster),
        resent(cluster),
        failed(cluster),
        failed(cluster, true),
        { type: 'retry.due', cluster } as const,
        { type: 'retry.forgiven', cluster } as const,
      ]),
      { type: 'cluster.refused', cluster: 'west', failure: differ },
      { type: 'input.ended' },
      { type: 'rows.acknowledged' },
      { type: 'sink.abort' },
    ],
  });
  for (const { before, event, after, effects } of steps) {
    const step = `${before} -- ${event} --> ${after}: ${effects.join(', ')}`;
    const opened = effects.includes('openWriter');
    if (opened && !before.includes('starting'))
      assert.is(event, 'rows.resent', `new rows after the resent ones: ${step}`);
    if (effects.includes('resendUnacknowledged')) {
      assert.ok(effects.indexOf('abandonWriter') < effects.indexOf('resendUnacknowledged'), step);
      assert.match(after, 'switching', step);
    }
    if (!before.includes('waiting') && after.includes('waiting')) assert.ok(effects.includes('abandonWriter'), step);
    if (after === 'finished' && before !== 'finished') assert.match(before, 'flushing', step);
    if (before !== after && (after === 'failed' || after === 'stopped'))
      assert.ok(effects.includes('abandonWriter'), step);
  }
});

test('begins with the first cluster of the list, whichever is ready first', () => {
  const run = start();
  assert.equal(run.send(healthy('west')), ['prepareCluster']);
  assert.equal(run.send(ready('west')), []);
  assert.is(delivery(run), 'starting');
  assert.equal(run.send(ready('east')), ['announceActive', 'openWriter']);
  assert.is(run.context.active, 'east');
  assert.is(run.context.failovers, 0);
});

test('begins with another cluster when the first is known to be lost', () => {
  const run = start();
  run.send(ready('west'));
  assert.equal(run.send(lost('east')), ['announceActive', 'openWriter']);
  assert.is(run.context.active, 'west');
});

test('a lost active cluster: abandons its writer, resends to the next one, then takes new rows', () => {
  const run = writing();
  assert.equal(run.send(lost('east')), ['abandonWriter', 'announceActive', 'resendUnacknowledged']);
  assert.is(delivery(run), 'switching');
  assert.equal([run.context.left, run.context.active, run.context.failovers], ['east', 'west', 1]);
  assert.equal(run.send(resent('east')), []);
  assert.equal(run.send(resent('west')), ['openWriter']);
  assert.is(delivery(run), 'writing');
});

test('is sticky: the cluster that was left returns and is not written to', () => {
  const run = writing();
  run.send(lost('east'));
  run.send(resent('west'));
  assert.equal(run.send(healthy('east')), ['prepareCluster']);
  assert.equal(run.send(ready('east')), []);
  assert.is(run.context.active, 'west');
  assert.equal(run.context.ready, ['east', 'west']);
});

test('losing the cluster that is not written to changes nothing', () => {
  const run = writing();
  assert.equal(run.send(lost('west')), []);
  assert.is(delivery(run), 'writing');
});

test('both clusters down: waits for ever, and resends to whichever returns', () => {
  for (const first of ['east', 'west']) {
    const run = writing();
    run.send(lost('west'));
    assert.equal(run.send(lost('east')), ['abandonWriter']);
    run.advance(24 * 3_600_000);
    assert.is(delivery(run), 'waiting');
    assert.equal(run.send(ready(first)), ['abandonWriter', 'announceActive', 'resendUnacknowledged']);
    assert.is(run.context.active, first);
    assert.is(run.context.failovers, first === 'east' ? 0 : 1);
    assert.equal(run.send(resent(first)), ['openWriter']);
  }
});

test('flapping: the next cluster is lost while rows are resent to it', () => {
  const run = writing();
  run.send(lost('east'));
  run.send(ready('east'));
  assert.equal(run.send(lost('west')), ['abandonWriter', 'announceActive', 'resendUnacknowledged']);
  assert.is(run.context.active, 'east');
  assert.equal(run.send(resent('west')), []);
  assert.equal(run.send(lost('east')), ['abandonWriter']);
  assert.is(delivery(run), 'waiting');
});

test('a produce error is tried again after a back-off, and forgiven after the window', () => {
  const run = writing();
  assert.equal(run.send(failed('east')), []);
  assert.equal(run.advance(100), ['retryProduce']);
  run.send(failed('east'));
  assert.is(run.context.retries, 2);
  run.advance(10_000);
  assert.is(run.context.retries, 0);
  assert.is(delivery(run), 'writing');
});

test('too many produce errors are a reason to switch, though the connection is healthy', () => {
  const run = writing();
  run.send(failed('east'));
  run.send(failed('east'));
  assert.equal(run.send(failed('east')), ['abandonWriter', 'announceActive', 'resendUnacknowledged']);
  assert.equal([run.context.active, run.context.reason], ['west', 'not the leader']);
  assert.equal(run.advance(100), []);
});

test('with no other cluster to go to, it tries again for ever', () => {
  const run = writing();
  run.send(lost('west'));
  for (let error = 0; error < 10; error++) {
    run.send(failed('east'));
    assert.ok(run.advance(100).includes('retryProduce'));
  }
  assert.is(delivery(run), 'writing');
});

test('errors of a cluster that was left are not heard, fatal ones neither', () => {
  const run = writing();
  run.send(lost('east'));
  run.send(resent('west'));
  run.send(failed('east'));
  run.send(failed('east', true));
  assert.is(delivery(run), 'writing');
  assert.is(run.context.retries, 0);
});

test('a record that no cluster can take, and clusters that disagree, fail the sink', () => {
  const large = writing();
  assert.equal(large.send(failed('east', true)), ['abandonWriter', 'reportFailed']);
  assert.equal(large.context.failure, tooLarge);
  const unequal = start();
  unequal.send(ready('east'));
  assert.equal(unequal.send({ type: 'cluster.refused', cluster: 'west', failure: differ }), [
    'abandonWriter',
    'reportFailed',
  ]);
  assert.equal(unequal.context.failure, differ);
});

test('the end of the input flushes, through a switch if need be, and only then it is finished', () => {
  const run = writing();
  run.send({ type: 'rows.acknowledged' });
  assert.equal(run.send({ type: 'input.ended' }), ['flush']);
  run.send(lost('east'));
  assert.is(run.state, 'running.delivery.switching + running.input.flushing');
  run.send(resent('west'));
  assert.is(run.state, 'running.delivery.writing + running.input.flushing');
  assert.equal(run.send({ type: 'rows.acknowledged' }), ['reportFinished']);
  assert.is(run.state, 'finished');
});

test.run();
