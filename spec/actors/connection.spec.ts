import * as assert from 'uvu/assert';
import { Connection, type StateChange } from '../../actors/connection.ts';
import { ManualClock } from '../../lib/base/clock.ts';
import { FakeClient, type FakeCluster, fakeCluster, settle } from '../support/fake-client.ts';
import { suite } from '../support/suite.ts';

const connection = suite('connection actor');

function subject(script: FakeCluster) {
  const clock = new ManualClock();
  const changes: StateChange[] = [];
  const heard: string[] = [];
  const actor = new Connection(
    'east',
    ['east:9092'],
    generation => new FakeClient('east', generation, script),
    { suspectAfterMs: 400, confirmAfterMs: 200, connectTimeoutMs: 5_000 },
    change => changes.push(change),
    { clock, register: () => {}, onCrash: (_, thrown) => heard.push(`crashed: ${thrown}`) },
  );
  actor.listen({
    onHealthy: (_, client) => heard.push(`healthy ${client.generation}`),
    onLost: (_, reason) => heard.push(`lost: ${reason}`),
    onFailed: (_, error) => heard.push(`failed: ${error.code}`),
  });
  actor.start();
  const advance = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 50) {
      clock.advance(50);
      await settle(2);
    }
  };
  return { actor, clock, changes, heard, advance };
}

connection('announces a cluster that answers, once', async () => {
  const { actor, heard, advance } = subject(fakeCluster());
  await advance(1_000);
  assert.equal(heard, ['healthy 1']);
  assert.is(actor.state, 'healthy');
  actor.close();
});

connection('gives a silent cluster up within 700 ms and takes it back under a new generation', async () => {
  const script = fakeCluster();
  const { actor, heard, changes, advance, clock } = subject(script);
  await advance(200);
  script.mode = 'silent';
  const darkAt = clock.now();
  await advance(1_000);
  const down = changes.find(change => change.to === 'down');
  assert.ok(down);
  assert.ok(down.at - darkAt <= 750, `down after ${down.at - darkAt} ms`);
  assert.ok(script.clients[0]!.destroyed, 'its client was destroyed');
  assert.is(heard.length, 2);
  script.mode = 'serving';
  await advance(1_500);
  assert.is(actor.state, 'healthy');
  assert.ok(actor.client!.generation > 1);
  assert.is(heard.at(-1), `healthy ${actor.client!.generation}`);
  actor.close();
});

connection('a black hole that only accepts connections does not count as returned', async () => {
  const script = fakeCluster();
  const { actor, heard, advance } = subject(script);
  await advance(100);
  script.mode = 'silent';
  await advance(5_000);
  assert.is(heard.length, 2);
  assert.is(actor.state, 'probing');
  actor.close();
});

connection('a broker that closes its socket is checked with a heartbeat, not given up', async () => {
  const script = fakeCluster();
  const { actor, changes, heard, advance } = subject(script);
  await advance(100);
  script.clients[0]!.traffic.onClosed!('reset by peer');
  await advance(100);
  assert.equal(
    changes.map(change => change.to),
    ['healthy', 'suspect', 'healthy'],
  );
  assert.equal(heard, ['healthy 1']);
  actor.close();
});

connection('a cluster where nothing listens any more is down at once', async () => {
  const script = fakeCluster();
  const { actor, heard, advance } = subject(script);
  await advance(100);
  script.mode = 'refusing';
  script.clients[0]!.traffic.onClosed!('reset by peer');
  await advance(50);
  assert.equal(heard, ['healthy 1', 'lost: nothing listens']);
  actor.close();
});

connection('closing leaves no timer behind', async () => {
  const { actor, clock, advance } = subject(fakeCluster());
  await advance(500);
  actor.close();
  assert.is(clock.pending, 0);
});

connection.run();
