import * as assert from 'uvu/assert';
import { avg, count, job, kafka, kafkaSink, max, rows, schema, t, toArray } from '../../lib/index.ts';
import { explainPlan } from '../../lib/plan/explain.ts';
import { planOf } from '../support/plan-of.ts';
import { suite } from '../support/suite.ts';

const test = suite('explain');

const flights = schema({
  date: t.timestamp().notNull(),
  delay: t.int(),
  distance: t.int(),
  origin: t.string(),
});
const clusters = [
  { name: 'east', brokers: ['localhost:9092'] },
  { name: 'west', brokers: ['localhost:9093'] },
];
const source = kafka({ topic: 'flights', clusters, schema: flights, bounded: true, holdWatermarkMs: 60_000 });
const hourly = job('flight-delays')
  .from(source)
  .watermark('date')
  .where(f => f.delay.isNotNull())
  .groupBy('origin')
  .tumble({ hours: 1 })
  .aggregate(f => ({ flights: count(), mean: avg(f.delay.toDouble()), late: count().filter(f.delay.gt(15)) }));

test('tells what is scanned, fused and kept, where it runs, and where it goes', () => {
  const text = hourly
    .select(r => ({ origin: r.origin, hour: r.windowStart, mean: r.mean }))
    .to(kafkaSink({ topic: 'delays', clusters, key: 'origin' }))
    .explain({ threads: 2 });
  assert.is(
    text,
    `job flight-delays
1. flights: Kafka topic flights in east and west, to its present end, kernel in a pool of 2 threads
     scan 3 of 4 JSON fields: date TIMESTAMP(3) NOT NULL, delay INT, origin STRING
     event time: date, at most 0 ms out of order, held up to 60000 ms for a cluster that is down
     where delay IS NOT NULL
     partials by origin, TUMBLE(1 h): COUNT(*) AS count0, SUM(CAST(delay AS DOUBLE)) AS sum1, COUNT(CAST(delay AS DOUBLE)) AS count2, COUNT(*) FILTER (WHERE delay > 15) AS count3
     local phase: on, until it is measured that partials do not shrink the input
2. aggregate: global phase, one owner, merges by origin, TUMBLE(1 h)
     select origin, windowStart AS hour, sum1 / CAST(count2 AS DOUBLE) AS mean
3. delays-sink: Kafka topic delays in east or west, east first, key origin, at least once
     columns: origin STRING, hour TIMESTAMP(3) NOT NULL, mean DOUBLE`,
  );
});

test('calls a plain function a row function', () => {
  const text = job('functions')
    .from(rows(flights, []))
    .filter(row => row.origin !== null)
    .map(row => ({ code: row.origin }), schema({ code: t.string() }))
    .to(toArray())
    .explain();
  assert.match(text, 'filter: row function (filter), one call a row');
  assert.match(text, 'map: row function (map), one call a row');
  assert.match(text, 'columns: code STRING');
  assert.not.match(text, 'local phase');
});

test('says by measurement why the local phase is off, or on again', () => {
  const plan = planOf(hourly);
  assert.match(
    explainPlan(plan, new Map([['flights', { on: false, partialsPerRow: 0.97 }]])),
    'local phase: off, since 0.97 partials a row were measured',
  );
  assert.match(
    explainPlan(plan, new Map([['flights', { on: true, partialsPerRow: 0.2 }]])),
    'local phase: on again, 0.20 partials a row were measured',
  );
});

test('shows the offset of a window, computed keys, and a kernel without threads', () => {
  const text = job('days')
    .from(source)
    .watermark('date', { outOfOrderMs: 250 })
    .groupBy(f => ({ day: f.date.floorTo('day') }))
    .tumble({ minutes: 90 }, { offset: { hours: -1 } })
    .aggregate(f => ({ worst: max(f.delay) }))
    .to(toArray())
    .explain({ threads: 0 });
  assert.match(text, "kernel on the job's thread");
  assert.match(text, 'partials by FLOOR(date TO DAY), TUMBLE(90 min, offset 30 min): MAX(delay) AS max0');
  assert.match(text, 'at most 250 ms out of order');
});

test.run();
