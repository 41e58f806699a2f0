/**
 * What becomes of rows from memory that are wrong, of sources, functions, callbacks and observers that throw, of hostile
 * names, and of results that a cluster does not take.
 */
import { concat, Observable, of, Subject, throwError } from 'rxjs';
import * as assert from 'uvu/assert';
import { startCluster } from '../../lib/embedded/index.ts';
import {
  count,
  fromObservable,
  type Job,
  job,
  kafka,
  kafkaSink,
  max,
  rows,
  type StartOptions,
  schema,
  type TableSchema,
  t,
  toArray,
  toObserver,
} from '../../lib/index.ts';
import { assertError, type ErrorWanted, endingOf } from '../support/ending.ts';
import { recordBatch } from '../support/record-batches.ts';
import { suite } from '../support/suite.ts';

const test = suite('bad input: rows', 10_000);
const cluster = await startCluster({
  topics: [
    { topic: 'in' },
    { topic: 'late' },
    { topic: 'out', partitions: 2 },
    { topic: 'small', config: { 'max.message.bytes': '2000' } },
    { topic: 'large', config: { 'max.message.bytes': String(64 << 20) } },
  ],
});
test.after(() => cluster.close());
const clusters = [{ name: 'east', brokers: cluster.bootstrap }];
await cluster.append('in', 0, recordBatch([{ value: '{"n":1}' }, { value: 'x' }, { value: '{"n":3}' }]));
for (const at of [1e8, 2e8, 3e8, 5]) await cluster.append('late', 0, recordBatch([{ value: `{"n":1,"at":${at}}` }]));

/** For what the compiler refuses: people write JavaScript too. */
const untyped = (value: unknown): never => value as never;
const numbers = schema({ n: t.int() });
const timed = schema({ n: t.int(), at: t.timestamp() });
const from = (given: unknown, columns: TableSchema<{ n: ReturnType<typeof t.int> }> = untyped(numbers)) =>
  job('rows').from(rows(columns, untyped(given)));
const boom = (): never => {
  throw new Error('boom');
};
const throwing =
  (thrown: unknown): (() => never) =>
  () => {
    throw thrown;
  };
/** An object that cannot be printed. */
const bare: unknown = Object.create(null);

interface Line {
  readonly what: string;
  readonly build: () => Job<unknown>;
  readonly options?: StartOptions;
  readonly wanted: ErrorWanted;
}
const invalid = (sentence: RegExp, place?: RegExp, hint?: RegExp): ErrorWanted => ({
  code: 'ROW_INVALID',
  sentence,
  ...(place && { place }),
  ...(hint && { hint }),
});
const functionFailed = (sentence: RegExp, hint?: RegExp): ErrorWanted => ({
  code: 'ROW_FUNCTION_FAILED',
  sentence,
  place: /row \{"n":1\}/,
  ...(hint && { hint }),
});
const sourceFailed = (sentence: RegExp): ErrorWanted => ({ code: 'SOURCE_FAILED', sentence });
const sinkFailed = (sentence: RegExp, place: RegExp): ErrorWanted => ({ code: 'SINK_FAILED', sentence, place });
const reading = (): ReturnType<typeof from> =>
  job('kafka').from(kafka({ topic: 'in', clusters, schema: untyped(numbers), bounded: true, badRecords: 'skip' }));
const windowed = () =>
  job('late')
    .from(kafka({ topic: 'late', clusters, schema: timed, bounded: true, recordsPerSecondMax: 100 }))
    .watermark('at')
    .tumble({ seconds: 1 })
    .aggregate(() => ({ rows: count() }));

const values: readonly (readonly [type: keyof typeof t, value: unknown])[] = [
  ['int', 1.5],
  ['int', 2 ** 31],
  ['int', -(2 ** 31) - 1],
  ['int', Number.NaN],
  ['int', 1n],
  ['int', '1'],
  ['int', true],
  ['int', Symbol('x')],
  ['bigint', 1.5],
  ['bigint', 2n ** 63n],
  ['bigint', -(2n ** 63n) - 1n],
  ['bigint', 2 ** 60],
  ['bigint', '1'],
  ['double', '1'],
  ['double', 1n],
  ['boolean', 1],
  ['boolean', 'true'],
  ['string', 5],
  ['string', {}],
  ['string', new String('x')],
  ['timestamp', new Date(0)],
  ['timestamp', '2001-01-01T00:00:00'],
  ['timestamp', 1.5],
  ['timestamp', Number.NaN],
  ['timestamp', Number.POSITIVE_INFINITY],
];

