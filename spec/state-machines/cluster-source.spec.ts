import * as assert from 'uvu/assert';
import { type ClusterSourceEvent, clusterSourceMachine } from '../../state-machines/cluster-source.ts';
import { runChart } from '../support/chart-run.ts';
import { walkChart } from '../support/chart-walk.ts';
import { suite } from '../support/suite.ts';

const delays = { holdWatermark: 60_000, restartBackoff: 100, crashWindow: 30_000 };
const input = { source: 'flights', clusters: ['east', 'west'], bounded: true, crashesMax: 2 };
const corrupt = { code: 'BATCH_CORRUPT', message: 'the CRC does not match', place: 'east/flights/3 @ 17' };

const healthy = (cluster: string): ClusterSourceEvent => ({ type: 'cluster.healthy', cluster, generation: 1 });
const lost = (cluster: string): ClusterSourceEvent => ({
  type: 'cluster.lost',
  cluster,
  reason: 'down',
  silentMs: 600,
});
const assigned = (cluster: string, ...splits: string[]): ClusterSourceEvent => ({
  type: 'splits.assigned',
  cluster,
  splits,
});
const finished = (cluster: string, split: string): ClusterSourceEvent => ({ type: 'split.finished', cluster, split });
const crashed = (split: string): ClusterSourceEvent => ({ type: 'reader.crashed', split, reason: 'bug' });

function reading(overrides: Partial<typeof input> & { holdMs?: number } = {}) {
  const { holdMs = 60_000, ...rest } = overrides;
  const run = runChart(clusterSourceMachine, { ...input, ...rest }, { ...delays, holdWatermark: holdMs });
  for (const event of [assigned('east', 'e0', 'e1'), assigned('west', 'w0')]) run.send(event);
  return run;
}

const test = suite('clusterSource chart');

test('every state is reached, every transition is taken, and the laws hold on each step', () => {
  const steps = walkChart({
    machine: clusterSourceMachine,
    inputs: [
      { ...input, crashesMax: 0 },
      { ...input, clusters: ['east'], crashesMax: 1 },
    ],
    delays,
    facts: ({ serving, lost, openSplits, holding, crashes }, state) =>
      // Behind `reading` the clusters decide nothing any more.
      state === 'starting' || typeof state === 'object'
        ? [
            [...serving].sort(),
            [...lost].sort(),
            Object.entries(openSplits).sort(),
            Object.keys(holding).sort(),
            crashes,
          ]
        : [],
    events: ({ context: { holding } }): ClusterSourceEvent[] => [
      healthy('east'),
      lost('east'),
      lost('west'),
      assigned('east', 'e0'),
      assigned('west', 'w0'),
      assigned('west'),
      finished('east', 'e0'),
      finished('west', 'w0'),
      { type: 'split.failed', cluster: 'east', failure: corrupt },
      crashed('e0'),
      { type: 'reader.due', split: 'e0' },
      { type: 'crash.forgiven' },
      ...Object.entries(holding).map(
        ([cluster, hold]): ClusterSourceEvent => ({ type: 'hold.expired', cluster, hold }),
      ),
      { type: 'hold.expired', cluster: 'east', hold: 0 },
      { type: 'source.drain' },
      { type: 'output.drained' },
      { type: 'source.abort' },
    ],
  });
  const ended = ['finishing', 'draining', 'finished', 'stopped', 'failed'];
  for (const { before, event, after, effects } of steps) {
    const step = `${before} -- ${event} --> ${after}: ${effects.join(', ')}`;
    const wasReading = before.startsWith('reading');
    assert.is(effects.includes('startReaders'), before === 'starting' && after.startsWith('reading'), step);
    if (wasReading && ended.includes(after)) assert.ok(effects.includes('stopReaders'), step);
    if (wasReading && event === 'cluster.lost') assert.ok(effects.includes('suspendReaders'), step);
    if (effects.includes('emitFinalWatermark')) assert.is(after, 'finishing', step);
    if (after === 'finished') assert.ok(before === 'finishing' || before === 'finished', step);
    if (effects.includes('releaseWatermark')) assert.is(event, 'hold.expired', step);
    if (effects.includes('announceHold')) assert.is(event, 'cluster.lost', step);
  }
});

