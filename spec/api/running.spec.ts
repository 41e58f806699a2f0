/** What a started job is to the program: its streams, its results, its end. All without Kafka. */
import { toArray as gather, lastValueFrom, Observable, of, Subject, take } from 'rxjs';
import * as assert from 'uvu/assert';
import type { BraidError } from '../../lib/base/errors.ts';
import { count, fromObservable, job, type Row, rows, schema, sum, t, toArray, toObserver } from '../../lib/index.ts';
import { suite } from '../support/suite.ts';

const test = suite('a running job');

const hourMs = 3_600_000;
const flight = schema({ date: t.timestamp().notNull(), origin: t.string().notNull(), delay: t.int() });
type Flight = Row<typeof flight>;
const three: Flight[] = [
  { date: 0, origin: 'SEA', delay: 31 },
  { date: 1, origin: 'ATL', delay: 2 },
  { date: hourMs, origin: 'SEA', delay: null },
];
const stream = job('running').from(rows(flight, three));

function failure(promise: Promise<unknown>): Promise<BraidError> {
  return promise.then(
    () => assert.unreachable('it did not fail') as never,
    (error: BraidError) => error,
  );
}

/** Rows without end, each of which lets the event loop turn; says when it was told to end. */
function endless(): { readonly rows: AsyncIterable<Flight>; readonly returned: Promise<void> } {
  let onReturned = (): void => {};
  const returned = new Promise<void>(resolve => {
    onReturned = resolve;
  });
  async function* generate(): AsyncGenerator<Flight> {
    try {
      for (let i = 0; ; i++) {
        yield { date: i, origin: 'SEA', delay: i };
        await new Promise(resolve => setImmediate(resolve));
      }
    } finally {
      onReturned();
    }
  }
  return { rows: generate(), returned };
}

test('tells its states as events, repeats them to who comes late, and completes', async () => {
  const run = await stream.to(toArray()).start();
  await run.done;
  const events = await lastValueFrom(run.events$.pipe(gather()));
  const states = events.flatMap(event => (event.type === 'job' ? [event.to] : []));
  assert.is(states.at(-1), 'finished');
  assert.ok(states.includes('running'));
  assert.is(run.state, 'finished');
});

test('has figures while it runs and once more at the end', async () => {
  const run = await stream.to(toArray()).start({ metricsEveryMs: 10 });
  const last = await lastValueFrom(run.metrics$);
  const { metrics, output } = await run.done;
  assert.is(last.recordsIn, 3);
  assert.is(metrics.recordsIn, 3);
  assert.is(metrics.recordsOut, 3);
  assert.equal(metrics.clusters, []);
  assert.equal(output, three);
});

test('can be started twice at once; each run gathers its own rows', async () => {
  const twice = stream.to(toArray());
  const runs = await Promise.all([twice.start(), twice.start()]);
  const outputs = await Promise.all(runs.map(async run => (await run.done).output));
  assert.equal(outputs, [three, three]);
});

test('stop drains what is under way, emits no open window, ends the source, and may be called again', async () => {
  const source = endless();
  const seen: unknown[] = [];
  const run = await job('endless')
    .from(rows(flight, source.rows))
    .watermark('date')
    .tumble({ milliseconds: 10 })
    .aggregate(() => ({ n: count() }))
    .to(toObserver({ next: row => seen.push(row.n), complete: () => seen.push('complete') }))
    .start({ metricsEveryMs: 10 });
  // Wait for a closed window, not for time.
  while (seen.length === 0) await new Promise(resolve => setImmediate(resolve));
  await run.stop();
  await run.stop();
  await source.returned;
  const { state } = await run.done;
  assert.is(state, 'stopped');
  assert.is(run.state, 'stopped');
  assert.is(seen.at(-1), 'complete');
  assert.ok(
    seen.slice(0, -1).every(n => n === 10n),
    `windows were emitted open: ${seen.join()}`,
  );
});

test('a failing function fails the job with one error, as event, as rejection, and to the observer', async () => {
  const seen: unknown[] = [];
  const build = job('failing')
    .from(rows(flight, three))
    .filter(row => {
      if (row.delay === 2) throw new Error('two is no delay');
      return true;
    });
  const error = await failure(build.collect());
  assert.is(error.code, 'ROW_FUNCTION_FAILED');
  assert.match(error.message, 'two is no delay');
  assert.match(error.place ?? '', 'ATL');
  await failure(
    build
      .to(toObserver({ error: (thrown: BraidError) => seen.push(thrown.code), complete: () => seen.push('complete') }))
      .start()
      .then(run => run.done),
  );
  assert.equal(seen, ['ROW_FUNCTION_FAILED']);
});