const table: readonly Line[] = [
  // Rows.
  ...values.map(
    ([type, value]): Line => ({
      what: `${typeof value} ${String(value)} in a column of t.${type}()`,
      build: () => from([{ n: null }, { n: value }], untyped(schema({ n: t[type]() }))).to(toArray()),
      wanted: invalid(new RegExp(`value of row 1 is not an? ${type.toUpperCase()}`), /^n$/, /or null$/),
    }),
  ),
  {
    what: 'NULL in a NOT NULL column',
    build: () => from([{}], untyped(schema({ n: t.int().notNull() }))).to(toArray()),
    wanted: invalid(/value of row 0 is not an INT NOT NULL/, /^n$/),
  },
  ...[null, undefined, 5, 'text', [1], () => {}, Symbol('row')].map(
    (row): Line => ({
      what: `${Array.isArray(row) ? 'an array' : String(row)} as a row`,
      build: () => from([{ n: 1 }, row]).to(toArray()),
      wanted: invalid(/row 1 is not an object/),
    }),
  ),
  ...[false, true].map(
    (later): Line => ({
      what: `a wrong row far behind, of ${later ? 'an async iterable' : 'an array'}: counted from the first`,
      build: () => {
        const given = Array.from({ length: 10_000 }, (_, n) => ({ n: n === 9_000 ? 'x' : n }));
        return from(later ? Readable(given) : given).to(toArray());
      },
      wanted: invalid(/value of row 9000 /, /^n$/),
    }),
  ),
  {
    what: 'an event time that is NULL, far behind',
    build: () =>
      job('timed')
        .from(
          rows(
            timed,
            Array.from({ length: 10_000 }, (_, n) => ({ n, at: n === 9_000 ? null : n })),
          ),
        )
        .watermark('at')
        .tumble({ seconds: 1 })
        .aggregate(() => ({ rows: count() }))
        .to(toArray()),
    wanted: { code: 'EVENT_TIME_MISSING', sentence: /event time is NULL/, place: /row 9000/ },
  },

  // Sources.
  { what: 'a generator that throws', build: () => from(generator()).to(toArray()), wanted: sourceFailed(/^boom$/) },
  {
    what: 'an async generator that throws',
    build: () => from(generatorAsync()).to(toArray()),
    wanted: sourceFailed(/boom/),
  },
  {
    what: 'an iterable that throws',
    build: () => from({ [Symbol.iterator]: boom }).to(toArray()),
    wanted: sourceFailed(/boom/),
  },
  {
    what: 'an async iterable that throws',
    build: () => from({ [Symbol.asyncIterator]: boom }).to(toArray()),
    wanted: sourceFailed(/boom/),
  },
  {
    what: 'an async iterator whose next throws',
    build: () => from({ [Symbol.asyncIterator]: () => ({ next: boom }) }).to(toArray()),
    wanted: sourceFailed(/boom/),
  },
  {
    what: 'an async iterator whose next rejects without a reason',
    build: () => from({ [Symbol.asyncIterator]: () => ({ next: () => Promise.reject() }) }).to(toArray()),
    wanted: sourceFailed(/without a reason/),
  },
  {
    what: 'an iterable that is none',
    build: () => from({ [Symbol.iterator]: 5 }).to(toArray()),
    wanted: sourceFailed(/not iterable/),
  },
  {
    what: 'a row whose property throws',
    build: () => from([Object.defineProperty({}, 'n', { get: boom })]).to(toArray()),
    wanted: sourceFailed(/boom/),
  },
  {
    what: 'an Observable that errs',
    build: () =>
      observing(
        concat(
          of({ n: 1 }),
          throwError(() => new Error('boom')),
        ),
      ).to(toArray()),
    wanted: { ...sourceFailed(/^boom$/), place: /fromObservable/ },
  },
  ...[undefined, null, 'boom', bare].map(
    (thrown): Line => ({
      what: `an Observable that errs with ${thrown === bare ? 'a bare object' : String(thrown)}`,
      build: () => observing(throwError(() => thrown)).to(toArray()),
      wanted: sourceFailed(/./),
    }),
  ),
  {
    what: 'an Observable that throws',
    build: () => observing(new Observable(boom)).to(toArray()),
    wanted: sourceFailed(/boom/),
  },
  {
    what: 'an Observable that is too fast',
    build: () =>
      job('fast')
        .from(fromObservable(numbers, of(...Array.from({ length: 100 }, (_, n) => ({ n }))), { waitingRowsMax: 10 }))
        .to(toArray()),
    wanted: { ...sourceFailed(/faster than the job: 10 rows wait/), place: /waitingRowsMax/, hint: /allow more rows/ },
  },
  {
    what: 'an Observable of wrong rows',
    build: () => observing(of({ n: 'x' })).to(toArray()),
    wanted: invalid(/value of row 0/, /^n$/),
  },

  // Row functions.
  {
    what: 'a map that throws',
    build: () =>
      from([{ n: 1 }])
        .map(boom, numbers)
        .to(toArray()),
    wanted: functionFailed(/boom/),
  },
  ...[undefined, null, 'boom', bare].map(
    (thrown): Line => ({
      what: `a map that throws ${thrown === bare ? 'a bare object' : String(thrown)}`,
      build: () =>
        from([{ n: 1 }])
          .map(throwing(thrown), numbers)
          .to(toArray()),
      wanted: functionFailed(/./),
    }),
  ),
  {
    what: 'a map that returns null',
    build: () =>
      from([{ n: 1 }])
        .map(
          untyped(() => null),
          numbers,
        )
        .to(toArray()),
    wanted: functionFailed(/returned null instead of a row/, /return an object/),
  },
  {
    what: 'a map that returns a promise',
    build: () =>
      from([{ n: 1 }])
        .map(
          untyped(async () => ({ n: 1 })),
          numbers,
        )
        .to(toArray()),
    wanted: functionFailed(/returned a promise/, /synchronous/),
  },
  {
    what: 'a map that returns a wrong type',
    build: () =>
      from([{ n: 1 }])
        .map(
          untyped(() => ({ n: 'x' })),
          numbers,
        )
        .to(toArray()),
    wanted: invalid(/is not an INT/, /^map\.n$/),
  },
  {
    what: 'a map that returns a row whose property throws',
    build: () =>
      from([{ n: 1 }])
        .map(() => Object.defineProperty({ n: 1 }, 'n', { get: boom }), numbers)
        .to(toArray()),
    wanted: functionFailed(/boom/),
  },
  {
    what: 'a filter that throws',
    build: () =>
      from([{ n: 1 }])
        .filter(boom)
        .to(toArray()),
    wanted: functionFailed(/boom/),
  },
  {
    what: 'a filter that returns 1',
    build: () =>
      from([{ n: 1 }])
        .filter(untyped(() => 1))
        .to(toArray()),
    wanted: functionFailed(/returned number instead of true or false/, /Boolean/),
  },
  {
    what: 'a map that throws on records',
    build: () => reading().map(boom, numbers).to(toArray()),
    wanted: functionFailed(/boom/),
  },

  // Callbacks and observers.
  {
    what: 'onDeadLetter that throws',
    build: () => reading().to(toArray()),
    options: { onDeadLetter: boom },
    wanted: sinkFailed(/boom/, /^onDeadLetter$/),
  },
  {
    what: 'onDeadLetter that throws nothing',
    build: () => reading().to(toArray()),
    options: { onDeadLetter: throwing(undefined) },
    wanted: sinkFailed(/callback of the job threw/, /^onDeadLetter$/),
  },
  {
    what: 'onLateRows that throws',
    build: () => windowed().to(toArray()),
    options: { onLateRows: boom },
    wanted: sinkFailed(/boom/, /^onLateRows$/),
  },
  {
    what: 'an observer whose next throws',
    build: () => from([{ n: 1 }]).to(toObserver({ next: boom })),
    wanted: sinkFailed(/boom/, /^observer$/),
  },
  {
    what: 'an observer whose next throws null',
    build: () => from([{ n: 1 }]).to(toObserver({ next: throwing(null) })),
    wanted: sinkFailed(/without a reason/, /^observer$/),
  },
  {
    what: 'an observer whose complete throws',
    build: () => from([{ n: 1 }]).to(toObserver({ complete: boom })),
    wanted: sinkFailed(/boom/, /^observer$/),
  },

  // Results that a cluster does not take.
  {
    what: 'a row of 50 MB, by default',
    build: () =>
      job('large')
        .from(rows(schema({ s: t.string() }), [{ s: 'x'.repeat(50_000_000) }]))
        .to(kafkaSink({ topic: 'large', clusters })),
    wanted: {
      code: 'RECORD_TOO_LARGE',
      sentence: /a record of 500000\d\d bytes does not fit into a batch of at most 262144/,
      place: /^large-0$/,
      hint: /raise batchBytesMax .* max\.message\.bytes/,
    },
  },
  {
    what: 'a topic whose max.message.bytes is smaller than a batch of the sink',
    build: () =>
      job('small')
        .from(
          rows(
            numbers,
            Array.from({ length: 1000 }, (_, n) => ({ n })),
          ),
        )
        .to(kafkaSink({ topic: 'small', clusters })),
    wanted: {
      code: 'BATCH_TOO_LARGE',
      sentence: /MESSAGE_TOO_LARGE/,
      place: /^small-0 of east$/,
      hint: /max\.message\.bytes .*batchBytesMax/,
    },
  },
];

