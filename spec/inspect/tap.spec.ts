import type { Subscription } from 'rxjs';
import * as assert from 'uvu/assert';
import { type Actor, type AnyStateMachine, createActor } from 'xstate';
import { ManualClock } from '../../lib/base/clock.ts';
import type { InspectEvent } from '../../lib/inspect/inspect-event.ts';
import { createTap, type Tap } from '../../lib/inspect/tap.ts';
import { connectionMachine } from '../../state-machines/connection.ts';
import { jobMachine } from '../../state-machines/job.ts';
import { effectsOf } from '../support/chart-run.ts';
import { suite } from '../support/suite.ts';

const quiet = (machine: AnyStateMachine) => Object.fromEntries(effectsOf(machine).map(effect => [effect, () => {}]));
const delays = { connectTimeout: 3_000, probeEvery: 200, probeTimeout: 1_000 };

function connect(tap: Tap, cluster: string, actions: Record<string, () => void> = {}, clock = new ManualClock()) {
  const machine = connectionMachine.provide({ actions: { ...quiet(connectionMachine), ...actions }, delays });
  const actor = createActor(machine, {
    input: { cluster },
    clock: {
      setTimeout: (fn: () => void, ms: number) => clock.after(ms, fn),
      clearTimeout: (cancel: () => void) => cancel(),
    } as never,
  });
  tap.register(`connection ${cluster}`, 'connection', actor as unknown as Actor<AnyStateMachine>);
  return actor;
}

function watch(tap: Tap): {
  readonly seen: InspectEvent[];
  readonly subscription: Subscription;
  take(): InspectEvent[];
} {
  const seen: InspectEvent[] = [];
  const subscription = tap.inspect$.subscribe(event => seen.push(event));
  return { seen, subscription, take: () => seen.splice(0) };
}

const brief = (events: readonly InspectEvent[]) =>
  events.map(event => {
    switch (event.type) {
      case 'chart':
        return `chart ${event.chart.name}`;
      case 'actor':
        return `actor ${event.actorId} is ${event.state}`;
      case 'event':
        return `${event.actorId} hears ${event.event.type}${event.cause === undefined ? '' : ` from ${event.cause.actorId} at ${event.cause.event}`}`;
      case 'transition':
        return `${event.actorId} ${event.from} -> ${event.to} at ${event.event}`;
      case 'snapshot':
        return `${event.actorId} is ${event.state}`;
      case 'ended':
        return `${event.actorId} ${event.outcome} in ${event.state}`;
      default:
        return event satisfies never;
    }
  });

const test = suite('tap');

test('a subscriber is told of the charts and actors that are there, each chart once, and then of what happens', () => {
  const tap = createTap(() => 7);
  const east = connect(tap, 'east').start();
  connect(tap, 'west').start();
  east.send({ type: 'brokers.resolved', brokers: ['127.0.0.1:9092'] });
  const { seen, take } = watch(tap);
  assert.equal(brief(seen), [
    'chart connection',
    'actor connection east is connecting',
    'actor connection west is resolvingBrokers',
  ]);
  assert.ok(seen.every(({ time }) => time === 7));
  take();
  east.send({ type: 'client.connected', generation: 1 });
  assert.equal(brief(take()), [
    'connection east hears client.connected',
    'connection east connecting -> healthy at client.connected',
    'connection east is healthy',
  ]);
  east.send({ type: 'answer.received' });
  assert.equal(brief(take()), ['connection east hears answer.received', 'connection east is healthy']);
});

test('everything that it tells is plain data', () => {
  const tap = createTap();
  const east = connect(tap, 'east').start();
  const { seen } = watch(tap);
  east.send({ type: 'brokers.resolved', brokers: ['127.0.0.1:9092'] });
  east.send({
    type: 'client.failed',
    generation: 1,
    fatal: false,
    failure: Object.assign(new Error('refused'), { code: 'CLUSTER_UNREACHABLE' }),
  });
  for (const event of seen) {
    if (event.type === 'event') assert.equal(JSON.parse(JSON.stringify(event.event)), event.event);
    if (event.type === 'snapshot' || event.type === 'actor') {
      assert.equal(JSON.parse(JSON.stringify(event.context)), event.context);
    }
  }
  const failed = seen.find(event => event.type === 'event' && event.event.type === 'client.failed');
  assert.equal(failed?.type === 'event' && failed.event.failure, {
    code: 'CLUSTER_UNREACHABLE',
    message: 'refused',
  });
});

test('a late subscriber sees the present, and each has the whole picture', () => {
  const tap = createTap();
  const east = connect(tap, 'east').start();
  const first = watch(tap);
  east.send({ type: 'brokers.resolved', brokers: [] });
  const second = watch(tap);
  assert.equal(brief(second.take()), ['chart connection', 'actor connection east is connecting']);
  first.take();
  east.send({ type: 'client.connected', generation: 1 });
  assert.equal(brief(first.seen), brief(second.seen));
  first.subscription.unsubscribe();
  second.take();
  east.send({ type: 'answer.overdue', silentMs: 400 });
  assert.is(second.seen.length, 3);
  assert.is(first.seen.length, 3);
});