test('begins when it knows the splits of every cluster', () => {
  const run = runChart(clusterSourceMachine, input, delays);
  assert.equal(run.send(healthy('west')), ['assignSplits']);
  assert.equal(run.send(assigned('west', 'w0')), ['rejoinWatermark']);
  assert.is(run.state, 'starting');
  assert.equal(run.send(healthy('east')), ['assignSplits']);
  assert.equal(run.send(assigned('east', 'e0')), ['rejoinWatermark', 'startReaders']);
  assert.is(run.state, 'reading.clusters.allServing + reading.watermark.moving');
});

test('begins without a cluster that cannot be reached, which holds the watermark as if it were lost', () => {
  for (const first of [lost('east'), assigned('west', 'w0')]) {
    const run = runChart(clusterSourceMachine, input, { ...delays, holdWatermark: 1_000 });
    const second = first.type === 'cluster.lost' ? assigned('west', 'w0') : lost('east');
    const effects = [...run.send(first), ...run.send(second)];
    assert.is(effects.at(-1), 'startReaders');
    assert.ok(effects.includes('announceHold'));
    assert.is(run.state, 'reading.clusters.someServing + reading.watermark.held');
    assert.equal(run.send(finished('west', 'w0')), []);
    assert.equal(run.advance(1_000), ['releaseWatermark']);
    assert.is(run.state, 'reading.clusters.someServing + reading.watermark.moving', 'not finished: east is not read');
    assert.equal(run.send(healthy('east')), ['assignSplits']);
    assert.equal(run.send(assigned('east', 'e0')), ['rejoinWatermark', 'resumeReaders']);
    assert.equal(run.send(finished('east', 'e0')), ['stopReaders', 'emitFinalWatermark', 'closeOutput']);
  }
});

test('waits while no cluster can be reached, and for one that answers and is being asked', () => {
  const run = runChart(clusterSourceMachine, input, delays);
  run.send(lost('east'));
  run.send(lost('west'));
  assert.is(run.state, 'starting');
  run.send(healthy('east'));
  run.send(assigned('west', 'w0'));
  assert.is(run.state, 'starting');
  assert.ok(run.send(lost('east')).includes('startReaders'));
});

test('a cluster that was never reached and turns out to be empty holds nothing any more', () => {
  const run = runChart(clusterSourceMachine, input, delays);
  run.send(lost('east'));
  run.send(assigned('west', 'w0'));
  assert.is(run.state, 'reading.clusters.someServing + reading.watermark.held');
  run.send(assigned('east'));
  assert.is(run.state, 'reading.clusters.allServing + reading.watermark.moving');
  assert.equal(run.send(lost('east')), ['suspendReaders']);
});

test('an outage: the other cluster is read on, the watermark is held, and both are mended on return', () => {
  const run = reading();
  assert.equal(run.send(lost('east')), ['suspendReaders', 'announceHold']);
  assert.is(run.state, 'reading.clusters.someServing + reading.watermark.held');
  assert.equal(run.send(healthy('east')), ['assignSplits']);
  assert.is(run.state, 'reading.clusters.someServing + reading.watermark.held');
  assert.equal(run.send(assigned('east', 'e0', 'e1')), ['rejoinWatermark', 'resumeReaders']);
  assert.is(run.state, 'reading.clusters.allServing + reading.watermark.moving');
  // The timer of the hold that has ended must not release a later one.
  run.advance(30_000);
  run.send(lost('east'));
  assert.equal(run.advance(30_000), []);
  assert.is(run.state, 'reading.clusters.someServing + reading.watermark.held');
  assert.equal(run.advance(30_000), ['releaseWatermark']);
});

test('the watermark is released when the hold ends, and the cluster may still return', () => {
  const run = reading({ holdMs: 1_000 });
  run.send(lost('east'));
  assert.equal(run.advance(999), []);
  assert.equal(run.advance(1), ['releaseWatermark']);
  assert.is(run.state, 'reading.clusters.someServing + reading.watermark.moving');
  assert.equal(run.send(assigned('east', 'e0', 'e1')), ['rejoinWatermark', 'resumeReaders']);
  assert.is(run.state, 'reading.clusters.allServing + reading.watermark.moving');
});

