import * as assert from 'uvu/assert';
import { supervision } from '../../actors/supervision.ts';
import { backoffDelayMs } from '../../lib/base/backoff.ts';
import { ManualClock } from '../../lib/base/clock.ts';
import { BraidError } from '../../lib/base/errors.ts';
import type { FetchResponse } from '../../lib/kafka/transport.ts';
import { createInlinePool } from '../../lib/workers/inline-pool.ts';
import { FakeClient, settle } from '../support/fake-client.ts';
import { scriptedLog } from '../support/scripted-log.ts';
import { suite } from '../support/suite.ts';
import { type ObserveOptions, observe, perMinute, trips, tripsFrom } from '../support/trips.ts';

const test = suite('supervision');

const clusters = ['east', 'west'].map(name => ({ name, bootstrap: [`${name}:9092`] }));

/** A job over two scripted clusters on a clock that is moved by hand; the fetches of east may be made to throw. */
function scene(options: ObserveOptions = {}, stream = tripsFrom(clusters).select('id')) {
  const clock = new ManualClock();
  const logs = { east: scriptedLog(1), west: scriptedLog(1) };
  logs.east.append(0, trips(100));
  logs.west.append(0, trips(100, { fromId: 1_000 }));
  const defects: unknown[] = [];
  const serve = logs.east.cluster.onFetch!;
  logs.east.cluster.onFetch = (request): FetchResponse => {
    const defect = defects.shift();
    if (defect !== undefined) throw defect;
    return serve(request);
  };
  const run = observe(stream, {
    clock,
    dial:
      ({ name }) =>
      generation =>
        new FakeClient(name, generation, logs[name as 'east' | 'west'].cluster),
    ...options,
  });
  const advance = async (ms: number, stepMs = 50): Promise<void> => {
    for (let passed = 0; passed < ms; passed += stepMs) {
      clock.advance(stepMs);
      await settle(4);
    }
  };
  return { run, logs, clock, defects, advance };
}

const failureOf = (done: Promise<unknown>): Promise<BraidError> =>
  done.then(
    () => assert.unreachable(),
    thrown => thrown,
  ) as never;

test('a reader that crashes is made anew, alone, and nothing is lost', async () => {
  const { run, defects, advance } = scene();
  defects.push(new TypeError('a defect'), new BraidError('RESPONSE_MALFORMED', 'a frame that nobody understands'));
  await advance(1_000);
  assert.is(run.job.state, 'finished');
  assert.equal(
    run.rows.map(row => Number(row.id)).sort((a, b) => a - b),
    [...Array.from({ length: 100 }, (_, i) => i), ...Array.from({ length: 100 }, (_, i) => 1_000 + i)],
  );
  assert.equal(
    run
      .eventsOf('actor.restarted')
      .map(({ actor, code, restarts, restartsMax }) => [actor, code, restarts, restartsMax]),
    [
      ['reader east', 'ASSERTION', 1, 10],
      ['reader east', 'RESPONSE_MALFORMED', 2, 10],
    ],
  );
});

test('the back-off of a reader doubles up to its limit, and the crash after the last one of its budget fails the job', async () => {
  const { run, defects, advance } = scene();
  for (let i = 0; i < 20; i++) defects.push(new TypeError('a defect'));
  await advance(30_000, 10);
  const error = await failureOf(run.job.done);
  assert.is(error.code, 'RESTARTS_EXHAUSTED');
  assert.match(error.message, /more than 10 crashes of readers.*a defect/);
  assert.is(error.place, 'east');
  assert.is(defects.length, 20 - supervision.reader.restartsMax - 1);
  const crashes = run.eventsOf('actor.restarted');
  assert.equal(
    crashes.map(event => event.restarts),
    Array.from({ length: supervision.reader.restartsMax }, (_, i) => i + 1),
  );
  for (let i = 1; i < crashes.length; i++) {
    const gap = crashes[i]!.at - crashes[i - 1]!.at;
    const rule = backoffDelayMs(supervision.reader.backoff, i - 1);
    assert.ok(
      gap >= rule && gap < rule + 50,
      `crash ${i} came ${gap} ms after the one before, by the rule after ${rule}`,
    );
  }
  // The other cluster was read to its end meanwhile.
  assert.is(run.rows.length, 100);
});

test('crashes that lie further apart than the window of the budget are borne for ever', async () => {
  const { run, defects, logs, advance } = scene({}, tripsFrom(clusters, { bounded: false }).select('id'));
  await advance(500);
  for (let i = 0; i < supervision.reader.restartsMax + 5; i++) {
    defects.push(new TypeError('a defect'));
    await advance(supervision.reader.windowMs / supervision.reader.restartsMax + 1_000, 500);
  }
  logs.east.append(0, trips(10, { fromId: 5_000 }));
  await advance(6_000, 500);
  assert.is(run.job.state, 'running');
  assert.is(run.rows.length, 210);
  const stopped = run.job.stop();
  await advance(100);
  await stopped;
});

test('a lost cluster is probed at the pace of its rule, for ever', async () => {
  const lost = scene({}, tripsFrom(clusters, { bounded: false }).select('id'));
  await lost.advance(200);
  lost.logs.east.cluster.mode = 'refusing';
  lost.logs.east.cluster.clients.at(-1)!.traffic.onClosed!('reset');
  await lost.advance(100);
  const before = lost.logs.east.cluster.clients.length;
  await lost.advance(60_000, 100);
  const probes = lost.logs.east.cluster.clients.length - before;
  const rule = 60_000 / supervision.connection.backoff.firstMs;
  assert.ok(Math.abs(probes - rule) <= rule * 0.02, `${probes} probes in a minute, by the rule ${rule}`);
  assert.is(lost.run.job.state, 'degraded');
  const stopped = lost.run.job.stop();
  await lost.advance(100);
  await stopped;
});

test('an operator that crashes ends the job: nobody else has its state', async () => {
  const { run, advance } = scene(
    {
      makePool: options => {
        const inline = createInlinePool(options);
        return {
          ...inline,
          // Partials without their hashes: a defect that the aggregate notices.
          run: async (...task) => ({ ...(await inline.run(...task)), hashes: undefined }),
        };
      },
    },
    perMinute(clusters) as never,
  );
  await advance(500);
  const error = await failureOf(run.job.done);
  assert.is(error.code, 'OPERATOR_CRASHED');
  assert.is(error.place, 'aggregate');
  assert.is(run.job.metrics().prefetchBytes, 0);
});

test('an effect of a chart that throws fails the job, and not the process', async () => {
  const run = observe(tripsFrom(clusters).select('id'), {
    dial: () => () => {
      throw new Error('a defect of the dialler');
    },
  });
  const error = await failureOf(run.job.done);
  assert.is(error.code, 'ASSERTION');
  assert.match(error.message, /a defect of the dialler/);
  assert.match(error.place!, /connection (east|west)/);
});

test('what a callback of the program throws is its own error, and no crash', async () => {
  const onLate = () => {
    throw new Error('a defect of the program');
  };
  const { run, logs, advance } = scene({ onLate }, perMinute(clusters) as never);
  for (const log of Object.values(logs)) log.append(0, trips(100, { fromMs: 300_000 }));
  logs.east.append(0, trips(1));
  await advance(500);
  const error = await failureOf(run.job.done);
  assert.equal([error.code, error.place], ['SINK_FAILED', 'onLateRows']);
  assert.match(error.message, /a defect of the program/);
});

test.run();