function* generator(): Generator<{ n: number }> {
  yield { n: 1 };
  boom();
}
async function* generatorAsync(): AsyncGenerator<{ n: number }> {
  yield { n: 1 };
  boom();
}
async function* Readable<T>(given: readonly T[]): AsyncGenerator<T> {
  yield* given;
}
function observing(rows$: Observable<unknown>) {
  return job('observing').from(fromObservable(numbers, rows$ as Observable<never>));
}

for (const { what, build, options, wanted } of table)
  test(`${what}: ${wanted.code}`, async () => {
    const { error } = await endingOf(build(), options);
    assertError(error, wanted);
  });

test('an error handler that throws is for the process to hear; the job still ends with its own error', async () => {
  const heard = new Promise(resolve => process.once('uncaughtException', resolve));
  const { error } = await endingOf(from([{ n: 'x' }]).to(toObserver({ error: boom })));
  assertError(error, invalid(/value of row 0/));
  assert.match(String(await heard), /boom/);
});

test('the Observable of a job that fails errs with the error of the job, and with nothing else', async () => {
  const seen: unknown[] = [];
  await new Promise<void>(resolve => {
    from([{ n: 1 }, { n: 'x' }])
      .toObservable({ threads: 0 })
      .subscribe({ next: row => seen.push(row), error: error => resolve(void seen.push(error.code)) });
  });
  assert.equal(seen, ['ROW_INVALID']);
});

