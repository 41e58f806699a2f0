/** What a job is told at its border: each mistake is one error with a code, a sentence, a place and a hint. */
import { of } from 'rxjs';
import * as assert from 'uvu/assert';
import { BraidError, type BraidErrorCode } from '../../lib/base/errors.ts';
import {
  cast,
  count,
  fromObservable,
  job,
  kafka,
  kafkaSink,
  literal,
  rows,
  schema,
  sum,
  t,
  toArray,
  when,
} from '../../lib/index.ts';
import { suite } from '../support/suite.ts';

const test = suite('border of the api');

const flights = schema({ date: t.timestamp().notNull(), delay: t.int(), origin: t.string().notNull() });
const clusters = [{ name: 'east', brokers: ['localhost:9092'] }];
const valid = { topic: 'flights', clusters, schema: flights };
const stream = job('border').from(rows(flights, []));
const grouped = stream.watermark('date').groupBy('origin');
/** For what the compiler refuses: people write JavaScript too. */
const untyped = (value: unknown): never => value as never;

interface Mistake {
  readonly what: string;
  readonly build: () => unknown;
  readonly code: BraidErrorCode;
  readonly place?: string;
  readonly hint?: string;
}

const mistakes: readonly Mistake[] = [
  { what: 'a job without a name', build: () => job(''), code: 'OPTION_INVALID', place: 'job(name)' },
  { what: 'a job with a blank in its name', build: () => job('a b'), code: 'OPTION_INVALID', hint: 'letters' },
  { what: 'no source', build: () => job('x').from(untyped(flights)), code: 'OPTION_INVALID', hint: 'kafka(...)' },

  { what: 'an empty schema', build: () => schema({}), code: 'SCHEMA_INVALID' },
  {
    what: 'a type that was not called',
    build: () => schema({ a: untyped(t.int) }),
    code: 'SCHEMA_INVALID',
    place: 'a',
    hint: 't.int()',
  },
  {
    what: 'a type as text',
    build: () => schema({ a: untyped('strng') }),
    code: 'SCHEMA_INVALID',
    place: 'a',
    hint: 'did you mean string?',
  },

  {
    what: 'a misspelt option',
    build: () => kafka({ ...valid, ...{ holdWatermrkMs: 5 } }),
    code: 'OPTION_UNKNOWN',
    place: 'kafka.holdWatermrkMs',
    hint: 'did you mean holdWatermarkMs?',
  },
  {
    what: 'an option that is far off',
    build: () => kafka({ ...valid, ...{ colour: 'red' } }),
    code: 'OPTION_UNKNOWN',
    hint: 'options are topic',
  },
  { what: 'no options', build: () => kafka(untyped(undefined)), code: 'OPTION_INVALID', place: 'kafka' },
  {
    what: 'a missing option',
    build: () => kafka(untyped({ topic: 'flights', schema: flights })),
    code: 'OPTION_INVALID',
    place: 'kafka.clusters',
  },
  {
    what: 'a number for a text',
    build: () => kafka({ ...valid, bounded: untyped(1) }),
    code: 'OPTION_INVALID',
    place: 'kafka.bounded',
  },
  {
    what: 'a negative duration',
    build: () => kafka({ ...valid, holdWatermarkMs: -1 }),
    code: 'OPTION_INVALID',
    place: 'kafka.holdWatermarkMs',
  },
  {
    what: 'a fraction of a record',
    build: () => kafka({ ...valid, recordsPerSecondMax: 0.5 }),
    code: 'OPTION_INVALID',
    place: 'kafka.recordsPerSecondMax',
  },
  { what: 'NaN', build: () => kafka({ ...valid, suspectAfterMs: Number.NaN }), code: 'OPTION_INVALID' },
  {
    what: 'a word that is not one of the words',
    build: () => kafka({ ...valid, badRecords: untyped('skpi') }),
    code: 'OPTION_INVALID',
    place: 'kafka.badRecords',
    hint: 'did you mean skip?',
  },
  {
    what: 'a schema that is none',
    build: () => kafka({ ...valid, schema: untyped({ a: 'int' }) }),
    code: 'OPTION_INVALID',
    place: 'kafka.schema',
    hint: 'schema({',
  },
  {
    what: 'a topic with a slash',
    build: () => kafka({ ...valid, topic: 'a/b' }),
    code: 'TOPIC_NAME_INVALID',
    place: 'kafka.topic',
  },
  { what: 'a topic of dots', build: () => kafka({ ...valid, topic: '..' }), code: 'TOPIC_NAME_INVALID' },
  {
    what: 'a topic that is too long',
    build: () => kafka({ ...valid, topic: 'x'.repeat(250) }),
    code: 'TOPIC_NAME_INVALID',
  },
  {
    what: 'no clusters',
    build: () => kafka({ ...valid, clusters: [] }),
    code: 'OPTION_INVALID',
    place: 'kafka.clusters',
  },
  {
    what: 'no brokers',
    build: () => kafka({ ...valid, clusters: [{ name: 'east', brokers: [] }] }),
    code: 'OPTION_INVALID',
    place: 'kafka.clusters[0].brokers',
  },
  {
    what: 'a broker without a port',
    build: () => kafka({ ...valid, clusters: [{ name: 'east', brokers: ['localhost'] }] }),
    code: 'OPTION_INVALID',
    place: 'kafka.clusters[0].brokers[0]',
    hint: 'localhost:9092',
  },
  {
    what: 'a broker as a URL',
    build: () => kafka({ ...valid, clusters: [{ name: 'east', brokers: ['http://localhost:80'] }] }),
    code: 'OPTION_INVALID',
  },
  {
    what: 'a port out of range',
    build: () => kafka({ ...valid, clusters: [{ name: 'east', brokers: ['localhost:65536'] }] }),
    code: 'OPTION_INVALID',
  },
  {
    what: 'two clusters of one name',
    build: () => kafka({ ...valid, clusters: [...clusters, ...clusters] }),
    code: 'OPTION_INVALID',
    place: 'kafka.clusters[1].name',
  },
  {
    what: 'a misspelt option of a cluster',
    build: () => kafka({ ...valid, clusters: [untyped({ name: 'east', broker: ['a:1'] })] }),
    code: 'OPTION_UNKNOWN',
    hint: 'did you mean brokers?',
  },

  { what: 'rows that are none', build: () => rows(flights, untyped(5)), code: 'OPTION_INVALID' },
  { what: 'an Observable that is none', build: () => fromObservable(flights, untyped([])), code: 'OPTION_INVALID' },
  {
    what: 'an Observable for which no row may wait',
    build: () => fromObservable(flights, of(), { waitingRowsMax: 0 }),
    code: 'OPTION_INVALID',
    place: 'fromObservable.waitingRowsMax',
  },

  {
    what: 'a column that does not exist, in a condition',
    build: () => stream.where(f => untyped((f as unknown as { dely: unknown }).dely)),
    code: 'COLUMN_UNKNOWN',
    place: 'dely',
    hint: 'did you mean delay?',
  },
  {
    what: 'a column that does not exist, in a selection',
    build: () => stream.select(untyped('orign')),
    code: 'COLUMN_UNKNOWN',
    hint: 'did you mean origin?',
  },
  {
    what: 'a condition that is none',
    build: () => stream.where(untyped(() => true)),
    code: 'TYPE_MISMATCH',
    place: 'where',
    hint: 'filter(...)',
  },
  {
    what: 'a text compared with a number',
    build: () => stream.where(f => f.origin.eq(untyped(5))),
    code: 'TYPE_MISMATCH',
  },
  {
    what: 'a number compared with a text',
    build: () => stream.where(f => f.delay.gt(untyped('15'))),
    code: 'TYPE_MISMATCH',
  },
  {
    what: 'undefined in a comparison',
    build: () => stream.where(f => f.delay.gt(untyped(undefined))),
    code: 'TYPE_MISMATCH',
    hint: 'isNull()',
  },
  {
    what: 'a fraction added to an INT',
    build: () => stream.select(f => ({ x: f.delay.plus(1.5) })),
    code: 'TYPE_MISMATCH',
  },
  {
    what: 'a constant in a selection',
    build: () => stream.select(() => untyped({ x: 5 })),
    code: 'TYPE_MISMATCH',
    place: 'select.x',
    hint: 'literal(...)',
  },
  {
    what: 'an aggregate in a selection',
    build: () => stream.select(() => untyped({ x: count() })),
    code: 'TYPE_MISMATCH',
    hint: 'groupBy',
  },
  { what: 'a selection of nothing', build: () => stream.select(() => ({})), code: 'PLAN_INVALID' },
  { what: 'a column twice', build: () => stream.select('delay', 'delay'), code: 'SCHEMA_INVALID', place: 'delay' },
  { what: 'a literal that is no INT', build: () => literal(1.5), code: 'TYPE_MISMATCH' },
  {
    what: 'a cast that there is not',
    build: () => stream.select(f => ({ x: cast(f.date, t.int()) })),
    code: 'TYPE_MISMATCH',
    hint: 'TIMESTAMP can be cast to',
  },
  {
    what: 'branches of two types',
    build: () => stream.select(f => ({ x: when(f.delay.gt(1), 'a').otherwise(untyped(true)) })),
    code: 'TYPE_MISMATCH',
  },
  { what: 'map without a schema', build: () => stream.map(row => row, untyped(undefined)), code: 'OPTION_INVALID' },
  {
    what: 'filter without a function',
    build: () => stream.filter(untyped(true)),
    code: 'OPTION_INVALID',
    place: 'filter',
  },

  {
    what: 'a watermark on a text',
    build: () => stream.watermark(untyped('origin')),
    code: 'TYPE_MISMATCH',
    place: 'watermark',
  },
  {
    what: 'a misspelt option of a watermark',
    build: () => stream.watermark('date', untyped({ outOfOrder: 1 })),
    code: 'OPTION_UNKNOWN',
    hint: 'outOfOrderMs',
  },
  {
    what: 'a window without a watermark',
    build: () => stream.groupBy('origin').tumble({ hours: 1 }),
    code: 'PLAN_INVALID',
    hint: '.watermark(',
  },
  {
    what: 'a window of nothing',
    build: () => grouped.tumble({}),
    code: 'OPTION_INVALID',
    place: 'tumble',
    hint: '{ hours: 1 }',
  },
  {
    what: 'a misspelt unit',
    build: () => grouped.tumble(untyped({ hour: 1 })),
    code: 'OPTION_UNKNOWN',
    place: 'tumble.hour',
    hint: 'did you mean hours?',
  },
  {
    what: 'an aggregate of a text',
    build: () => grouped.tumble({ hours: 1 }).aggregate(f => ({ x: sum(untyped(f.origin)) })),
    code: 'TYPE_MISMATCH',
    place: 'SUM',
  },
  {
    what: 'an aggregate that is none',
    build: () => grouped.tumble({ hours: 1 }).aggregate(f => untyped({ x: f.delay })),
    code: 'TYPE_MISMATCH',
    place: 'aggregate.x',
  },
  {
    what: 'an aggregate with the name of a key',
    build: () => grouped.tumble({ hours: 1 }).aggregate(() => ({ origin: count() })),
    code: 'SCHEMA_INVALID',
    place: 'origin',
  },
  {
    what: 'a name that is taken',
    build: () => stream.where(f => f.delay.gt(1)).named('rows'),
    code: 'PLAN_INVALID',
    place: 'rows',
  },

  {
    what: 'a key that is no column',
    build: () => stream.to(untyped(kafkaSink({ topic: 'out', clusters, key: 'orign' }))),
    code: 'COLUMN_UNKNOWN',
    hint: 'did you mean origin?',
  },
  {
    what: 'a key that is no text',
    build: () => stream.to(untyped(kafkaSink({ topic: 'out', clusters, key: 'delay' }))),
    code: 'TYPE_MISMATCH',
    place: 'kafkaSink.key',
    hint: 'toText()',
  },
  {
    what: 'an active cluster that there is not',
    build: () => kafkaSink({ topic: 'out', clusters, active: 'west' }),
    code: 'OPTION_INVALID',
    place: 'kafkaSink.active',
  },
  {
    what: 'a misspelt option of a sink',
    build: () => kafkaSink(untyped({ topic: 'out', clusters, linger: 5 })),
    code: 'OPTION_UNKNOWN',
    hint: 'did you mean lingerMs?',
  },
  {
    what: 'one cluster with two addresses',
    build: () =>
      job('x')
        .from(kafka(valid))
        .to(kafkaSink({ topic: 'out', clusters: [{ name: 'east', brokers: ['localhost:9093'] }] })),
    code: 'OPTION_INVALID',
    place: 'kafkaSink.clusters',
  },
  {
    what: 'a misspelt option of explain',
    build: () => stream.to(toArray()).explain(untyped({ thread: 2 })),
    code: 'OPTION_UNKNOWN',
    hint: 'did you mean threads?',
  },
  {
    what: 'threads below none',
    build: () => stream.to(toArray()).explain({ threads: -1 }),
    code: 'OPTION_INVALID',
    place: 'start.threads',
  },
];

