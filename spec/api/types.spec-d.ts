/**
 * Type specs of the builder: what must not compile is marked with `@ts-expect-error`, so `tsc` fails where it does
 * compile; what rows are inferred to be is checked with `equal`. Nothing here runs.
 */
import {
  avg,
  cast,
  count,
  greatest,
  job,
  kafka,
  kafkaSink,
  least,
  literal,
  max,
  min,
  type Row,
  rows,
  schema,
  sum,
  t,
  toArray,
  when,
} from '../../lib/index.ts';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** Compiles only if both types are the same. */
declare function equal<A, B>(same: Equal<A, B>): void;

const flights = schema({
  date: t.timestamp().notNull(),
  delay: t.int(),
  distance: t.int().notNull(),
  weight: t.bigint(),
  origin: t.string().notNull(),
  diverted: t.boolean(),
});
type Flight = {
  date: number;
  delay: number | null;
  distance: number;
  weight: bigint | null;
  origin: string;
  diverted: boolean | null;
};
equal<Row<typeof flights>, Flight>(true);

const source = rows(flights, [{ date: 0, distance: 1, origin: 'SEA', weight: 5 }]);
// @ts-expect-error a row needs what is NOT NULL
rows(flights, [{ date: 0, origin: 'SEA' }]);
// @ts-expect-error a text is no INT
rows(flights, [{ date: 0, distance: '1', origin: 'SEA' }]);
// @ts-expect-error NULL where NOT NULL was declared
rows(flights, [{ date: 0, distance: 1, origin: null }]);

const stream = job('types').from(source).watermark('date');

// Columns
// @ts-expect-error there is no such column
stream.where(f => f.dely.isNotNull());
// @ts-expect-error there is no such column
stream.select('orign');
// @ts-expect-error there is no such column
stream.groupBy('orign');
// @ts-expect-error event time is a TIMESTAMP
job('x').from(source).watermark('delay');
// @ts-expect-error options are known
job('x').from(source).watermark('date', { outOfOrder: 5 });

// Comparisons and conditions
// @ts-expect-error a number is not compared with a text
stream.where(f => f.delay.gt('15'));
// @ts-expect-error a text is not compared with a number
stream.where(f => f.origin.eq(5));
// @ts-expect-error columns of different kinds are not compared
stream.where(f => f.origin.eq(f.delay));
// @ts-expect-error a time is not compared with a text
stream.where(f => f.date.gt('2001-01-01'));
// @ts-expect-error NULL is asked for with isNull()
stream.where(f => f.delay.eq(null));
// @ts-expect-error a number is no condition
stream.where(f => f.delay);
// @ts-expect-error a boolean of JavaScript is no condition
stream.where(() => true);
// @ts-expect-error and takes conditions
stream.where(f => f.diverted.and(f.delay));
stream.where(f =>
  f.delay
    .gt(15)
    .and(f.weight.lt(f.delay))
    .or(f.date.gte(new Date(0)))
    .not(),
);
stream.where(f => f.origin.in('SEA', 'ATL').and(f.delay.between(0, 15)).and(f.weight.eq(5)));

// Arithmetic and text
// @ts-expect-error texts are not added
stream.select(f => ({ x: f.origin.plus(f.origin) }));
// @ts-expect-error a text is not added to a number
stream.select(f => ({ x: f.delay.plus('1') }));
// @ts-expect-error an INT is not added to a bigint of JavaScript
stream.select(f => ({ x: f.delay.plus(1n) }));
// @ts-expect-error MOD is for integers
stream.select(f => ({ x: f.delay.toDouble().mod(2) }));
// @ts-expect-error numbers have no upper case
stream.select(f => ({ x: f.delay.upper() }));
// @ts-expect-error a constant is written as literal(...)
stream.select(() => ({ x: 5 }));
// @ts-expect-error an aggregate is no value of a row
stream.select(() => ({ x: count() }));
// @ts-expect-error such units there are not
stream.select(f => ({ x: f.date.floorTo('fortnight') }));
// @ts-expect-error branches are of one type
stream.select(f => ({ x: when(f.delay.gt(15), 'late').otherwise(true) }));
// @ts-expect-error values of different kinds have no order
stream.select(f => ({ x: least(f.delay, f.origin) }));