test('a source that never ends, or never speaks, is stopped all the same', async () => {
  const endless = function* () {
    for (let n = 0; ; n++) yield { n: n % 1000 };
  };
  const mute = { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) };
  for (const given of [endless(), mute]) {
    const run = await from(given)
      .where(f => f.n.lt(-1))
      .to(toArray())
      .start();
    await run.stop();
    assert.is(run.state, 'stopped');
  }
  const run = await observing(new Subject()).to(toArray()).start();
  await run.stop();
  assert.is((await run.done).state, 'stopped');
});

test('a row of 50 MB is written where batchBytesMax and the topic allow it', async () => {
  const { error, metrics } = await endingOf(
    job('large')
      .from(rows(schema({ s: t.string() }), [{ s: 'a' }, { s: 'x'.repeat(50_000_000) }, { s: 'b' }]))
      .to(kafkaSink({ topic: 'large', clusters, batchBytesMax: 60 << 20 })),
  );
  assert.is(error, undefined);
  assert.equal([metrics!.recordsOut, metrics!.sink.acknowledged], [3, 3]);
  assert.is(await cluster.endOffset('large', 0), 3);
});

test('small batches fit into a topic of small messages', async () => {
  const before = await cluster.endOffset('small', 0);
  const given = Array.from({ length: 1000 }, (_, n) => ({ n }));
  const { error } = await endingOf(
    job('small')
      .from(rows(numbers, given))
      .to(kafkaSink({ topic: 'small', clusters, batchBytesMax: 1800 })),
  );
  assert.is(error, undefined);
  assert.is((await cluster.endOffset('small', 0)) - before, 1000);
});

