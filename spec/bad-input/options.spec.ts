/**
 * Every option of every public call, misspelt: OPTION_UNKNOWN at its place, with the right name as a hint. And values that
 * no option takes.
 */
import { of } from 'rxjs';
import * as assert from 'uvu/assert';
import { startCluster, startClusterProcess } from '../../lib/embedded/index.ts';
import { count, fromObservable, job, kafka, kafkaSink, rows, schema, t, toArray } from '../../lib/index.ts';
import { assertError, errorOf } from '../support/ending.ts';
import { suite } from '../support/suite.ts';

const test = suite('bad input: options', 10_000);
const columns = schema({ n: t.int(), s: t.string(), at: t.timestamp() });
const clusters = [{ name: 'east', brokers: ['localhost:9092'] }];
const untyped = (value: unknown): never => value as never;
const stream = job('options').from(rows(columns, []));

/** The public calls that take options, and the names of these. `call` is given the options besides those that must be there. */
const calls: readonly (readonly [place: string, names: readonly string[], call: (options: object) => unknown])[] = [
  [
    'kafka',
    [
      ...['topic', 'clusters', 'schema', 'startFrom', 'bounded', 'recordsPerSecondMax', 'prefetchBytesMax'],
      ...['suspectAfterMs', 'holdWatermarkMs', 'idleAfterMs', 'badRecords', 'validate', 'name'],
    ],
    options => kafka(untyped({ topic: 't', clusters, schema: columns, ...options })),
  ],
  [
    'kafka.clusters[0]',
    ['name', 'brokers', 'ssl', 'sasl', 'allowInsecure'],
    options => kafka(untyped({ topic: 't', clusters: [{ ...clusters[0], ...options }], schema: columns })),
  ],
  [
    'kafkaSink',
    ['topic', 'clusters', 'key', 'active', 'batchBytesMax', 'lingerMs', 'unacknowledgedRowsMax', 'name'],
    options => kafkaSink(untyped({ topic: 't', clusters, ...options })),
  ],
  ['fromObservable', ['waitingRowsMax'], options => fromObservable(columns, of(), untyped(options))],
  ['watermark', ['outOfOrderMs'], options => stream.watermark('at', untyped(options))],
  [
    'tumble',
    ['days', 'hours', 'minutes', 'seconds', 'milliseconds'],
    options => stream.watermark('at').tumble(untyped({ seconds: 1, ...options })),
  ],
  ['tumble', ['offset'], options => stream.watermark('at').tumble({ days: 1 }, untyped(options))],
  [
    'start',
    ['threads', 'onLateRows', 'onDeadLetter', 'metricsEveryMs', 'startMsMax'],
    options => stream.to(toArray()).start(untyped(options)),
  ],
  ['start', ['threads'], options => stream.collect(untyped(options))],
  ['start', ['threads'], options => stream.to(toArray()).explain(untyped(options))],
  [
    'cluster',
    [
      ...['name', 'brokers', 'ports', 'topics', 'autoCreateTopics', 'defaultPartitions', 'requestBytesMax'],
      ...['groupInitialRebalanceDelayMs', 'groupSessionTimeoutMsMin'],
    ],
    options => startCluster(untyped(options)),
  ],
  [
    'topic',
    ['topic', 'partitions', 'replicationFactor', 'config'],
    options => startCluster({ topics: [untyped({ topic: 't', ...options })] }),
  ],
];

/** As fingers do it: two neighbours in the wrong order, or one letter twice where that changes nothing. */
function misspelt(name: string): string {
  for (let i = name.length - 2; i > 0; i--)
    if (name[i] !== name[i + 1]) return name.slice(0, i) + name[i + 1] + name[i] + name.slice(i + 2);
  return `${name}${name.at(-1)}`;
}

for (const [place, names, call] of calls)
  test(`${place}: ${names.join(', ')}`, async () => {
    for (const name of names) {
      const wrong = misspelt(name);
      assertError(await errorOf(() => call({ [wrong]: 1 })), {
        code: 'OPTION_UNKNOWN',
        sentence: new RegExp(`no option ${wrong}`),
        place: new RegExp(`^${place.replaceAll(/[[\]]/g, '\\$&')}\\.${wrong}$`),
        hint: new RegExp(`did you mean ${name}\\?`),
      });
    }
    for (const wrong of ['__proto__', 'constructor', 'colour'])
      assertError(await errorOf(() => call(Object.fromEntries([[wrong, 1]]))), {
        code: 'OPTION_UNKNOWN',
        sentence: new RegExp(`no option ${wrong}`),
        hint: /./,
      });
  });

test('something else than an object of options', async () => {
  for (const value of [null, 5, 'text', [], () => {}, Symbol('x'), 1n]) {
    const wrong = untyped(value);
    for (const call of [
      () => kafka(wrong),
      () => kafkaSink(wrong),
      () => fromObservable(columns, of(), wrong),
      () => stream.watermark('at', wrong),
      () => stream.watermark('at').tumble(wrong),
      () => stream.watermark('at').tumble({ days: 1 }, wrong),
      () => stream.to(toArray()).start(wrong),
      () => startCluster(wrong),
    ])
      assertError(await errorOf(call), { code: 'OPTION_INVALID', sentence: /options belongs here/ });
  }
});

