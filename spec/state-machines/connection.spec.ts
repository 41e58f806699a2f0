import * as assert from 'uvu/assert';
import { type ConnectionEvent, connectionMachine } from '../../state-machines/connection.ts';
import { runChart } from '../support/chart-run.ts';
import { walkChart } from '../support/chart-walk.ts';
import { suite } from '../support/suite.ts';

const delays = { connectTimeout: 3_000, probeEvery: 200, probeTimeout: 1_000 };
const refused = { code: 'CLUSTER_UNREACHABLE', message: 'connection refused', place: 'east' };
const notKafka = { code: 'NOT_KAFKA', message: 'the port speaks HTTP', place: 'east' };

const start = () => runChart(connectionMachine, { cluster: 'east' }, delays);

function connected() {
  const run = start();
  run.send({ type: 'brokers.resolved', brokers: ['127.0.0.1:9092'] });
  run.send({ type: 'client.connected', generation: 1 });
  return run;
}

const test = suite('connection chart');

test('every state is reached, every transition is taken, and the laws hold on each step', () => {
  const steps = walkChart({
    machine: connectionMachine,
    inputs: [{ cluster: 'east' }],
    delays,
    facts: ({ reason }) => ({ healthy: reason === null }),
    events: ({ context: { generation } }): ConnectionEvent[] => [
      { type: 'brokers.resolved', brokers: ['127.0.0.1:9092'] },
      { type: 'client.connected', generation },
      { type: 'client.connected', generation: generation - 1 },
      { type: 'client.failed', generation, failure: refused, fatal: false },
      { type: 'client.failed', generation, failure: notKafka, fatal: true },
      { type: 'client.failed', generation: generation - 1, failure: refused, fatal: false },
      { type: 'answer.overdue', silentMs: 412 },
      { type: 'answer.received' },
      { type: 'silence.confirmed', silentMs: 600 },
      { type: 'heartbeat.failed', generation, reason: 'refused' },
      { type: 'heartbeat.failed', generation: generation - 1, reason: 'refused' },
      { type: 'socket.closed', generation, reason: 'reset' },
      { type: 'socket.closed', generation: generation - 1, reason: 'reset' },
      { type: 'probe.answered' },
      { type: 'probe.failed', reason: 'refused' },
      { type: 'connection.close' },
    ],
  });
  for (const { before, event, effects, after } of steps) {
    const step = `${before} -- ${event} --> ${after}: ${effects.join(', ')}`;
    const entered = before !== after;
    if (entered && ['down', 'closed', 'failed'].includes(after)) {
      assert.is(effects.at(-2), 'destroyClient', `destroyed before it is announced: ${step}`);
    }
    assert.is(effects.includes('announceLost'), entered && after === 'down', step);
    assert.is(effects.includes('announceHealthy'), entered && after === 'healthy' && before !== 'suspect', step);
    assert.is(effects.includes('endProbe'), before.startsWith('probing') && !after.startsWith('probing'), step);
    if (before.startsWith('probing') && !after.startsWith('probing')) {
      assert.ok(event === 'probe.answered' || event === 'connection.close', `only an answer ends probing: ${step}`);
    }
  }
});

test('a black hole: silence makes it suspect, an unanswered check makes it down, an answered probe brings it back', () => {
  const run = connected();
  assert.is(run.state, 'healthy');
  assert.equal(run.send({ type: 'answer.overdue', silentMs: 412.3 }), ['sendHeartbeat']);
  assert.is(run.state, 'suspect');
  assert.is(run.context.reason, 'no answer for 412 ms');
  assert.equal(run.send({ type: 'silence.confirmed', silentMs: 600 }), ['destroyClient', 'announceLost']);
  assert.is(run.state, 'down');
  assert.equal(run.advance(200), ['startProbe']);
  assert.is(run.state, 'probing.asking');
  // The hole accepts the connection of the probe and answers nothing.
  assert.equal(run.advance(1_000), []);
  assert.is(run.state, 'probing.waiting');
  assert.equal(run.advance(200), ['startProbe']);
  assert.equal(run.send({ type: 'probe.answered' }), ['endProbe', 'dial']);
  assert.is(run.state, 'recovering');
  assert.is(run.context.generation, 2);
  assert.equal(run.send({ type: 'client.connected', generation: 2 }), ['announceHealthy']);
  assert.is(run.state, 'healthy');
  assert.is(run.context.reason, null);
  assert.is(run.context.outages, 1);
  assert.is(run.clock.pending, 0);
});

test('a late answer to a suspicion is enough, and nobody is told', () => {
  const run = connected();
  run.send({ type: 'answer.overdue', silentMs: 410 });
  assert.equal(run.send({ type: 'answer.received' }), []);
  assert.is(run.state, 'healthy');
  assert.is(run.context.outages, 0);
});

test('a closed socket is checked at once, and a refused check is final', () => {
  const run = connected();
  assert.equal(run.send({ type: 'socket.closed', generation: 1, reason: 'reset' }), ['sendHeartbeat']);
  assert.equal(run.send({ type: 'heartbeat.failed', generation: 1, reason: 'connection refused' }), [
    'destroyClient',
    'announceLost',
  ]);
  assert.is(run.state, 'down');
  assert.is(run.context.reason, 'connection refused');
});