for (const { what, build, code, place, hint } of mistakes)
  test(`${what} is ${code}`, () => {
    let thrown: unknown;
    try {
      build();
    } catch (error) {
      thrown = error;
    }
    assert.instance(thrown, BraidError);
    const error = thrown as BraidError;
    assert.is(error.code, code, error.describe());
    if (place !== undefined) assert.is(error.place, place);
    if (hint !== undefined) assert.match(error.hint ?? '', hint);
    assert.not.match(error.describe(), /\n {2}hint: undefined|\[object/);
  });

test('start rejects with what is wrong with its options, and does not throw', async () => {
  const started = stream.to(toArray()).start(untyped({ treads: 2 }));
  const error = await started.then(
    () => undefined,
    (thrown: BraidError) => thrown,
  );
  assert.is(error?.code, 'OPTION_UNKNOWN');
  assert.match(error?.hint ?? '', 'did you mean threads?');
});

test('a secret in the wrong place is not shown', () => {
  try {
    kafka({ ...valid, bounded: untyped({ password: 'hunter2' }) });
  } catch (error) {
    assert.not.match((error as BraidError).describe(), 'hunter2');
    return;
  }
  assert.unreachable();
});

test('columns called __proto__ and constructor are columns like others', () => {
  const odd = schema(
    Object.fromEntries([
      ['__proto__', t.int()],
      ['constructor', t.int()],
    ]),
  );
  assert.equal(Object.keys(odd.columns), ['__proto__', 'constructor']);
  const chosen = job('odd').from(rows(odd, [])).select('constructor');
  assert.equal(Object.keys(chosen.schema.columns), ['constructor']);
});

test.run();