test('an actor that is made while somebody watches is told of, from its start on', () => {
  const tap = createTap();
  const { seen } = watch(tap);
  connect(tap, 'east').start();
  assert.equal(brief(seen), [
    'chart connection',
    'actor connection east is resolvingBrokers',
    'connection east is resolvingBrokers',
  ]);
});

test('while nobody watches, no actor is observed', () => {
  const tap = createTap();
  let observers = 0;
  const east = connect(tap, 'east');
  const inspect = east.system.inspect.bind(east.system);
  east.system.inspect = observer => {
    observers++;
    const inner = inspect(observer);
    return {
      unsubscribe: () => {
        observers--;
        inner.unsubscribe();
      },
    };
  };
  east.start();
  assert.is(observers, 0);
  const first = watch(tap);
  const second = watch(tap);
  assert.is(observers, 1);
  first.subscription.unsubscribe();
  assert.is(observers, 1);
  second.subscription.unsubscribe();
  assert.is(observers, 0);
  second.take();
  east.send({ type: 'brokers.resolved', brokers: [] });
  assert.equal(second.seen, []);
  watch(tap);
  assert.is(observers, 1);
});

test('mail that an actor sends while it handles an event names that event as its cause', () => {
  const tap = createTap();
  const job = createActor(
    jobMachine.provide({ actions: quiet(jobMachine), delays: { startLimit: 10_000, drainLimit: 1_000 } }),
    { input: { job: 'delays', clusters: ['east'] } },
  );
  tap.register('job', 'job', job as unknown as Actor<AnyStateMachine>);
  const announceLost = () => job.send({ type: 'cluster.lost', cluster: 'east', reason: 'refused' });
  const east = connect(tap, 'east', { announceLost });
  job.start();
  east.start();
  east.send({ type: 'brokers.resolved', brokers: [] });
  const { seen, take } = watch(tap);
  take();
  const failure = { code: 'CLUSTER_UNREACHABLE', message: 'refused' };
  east.send({ type: 'client.failed', generation: 1, failure, fatal: false });
  assert.equal(brief(seen), [
    'connection east hears client.failed',
    'job hears cluster.lost from connection east at client.failed',
    'job is planning',
    'connection east connecting -> down at client.failed',
    'connection east is down',
  ]);
  take();
  east.send({ type: 'connection.close' });
  assert.is(brief(seen)[0], 'connection east hears connection.close');
  job.stop();
});

test('a timer is told of by the name of its delay', () => {
  const tap = createTap();
  const clock = new ManualClock();
  const east = connect(tap, 'east', {}, clock).start();
  east.send({ type: 'brokers.resolved', brokers: [] });
  const { seen, take } = watch(tap);
  take();
  clock.advance(3_000);
  assert.equal(brief(seen), [
    'connection east hears after connectTimeout',
    'connection east connecting -> down at after connectTimeout',
    'connection east is down',
  ]);
});

test('the end of an actor is told, whether it is done, stopped or crashed, and it is not shown again', async () => {
  const tap = createTap();
  const done = connect(tap, 'done').start();
  const stopped = connect(tap, 'stopped').start();
  const crashed = connect(tap, 'crashed', {
    dial: () => {
      throw new Error('bug');
    },
  });
  const errors: unknown[] = [];
  crashed.subscribe({ error: error => errors.push(error) });
  crashed.start();
  const { seen, take } = watch(tap);
  take();
  done.send({ type: 'connection.close' });
  stopped.stop();
  crashed.send({ type: 'brokers.resolved', brokers: [] });
  await Promise.resolve();
  const ends = seen.filter(event => event.type === 'ended');
  assert.equal(brief(ends), [
    'connection done done in closed',
    'connection stopped stopped in resolvingBrokers',
    'connection crashed error in resolvingBrokers',
  ]);
  assert.is(ends[2]?.type === 'ended' && ends[2].error, 'Error: bug');
  assert.is(errors.length, 1);
  assert.equal(watch(tap).seen, []);
});

test('actors that ended while nobody watched are not shown', () => {
  const tap = createTap();
  connect(tap, 'east').start().send({ type: 'connection.close' });
  connect(tap, 'west').start();
  assert.equal(brief(watch(tap).seen), ['chart connection', 'actor connection west is resolvingBrokers']);
});

test('an id that is used again shows the new actor', () => {
  const tap = createTap();
  connect(tap, 'east').start();
  const again = connect(tap, 'east').start();
  again.send({ type: 'brokers.resolved', brokers: [] });
  assert.equal(brief(watch(tap).seen), ['chart connection', 'actor connection east is connecting']);
});

test.run();