test('while a cluster refuses, it is probed every 200 ms', () => {
  const run = connected();
  run.send({ type: 'socket.closed', generation: 1, reason: 'reset' });
  run.send({ type: 'heartbeat.failed', generation: 1, reason: 'connection refused' });
  for (let probe = 1; probe <= 5; probe++) {
    assert.equal(run.advance(199), []);
    assert.equal(run.advance(1), ['startProbe']);
    assert.is(run.context.probes, probe);
    run.send({ type: 'probe.failed', reason: 'connection refused' });
  }
});

test('a probe that is answered late is an answer all the same', () => {
  const run = connected();
  run.send({ type: 'answer.overdue', silentMs: 400 });
  run.send({ type: 'silence.confirmed', silentMs: 600 });
  run.advance(200);
  run.advance(1_000);
  assert.is(run.state, 'probing.waiting');
  assert.equal(run.send({ type: 'probe.answered' }), ['endProbe', 'dial']);
});

test('an outage with failed recoveries is announced once and counted once', () => {
  const run = connected();
  run.send({ type: 'answer.overdue', silentMs: 400 });
  const told = [...run.send({ type: 'silence.confirmed', silentMs: 600 })];
  for (let failure = 0; failure < 3; failure++) {
    told.push(...run.advance(200), ...run.send({ type: 'probe.answered' }));
    assert.is(run.state, 'recovering');
    const { generation } = run.context;
    if (failure === 1) told.push(...run.advance(3_000));
    else told.push(...run.send({ type: 'client.failed', generation, failure: refused, fatal: false }));
    assert.is(run.state, 'probing.waiting');
  }
  assert.is(run.context.reason, 'connection refused');
  told.push(...run.advance(200), ...run.send({ type: 'probe.answered' }));
  told.push(...run.send({ type: 'client.connected', generation: 5 }));
  assert.equal(
    told.filter(effect => effect.startsWith('announce')),
    ['announceLost', 'announceHealthy'],
  );
  assert.is(told.filter(effect => effect === 'destroyClient').length, 4);
  assert.is(run.context.outages, 1);
});

test('flapping: each loss and each return is announced, and each return is a new generation', () => {
  const run = connected();
  const told: string[] = [];
  for (let generation = 1; generation <= 3; generation++) {
    run.send({ type: 'socket.closed', generation, reason: 'reset' });
    told.push(...run.send({ type: 'heartbeat.failed', generation, reason: 'refused' }), ...run.advance(200));
    told.push(...run.send({ type: 'probe.answered' }));
    told.push(...run.send({ type: 'client.connected', generation: generation + 1 }));
    assert.is(run.state, 'healthy');
  }
  assert.equal(told.filter(effect => effect === 'announceLost').length, 3);
  assert.equal(told.filter(effect => effect === 'announceHealthy').length, 3);
  assert.is(run.context.generation, 4);
  assert.is(run.context.outages, 3);
});

test('what an older client reports is not heard', () => {
  const run = connected();
  run.send({ type: 'answer.overdue', silentMs: 400 });
  run.send({ type: 'silence.confirmed', silentMs: 600 });
  run.advance(200);
  run.send({ type: 'probe.answered' });
  run.send({ type: 'client.connected', generation: 1 });
  assert.is(run.state, 'recovering');
  run.send({ type: 'client.connected', generation: 2 });
  run.send({ type: 'socket.closed', generation: 1, reason: 'reset' });
  assert.is(run.state, 'healthy');
});

test('a cluster that is not reached at the start is down and probed like any other', () => {
  for (const fail of ['refused', 'silent']) {
    const run = start();
    assert.equal(run.begun, ['resolveBrokers']);
    assert.equal(run.send({ type: 'brokers.resolved', brokers: ['127.0.0.1:1'] }), ['dial']);
    const effects =
      fail === 'refused'
        ? run.send({ type: 'client.failed', generation: 1, failure: refused, fatal: false })
        : run.advance(3_000);
    assert.equal(effects, ['destroyClient', 'announceLost']);
    assert.is(run.state, 'down');
    assert.is(
      run.context.reason,
      fail === 'refused' ? 'connection refused' : 'connecting to 127.0.0.1:1 took too long',
    );
  }
});

test('what can never be a Kafka cluster fails at the first connection', () => {
  const run = start();
  run.send({ type: 'brokers.resolved', brokers: ['127.0.0.1:80'] });
  const effects = run.send({ type: 'client.failed', generation: 1, failure: notKafka, fatal: true });
  assert.equal(effects, ['destroyClient', 'announceFailed']);
  assert.is(run.state, 'failed');
  assert.equal(run.context.failure, notKafka);
});

test('closing stops every timer, from any state', () => {
  const ways: ConnectionEvent[][] = [
    [],
    [{ type: 'brokers.resolved', brokers: [] }],
    [
      { type: 'brokers.resolved', brokers: [] },
      { type: 'client.failed', generation: 1, failure: refused, fatal: false },
    ],
  ];
  for (const way of ways) {
    const run = start();
    for (const event of way) run.send(event);
    assert.equal(run.send({ type: 'connection.close' }), ['destroyClient', 'announceClosed']);
    assert.is(run.state, 'closed');
    assert.is(run.clock.pending, 0);
    assert.equal(run.send({ type: 'client.connected', generation: 1 }), []);
  }
});

test.run();