/** Values that no number takes, whatever it is for. */
const noNumbers = [-1, 0.5, Number.NaN, Number.NEGATIVE_INFINITY, '5', null, {}, [], true, 1n, Symbol('x')];
test('something else than a number, where one is wanted', async () => {
  for (const value of noNumbers) {
    const wrong = untyped(value);
    const given = { topic: 't', clusters, schema: columns };
    for (const [call, place] of [
      [() => kafka({ ...given, recordsPerSecondMax: wrong }), 'kafka.recordsPerSecondMax'],
      [() => kafka({ ...given, prefetchBytesMax: wrong }), 'kafka.prefetchBytesMax'],
      [() => kafka({ ...given, suspectAfterMs: wrong }), 'kafka.suspectAfterMs'],
      [() => kafka({ ...given, holdWatermarkMs: wrong }), 'kafka.holdWatermarkMs'],
      [() => kafka({ ...given, idleAfterMs: wrong }), 'kafka.idleAfterMs'],
      [() => kafkaSink({ topic: 't', clusters, batchBytesMax: wrong }), 'kafkaSink.batchBytesMax'],
      [() => kafkaSink({ topic: 't', clusters, lingerMs: wrong }), 'kafkaSink.lingerMs'],
      [() => kafkaSink({ topic: 't', clusters, unacknowledgedRowsMax: wrong }), 'kafkaSink.unacknowledgedRowsMax'],
      [() => fromObservable(columns, of(), { waitingRowsMax: wrong }), 'fromObservable.waitingRowsMax'],
      [() => stream.watermark('at', { outOfOrderMs: wrong }), 'watermark.outOfOrderMs'],
      [() => stream.to(toArray()).start({ threads: wrong }), 'start.threads'],
      [() => stream.to(toArray()).start({ metricsEveryMs: wrong }), 'start.metricsEveryMs'],
      [() => stream.to(toArray()).start({ startMsMax: wrong }), 'start.startMsMax'],
      [() => stream.watermark('at').tumble({ milliseconds: wrong }), 'tumble'],
    ] as const) {
      const error = await errorOf(call);
      assert.is(error.code, 'OPTION_INVALID', error.describe());
      assert.match(error.place!, place);
    }
  }
});

test('a sink whose key is no column, or no text', async () => {
  const to = (key: string) => () => stream.to(kafkaSink(untyped({ topic: 't', clusters, key })));
  assertError(await errorOf(to('m')), {
    code: 'COLUMN_UNKNOWN',
    sentence: /no column m/,
    hint: /did you mean|columns are/,
  });
  assertError(await errorOf(to('constructor')), { code: 'COLUMN_UNKNOWN', sentence: /no column constructor/ });
  assertError(await errorOf(to('n')), { code: 'TYPE_MISMATCH', sentence: /STRING/, place: /key/ });
});

test('a watermark on a column that does not exist, or is no TIMESTAMP; a window without one', async () => {
  assertError(await errorOf(() => stream.watermark(untyped('ta'))), {
    code: 'COLUMN_UNKNOWN',
    sentence: /no column ta/,
    hint: /did you mean at\?/,
  });
  assertError(await errorOf(() => stream.watermark(untyped('s'))), {
    code: 'TYPE_MISMATCH',
    sentence: /event time is a TIMESTAMP/,
    hint: /at TIMESTAMP/,
  });
  assertError(await errorOf(() => stream.tumble({ days: 1 }).aggregate(() => ({ n: count() }))), {
    code: 'PLAN_INVALID',
    sentence: /no watermark/,
    hint: /\.watermark\(/,
  });
});

test('embedded clusters that cannot be: in this process and in one of their own', async () => {
  for (const [options, sentence] of [
    [{ brokers: 0 }, /1 to 100 brokers/],
    [{ brokers: 1e9 }, /1 to 100 brokers/],
    [{ ports: [1, 2], brokers: 3 }, /2 ports were given for 3 brokers/],
    [{ ports: [65_536] }, /no port number/],
    [{ ports: ['9092'] }, /no port number/],
    [{ requestBytesMax: -1 }, /requestBytesMax/],
    [{ topics: [{}] }, /needs a name/],
    [{ topics: [{ topic: 'a/b' }] }, /no legal topic name/],
    [{ topics: [{ topic: 't', partitions: 0 }] }, /partitions/],
    [{ topics: [{ topic: 't', partitions: 1e9 }] }, /partitions/],
    [{ topics: [{ topic: 't', replicationFactor: 2 }] }, /[Rr]eplication factor/],
    [{ topics: [{ topic: 't', config: { 'retention.sm': '1' } }] }, /retention\.sm/],
    [{ topics: [{ topic: 't', config: { 'retention.ms': 'soon' } }] }, /soon/],
    [{ topics: [{ topic: 't' }, { topic: 't' }] }, /already exists/],
  ] as const) {
    assertError(await errorOf(() => startCluster(untyped(options))), { code: 'OPTION_INVALID', sentence });
  }
  assertError(await errorOf(() => startClusterProcess(untyped({ brokrs: 1 }))), {
    code: 'OPTION_UNKNOWN',
    sentence: /no option brokrs/,
    hint: /did you mean brokers\?/,
  });
});

test.run();