/** Names that reach for the prototype, for generated code, and for JSON. */
const hostile = [
  ...['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf', 'then', 'toJSON'],
  ...[
    '"',
    "'",
    '`',
    '\\',
    '\n',
    '\r\n',
    '\u2028',
    '\0',
    '\u007f',
    ' ',
    '${1}',
    '*/',
    '//',
    '<!--',
    ');process.exit(9);(',
  ],
  ...[
    'a.b',
    'a[0]',
    '1',
    '-1',
    'null',
    'true',
    'await',
    'p',
    'b',
    'x',
    'M',
    'k0',
    'f0',
    'c0',
    'ä',
    '日本',
    '😀',
    '\u0301',
  ],
  'x'.repeat(10_000),
];

test('hostile names of columns go from rows over Kafka into windows and back, unharmed', async () => {
  const columns = schema(
    Object.fromEntries([...hostile.map(name => [name, t.string()] as const), ['at', t.timestamp()] as const]),
  );
  const row = Object.fromEntries([...hostile.map((name, i) => [name, `value ${i}`] as const), ['at', 0] as const]);
  const topic = 'hostile';
  await cluster.createTopic({ topic });
  const written = await endingOf(
    job('write')
      .from(rows(columns, [row as never]))
      .to(kafkaSink({ topic, clusters })),
  );
  assert.is(written.error, undefined);
  const source = kafka({ topic, clusters, schema: columns, bounded: true });
  const read = await endingOf(job('read').from(source).to(toArray()));
  assert.is(read.error, undefined);
  assert.equal(read.output, [row]);
  const explained = job('read').from(source).to(toArray()).explain();
  assert.is(explained.includes('undefined'), false);
  for (const name of hostile) {
    const grouped = job('group')
      .from(source)
      .watermark(untyped('at'))
      .where(f => untyped((f as unknown as Record<string, { isNotNull(): unknown }>)[name]!.isNotNull()))
      .groupBy(untyped(name))
      .tumble({ days: 1 })
      .aggregate(f => ({ greatest: max((f as unknown as Record<string, never>)[name]!) }))
      .select(untyped(name), 'greatest')
      .to(toArray());
    const { error, output } = await endingOf(grouped as Job<unknown[]>);
    assert.is(error, undefined, JSON.stringify(name.slice(0, 20)));
    assert.equal(output, [{ [name]: row[name], greatest: row[name] }]);
  }
});

test('a column that every object has, and this row does not, is NULL', async () => {
  const columns = schema({ constructor: t.string(), ['__proto__']: t.int(), toString: t.bigint() });
  const { output } = await endingOf(
    job('bare')
      .from(rows(columns, untyped([{}])))
      .to(toArray()),
  );
  assert.equal(output, [
    Object.fromEntries([
      ['constructor', null],
      ['__proto__', null],
      ['toString', null],
    ]),
  ]);
});

test('1,000 columns are read, grouped and written', async () => {
  const names = Array.from({ length: 1000 }, (_, i) => `column${i}`);
  const columns = schema(Object.fromEntries(names.map(name => [name, t.int()])));
  const row = Object.fromEntries(names.map((name, i) => [name, i]));
  const topic = 'broad';
  await cluster.createTopic({ topic });
  const written = await endingOf(
    job('broad')
      .from(rows(columns, untyped([row, row])))
      .to(kafkaSink({ topic, clusters })),
  );
  assert.is(written.error, undefined);
  const read = await endingOf(
    job('broad')
      .from(kafka({ topic, clusters, schema: columns, bounded: true }))
      .to(toArray()),
  );
  assert.equal(read.output, [row, row]);
});

test.run();