test('a row that is not of its schema fails the job and names the column', async () => {
  const wrong = [{ date: 0, origin: 'SEA', delay: 1.5 }];
  const error = await failure(job('wrong').from(rows(flight, wrong)).collect());
  assert.is(error.code, 'ROW_INVALID');
  assert.match(error.place ?? '', 'delay');
});

test('a row function that returns a promise, or no row of its schema, fails the job', async () => {
  const later = stream.map((async () => three[0]) as never, flight);
  assert.is((await failure(later.collect())).code, 'ROW_FUNCTION_FAILED');
  const wrong = stream.map((() => ({ date: 'now' })) as never, flight);
  assert.is((await failure(wrong.collect())).code, 'ROW_INVALID');
});

test('what an iterable throws is SOURCE_FAILED', async () => {
  function* broken(): Generator<Flight> {
    yield three[0]!;
    throw new Error('the file ended early');
  }
  const error = await failure(job('broken').from(rows(flight, broken())).collect());
  assert.is(error.code, 'SOURCE_FAILED');
  assert.match(error.message, 'the file ended early');
});

test('what an observer throws is SINK_FAILED', async () => {
  const sink = toObserver<(typeof flight)['columns']>({
    next() {
      throw new Error('full');
    },
  });
  const error = await failure(
    stream
      .to(sink)
      .start()
      .then(run => run.done),
  );
  assert.is(error.code, 'SINK_FAILED');
});

test('unsubscribing from the rows of a job stops it', async () => {
  const source = endless();
  const first = await lastValueFrom(
    job('observed').from(rows(flight, source.rows)).toObservable().pipe(take(2), gather()),
  );
  assert.is(first.length, 2);
  await source.returned;
});

test('an Observable of rows errs with the error of the job', async () => {
  const error = await failure(lastValueFrom(stream.map((() => 5) as never, flight).toObservable()));
  assert.is(error.code, 'ROW_FUNCTION_FAILED');
});

test('an Observable is subscribed to at the start, and unsubscribed from when the job stops', async () => {
  const rows$ = new Subject<Flight>();
  const source = job('subject').from(fromObservable(flight, rows$)).to(toArray());
  assert.is(rows$.observed, false);
  const run = await source.start();
  while (!rows$.observed) await new Promise(resolve => setImmediate(resolve));
  for (const row of three) rows$.next(row);
  while (run.metrics().recordsIn < 3) await new Promise(resolve => setImmediate(resolve));
  await run.stop();
  assert.is(rows$.observed, false);
  assert.equal((await run.done).output, three);
});

test('an Observable that errs, or that nobody can keep up with, is SOURCE_FAILED', async () => {
  const failing$ = new Subject<Flight>();
  const failing = failure(job('erring').from(fromObservable(flight, failing$)).collect());
  while (!failing$.observed) await new Promise(resolve => setImmediate(resolve));
  failing$.error(new Error('the socket closed'));
  assert.match((await failing).message, 'the socket closed');
  assert.is((await failing).code, 'SOURCE_FAILED');

  const fast$ = new Subject<Flight>();
  const flooded = failure(
    job('flooded')
      .from(fromObservable(flight, fast$, { waitingRowsMax: 10 }))
      .collect(),
  );
  while (!fast$.observed) await new Promise(resolve => setImmediate(resolve));
  for (let i = 0; i < 20; i++) fast$.next(three[0]!);
  const error = await flooded;
  assert.is(error.code, 'SOURCE_FAILED');
  assert.is(error.place, 'fromObservable.waitingRowsMax');
  assert.is(fast$.observed, false);
});

test('an Observable that says too much at once is cut off at once', async () => {
  let said = 0;
  const loud$ = new Observable<Flight>(subscriber => {
    while (!subscriber.closed && said < 1000) {
      said++;
      subscriber.next(three[0]!);
    }
  });
  const error = await failure(
    job('loud')
      .from(fromObservable(flight, loud$, { waitingRowsMax: 10 }))
      .collect(),
  );
  assert.is(error.code, 'SOURCE_FAILED');
  assert.is(said, 11);
});