const computed = stream.select(f => ({
  sum: f.delay.plus(f.weight),
  product: f.distance.times(2),
  share: f.delay.toDouble().div(f.distance),
  sure: f.delay.coalesce(0),
  name: f.origin.concat(' airport').upper(),
  half: cast(f.distance, t.double()),
  late: f.delay.gt(15),
  known: f.delay.isNotNull(),
  label: when(f.delay.gt(15), 'late').otherwise('in time'),
  maybe: when(f.delay.gt(15), f.distance).end(),
  low: least(f.delay, f.distance),
  high: greatest(f.distance, literal(5)),
  day: f.date.floorTo('day'),
  constant: literal('x'),
}));
equal<
  Awaited<ReturnType<typeof computed.collect>>[number],
  {
    sum: bigint | null;
    product: number;
    share: number | null;
    sure: number;
    name: string;
    half: number;
    late: boolean | null;
    known: boolean;
    label: string;
    maybe: number | null;
    low: number | null;
    high: number;
    day: number;
    constant: string;
  }
>(true);

// Aggregates
const windows = stream.groupBy('origin').tumble({ hours: 1 });
// @ts-expect-error a sum of texts
windows.aggregate(f => ({ x: sum(f.origin) }));
// @ts-expect-error a mean of times
windows.aggregate(f => ({ x: avg(f.date) }));
// @ts-expect-error booleans have no order
windows.aggregate(f => ({ x: max(f.diverted) }));
// @ts-expect-error a column is no aggregate
windows.aggregate(f => ({ x: f.delay }));
// @ts-expect-error a filter is a condition
windows.aggregate(f => ({ x: count().filter(f.delay) }));
// @ts-expect-error what is computed from aggregates goes into select
windows.aggregate(f => ({ x: sum(f.delay).plus(1) }));
// @ts-expect-error units are known
stream.groupBy('origin').tumble({ hour: 1 });
// @ts-expect-error groups need a window
stream.groupBy('origin').aggregate(() => ({ x: count() }));

const hourly = windows.aggregate(f => ({
  flights: count(),
  late: count().filter(f.delay.gt(15)),
  mean: avg(f.delay.toDouble()),
  distance: sum(f.distance),
  lateDistance: sum(f.distance).filter(f.delay.gt(15)),
  first: min(f.origin),
}));
type Hourly = {
  origin: string;
  windowStart: number;
  windowEnd: number;
  flights: bigint;
  late: bigint;
  mean: number | null;
  distance: number;
  lateDistance: number | null;
  first: string;
};
equal<Awaited<ReturnType<typeof hourly.collect>>[number], Hourly>(true);
// @ts-expect-error only keys, windowStart, windowEnd and aggregates are left
hourly.select('destination');

const byHour = stream.groupBy(f => ({ hour: f.date.hour() })).tumble({ days: 1 });
const daily = byHour.aggregate(() => ({ flights: count() })).select('hour', 'flights');
equal<Awaited<ReturnType<typeof daily.collect>>[number], { hour: bigint; flights: bigint }>(true);

// Row functions
const short = schema({ code: t.string().notNull(), miles: t.double() });
const mapped = stream.map(row => ({ code: row.origin.slice(0, 1), miles: row.distance * 1.6 }), short);
equal<Awaited<ReturnType<typeof mapped.collect>>[number], { code: string; miles: number | null }>(true);
// @ts-expect-error the new row is not of its schema
stream.map(row => ({ code: row.distance }), short);
// @ts-expect-error rows have no such property
stream.filter(row => row.dely > 5);
// @ts-expect-error a NULL is to be thought of
stream.filter(row => row.delay > 5);
stream.filter(row => row.delay !== null && row.delay > 5);

// Sinks and sources
const clusters = [{ name: 'east', brokers: ['localhost:9092'] }];
hourly.to(kafkaSink({ topic: 'delays', clusters, key: 'origin' }));
hourly.to(kafkaSink({ topic: 'delays', clusters }));
// @ts-expect-error the key is a column of the rows
hourly.to(kafkaSink({ topic: 'delays', clusters, key: 'destination' }));
// @ts-expect-error the key is a text
hourly.to(kafkaSink({ topic: 'delays', clusters, key: 'flights' }));
// @ts-expect-error options are known
kafka({ topic: 'flights', clusters, schema: flights, holdWatermark: 5 });
// @ts-expect-error clusters are needed
kafka({ topic: 'flights', schema: flights });
const started = hourly.to(toArray()).start();
equal<Awaited<Awaited<typeof started>['done']>['output'], Hourly[]>(true);
// @ts-expect-error an option of start is misspelt
hourly.collect({ thread: 2 });