test('both clusters down: it waits, and either may return first', () => {
  const run = reading();
  run.send(lost('east'));
  run.send(lost('west'));
  assert.is(run.state, 'reading.clusters.noneServing + reading.watermark.held');
  run.advance(24 * 3_600_000);
  assert.is(run.state, 'reading.clusters.noneServing + reading.watermark.moving');
  run.send(assigned('west', 'w0'));
  assert.is(run.state, 'reading.clusters.someServing + reading.watermark.moving');
});

test('a cluster that is lost while another has yet to connect is held from then on', () => {
  const run = runChart(clusterSourceMachine, input, delays);
  run.send(assigned('east', 'e0'));
  run.send(lost('east'));
  assert.equal(run.send(assigned('west', 'w0')), ['rejoinWatermark', 'startReaders']);
  assert.is(run.state, 'reading.clusters.someServing + reading.watermark.held');
});

test('is not finished before every split of every cluster has reached its end', () => {
  const run = reading();
  run.send(finished('west', 'w0'));
  run.send(finished('east', 'e0'));
  run.send(lost('east'));
  run.send(assigned('east', 'e0', 'e1'));
  assert.equal(run.context.openSplits, { east: ['e1'], west: [] });
  assert.is(run.state, 'reading.clusters.allServing + reading.watermark.moving');
  assert.equal(run.send(finished('east', 'e1')), ['stopReaders', 'emitFinalWatermark', 'closeOutput']);
  assert.is(run.state, 'finishing');
  assert.equal(run.send({ type: 'output.drained' }), ['reportFinished']);
});

test('a cluster whose splits have all reached their end holds no watermark', () => {
  const run = reading();
  run.send(finished('west', 'w0'));
  run.send(lost('west'));
  assert.is(run.state, 'reading.clusters.someServing + reading.watermark.moving');
  // Rows that were on their way when the cluster was lost may still complete its last split.
  run.send(lost('east'));
  run.send(finished('east', 'e0'));
  assert.is(run.state, 'reading.clusters.noneServing + reading.watermark.held');
  run.send(finished('east', 'e1'));
  assert.is(run.state, 'finishing');
});

test('an unbounded source goes on when its splits say that they have ended', () => {
  const run = reading({ bounded: false });
  for (const event of [finished('east', 'e0'), finished('east', 'e1'), finished('west', 'w0')]) run.send(event);
  assert.is(run.state, 'reading.clusters.allServing + reading.watermark.moving');
});

test('an order to drain stops the readers and emits no final watermark', () => {
  const run = reading();
  assert.equal(run.send({ type: 'source.drain' }), ['stopReaders', 'closeOutput']);
  assert.equal(run.send(lost('east')), []);
  assert.equal(run.send({ type: 'output.drained' }), ['stopReaders', 'reportStopped']);
});

test('a crashed reader restarts alone, after a back-off, within a budget that time refills', () => {
  const run = reading();
  assert.equal(run.send(crashed('e0')), []);
  assert.equal(run.advance(99), []);
  assert.equal(run.advance(1), ['restartReader']);
  run.send(crashed('e0'));
  run.advance(30_000);
  assert.is(run.context.crashes, 0);
  run.send(crashed('e0'));
  run.send(crashed('e0'));
  assert.equal(run.send(crashed('w0')), ['stopReaders', 'reportFailed']);
  assert.is(run.context.failure?.code, 'RESTARTS_EXHAUSTED');
  assert.is(run.context.failure?.place, 'w0');
  assert.is(run.clock.pending, 0);
});

test('what no restart can mend fails the source, also before it reads', () => {
  for (const run of [reading(), runChart(clusterSourceMachine, input, delays)]) {
    assert.equal(run.send({ type: 'split.failed', cluster: 'east', failure: corrupt }), [
      'stopReaders',
      'reportFailed',
    ]);
    assert.equal(run.context.failure, corrupt);
  }
});

test.run();