test('what is no row at all fails the job', async () => {
  for (const nothing of [undefined, null, 5, 'SEA'] as unknown[] as Flight[]) {
    const fromArray = await failure(
      job('nothing')
        .from(rows(flight, [nothing]))
        .collect(),
    );
    assert.is(fromArray.code, 'ROW_INVALID');
    const fromRx = await failure(
      job('nothing')
        .from(fromObservable(flight, of(nothing)))
        .collect(),
    );
    assert.is(fromRx.code, 'ROW_INVALID');
  }
});

test('a row that a first condition dropped cannot fail the second', async () => {
  const numbers = schema({ a: t.int(), b: t.int().notNull() });
  const kept = job('dropped')
    .from(rows(numbers, [{ b: 0 }, { a: 1, b: 2 }]))
    .where(r => r.a.gt(0))
    .where(r => r.a.div(r.b).eq(0));
  assert.equal(await kept.collect(), [{ a: 1, b: 2 }]);
});

/** Batches of a collection end where the event loop turns, so each row is judged by those before it. */
async function* oneByOne(given: readonly Flight[]): AsyncGenerator<Flight> {
  for (const row of given) {
    yield row;
    for (let turn = 0; turn < 3; turn++) await new Promise(resolve => setImmediate(resolve));
  }
}

const disordered: Flight[] = [
  { date: 0, origin: 'SEA', delay: 1 },
  { date: 2 * hourMs, origin: 'SEA', delay: 2 },
  { date: 5, origin: 'ATL', delay: 3 },
  { date: 6, origin: 'JFK', delay: null },
];

test('late rows are counted and handed over whole, without those that the job would have dropped anyway', async () => {
  const late: unknown[] = [];
  const run = await job('late')
    .from(rows(flight, oneByOne(disordered)))
    .watermark('date')
    .where(f => f.delay.isNotNull())
    .tumble({ hours: 1 })
    .aggregate(() => ({ n: count() }))
    .select('windowStart', 'n')
    .to(toArray())
    .start({ onLateRows: rowsThatCame => late.push(...rowsThatCame) });
  const { metrics, output } = await run.done;
  assert.equal(output, [
    { windowStart: 0, n: 1n },
    { windowStart: 2 * hourMs, n: 1n },
  ]);
  assert.equal(late, [disordered[2]]);
  assert.is(metrics.lateRows, 1);
});

test('event time stays with a row that went through plain functions, and late ones are what those returned', async () => {
  const late: unknown[] = [];
  const short = schema({ code: t.string().notNull(), minutes: t.int() });
  const run = await job('late-functions')
    .from(rows(flight, oneByOne(disordered)))
    .watermark('date')
    .filter(row => row.delay !== null)
    .map(row => ({ code: row.origin.toLowerCase(), minutes: row.delay }), short)
    .groupBy('code')
    .tumble({ hours: 1 })
    .aggregate(f => ({ minutes: sum(f.minutes) }))
    .filter(row => row.minutes !== null)
    .select('code', 'windowStart', 'minutes')
    .to(toArray())
    .start({ onLateRows: rowsThatCame => late.push(...rowsThatCame) });
  assert.equal((await run.done).output, [
    { code: 'sea', windowStart: 0, minutes: 1 },
    { code: 'sea', windowStart: 2 * hourMs, minutes: 2 },
  ]);
  assert.equal(late, [{ code: 'atl', minutes: 3 }]);
});

test('a source that fails while nobody waits for it fails the job, and not the process', async () => {
  async function* failing(): AsyncGenerator<Flight> {
    // Enough to fill the channel, so that the source stands in front of it when the next row fails.
    for (let i = 0; i < 200_000; i++) yield { date: i, origin: 'SEA', delay: i };
    throw new Error('the line is dead');
  }
  const run = await job('failing').from(rows(flight, failing())).to(toArray()).start();
  const error = await failure(run.done);
  assert.is(error.code, 'SOURCE_FAILED');
  assert.match(error.message, 'the line is dead');
});

test('its actors can be looked at: charts first, then what happens', async () => {
  const source = endless();
  const run = await job('watched')
    .from(rows(flight, source.rows))
    .filter(() => true)
    .to(toArray())
    .start();
  const seen = await lastValueFrom(run.inspect$.pipe(take(2), gather()));
  assert.equal(
    seen.map(event => event.type),
    ['chart', 'actor'],
  );
  await run.stop();
  assert.equal(structuredClone(seen), seen);
});

test.run();
