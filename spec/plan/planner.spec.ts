import * as assert from 'uvu/assert';
import { BraidError } from '../../lib/base/errors.ts';
import { formatExpression } from '../../lib/expressions/format.ts';
import { avg, count, job, kafka, max, rows, schema, sum, t } from '../../lib/index.ts';
import type { Fragment } from '../../lib/kernels/fragment.ts';
import type { LogicalNode } from '../../lib/plan/logical.ts';
import { planJob } from '../../lib/plan/planner.ts';
import { planOf } from '../support/plan-of.ts';
import { suite } from '../support/suite.ts';

const test = suite('planner');

const flights = schema({
  date: t.timestamp(),
  delay: t.int(),
  distance: t.int(),
  origin: t.string(),
  destination: t.string(),
});
const clusters = [{ name: 'east', brokers: ['localhost:9092'] }];
const fromKafka = job('flights').from(kafka({ topic: 'flights', clusters, schema: flights, bounded: true }));
const fromRows = job('flights').from(rows(flights, []));
const names = (fragment: Fragment): string[] => fragment.input.schema.fields.map(field => field.name);
const outputs = ({ input, output }: Fragment): string[] =>
  output.kind === 'rows'
    ? output.columns.map(column => formatExpression(column, input.schema))
    : output.keys.map(key => formatExpression(key, input.schema));
const filterOf = ({ input, filter }: Fragment): string | undefined => filter && formatExpression(filter, input.schema);

const hourly = fromKafka
  .watermark('date', { outOfOrderMs: 5 })
  .where(f => f.delay.isNotNull())
  .groupBy('origin')
  .tumble({ hours: 1 })
  .aggregate(f => ({ flights: count(), mean: avg(f.delay.toDouble()) }));

test('the scanner is asked only for the fields that are used', () => {
  const { head } = planOf(fromKafka.where(f => f.destination.eq('SEA')).select('origin')).source;
  assert.equal(names(head), ['origin', 'destination']);
  assert.equal(outputs(head), ['origin']);
  assert.is(filterOf(head), "destination = 'SEA'");
});

test('a field that a dropped projection computed is not scanned', () => {
  const { head } = planOf(fromKafka.select(f => ({ a: f.delay, b: f.distance.times(2) })).select('b')).source;
  assert.equal(names(head), ['distance']);
  assert.equal(outputs(head), ['distance * 2']);
});

test('a condition that can fail is not looked at where the one before it is NULL, since that row is gone', () => {
  const fails = planOf(fromKafka.where(f => f.delay.gt(0)).where(f => f.distance.div(f.delay).gt(1))).source.head;
  assert.is(filterOf(fails), 'COALESCE(delay > 0, FALSE) AND distance / delay > 1');
  const cannot = planOf(fromKafka.where(f => f.delay.gt(0)).where(f => f.distance.gt(1))).source.head;
  assert.is(filterOf(cannot), 'delay > 0 AND distance > 1');
});

test('rows from memory are read as they are declared', () => {
  assert.equal(names(planOf(fromRows.select('origin')).source.head), [
    'date',
    'delay',
    'distance',
    'origin',
    'destination',
  ]);
});

test('projections and filters before an aggregate become one loop with it', () => {
  const { source, operators } = planOf(
    fromKafka
      .watermark('date')
      .select(f => ({ where: f.origin.lower(), minutes: f.delay.times(60) }))
      .where(f => f.minutes.gt(0))
      .groupBy('where')
      .tumble({ hours: 1 })
      .aggregate(f => ({ minutes: sum(f.minutes) })),
  );
  assert.is(filterOf(source.head), 'delay * 60 > 0');
  assert.equal(outputs(source.head), ['LOWER(origin)']);
  assert.equal(names(source.head), ['date', 'delay', 'origin']);
  assert.equal(
    operators.map(operator => operator.kind),
    ['windowAggregate'],
  );
});

test('an aggregate has a local phase in the head, and the same head without it', () => {
  const { head, headOneByOne, outOfOrderMs } = planOf(hourly).source;
  assert.is(head.output.kind === 'partial' && head.output.local, true);
  assert.is(headOneByOne?.output.kind === 'partial' && headOneByOne.output.local, false);
  assert.equal({ ...headOneByOne?.output, local: true }, head.output);
  assert.is(outOfOrderMs, 5);
  assert.is.not(head.id, headOneByOne?.id);
});

test('partials are window, keys and accumulators, and the finish makes the rows of them', () => {
  const { operators, source } = planOf(hourly.select(r => ({ from: r.origin, twice: r.mean.times(2) })));
  const [aggregate] = operators;
  assert.is(operators.length, 1);
  if (aggregate?.kind !== 'windowAggregate' || source.head.output.kind !== 'partial') return assert.unreachable();
  assert.equal(
    aggregate.partials.fields.map(field => field.name),
    ['windowStart', 'origin', 'count0', 'sum1', 'count2'],
  );
  assert.equal(source.head.output.schema, aggregate.partials);
  assert.equal(aggregate.accumulators.length, 3);
  assert.is(aggregate.keys, 1);
  assert.equal(outputs(aggregate.finish), ['origin', 'sum1 / CAST(count2 AS DOUBLE) * 2.0']);
});

test('late rows are read again whole, with the filter of the head', () => {
  const { head, late } = planOf(hourly).source;
  assert.equal(names(head), ['date', 'delay', 'origin']);
  assert.equal(late && names(late), ['date', 'delay', 'distance', 'origin', 'destination']);
  assert.equal(late && outputs(late), ['date', 'delay', 'distance', 'origin', 'destination']);
  assert.is(late && filterOf(late), 'delay IS NOT NULL');
  assert.equal(late?.output.kind === 'rows' && late.output.lateWindow, { sizeMs: 3_600_000, offsetMs: 0 });
});

test('a late row never fails a job: a wrong field that only the late output has makes it a dead letter', () => {
  const { head, late } = planOf(hourly).source;
  assert.is(head.input.kind === 'records' && head.input.json.badRecords, 'fail');
  assert.is(late?.input.kind === 'records' && late.input.json.badRecords, 'skip');
});

test('without an aggregate the head yields rows, nothing can be late, and there are no operators', () => {
  const { source, operators } = planOf(fromKafka.watermark('date').select('origin'));
  assert.is(source.head.output.kind, 'rows');
  assert.equal([source.headOneByOne, source.late], [undefined, undefined]);
  assert.equal(operators, []);
  assert.equal(names(source.head), ['date', 'origin']);
});

test('a row function is an operator; what stands behind it is a kernel of its own', () => {
  const { source, operators } = planOf(
    fromKafka
      .where(f => f.delay.gt(15))
      .map(row => ({ origin: row.origin, delay: row.delay, distance: null }), flights)
      .where(f => f.distance.isNull())
      .select('origin'),
  );
  assert.equal(
    operators.map(({ kind, name }) => `${kind} ${name}`),
    ['rowFunction map', 'fragment where-2'],
  );
  assert.is(filterOf(source.head), 'delay > 15');
  const [map] = operators;
  assert.is(map?.kind === 'rowFunction' && map.carried, 0);
});

test('two row functions in a row have nothing between them', () => {
  const { operators } = planOf(fromRows.filter(() => true).filter(() => true));
  assert.equal(
    operators.map(({ name }) => name),
    ['filter', 'filter-2'],
  );
});

test('behind a row function the aggregate has its local phase there, and event time is carried around the function', () => {
  const { source, operators } = planOf(
    fromKafka
      .watermark('date')
      .map(row => ({ code: row.origin }), schema({ code: t.string() }))
      .where(f => f.code.isNotNull())
      .groupBy('code')
      .tumble({ hours: 1 })
      .aggregate(() => ({ n: count() })),
  );
  assert.equal(
    operators.map(({ kind }) => kind),
    ['rowFunction', 'localAggregate', 'windowAggregate'],
  );
  assert.is(source.headOneByOne, undefined);
  assert.equal(outputs(source.head), ['date', 'delay', 'distance', 'origin', 'destination', 'date']);
  const [map, local] = operators;
  if (map?.kind !== 'rowFunction' || local?.kind !== 'localAggregate') return assert.unreachable();
  assert.is(map.carried, 1);
  assert.is(map.input.fields.length, 6);
  assert.equal(
    map.output.fields.map(field => field.name),
    ['code', '$eventTime'],
  );
  assert.equal(local.fragment.eventTime, { kind: 'column', index: 1, type: { name: 'TIMESTAMP', nullable: true } });
  assert.equal(outputs(local.late), ['code']);
  assert.is(filterOf(local.late), 'code IS NOT NULL');
});

test('ids of fragments are unique within a job', () => {
  const plan = planOf(
    fromKafka
      .watermark('date')
      .map(row => row, flights)
      .groupBy('origin')
      .tumble({ hours: 1 })
      .aggregate(f => ({ n: count(), worst: max(f.delay) }))
      .filter(() => true)
      .select('n'),
  );
  const fragments: (Fragment | undefined)[] = [plan.source.head, plan.source.headOneByOne, plan.source.late];
  for (const operator of plan.operators) {
    if (operator.kind === 'fragment') fragments.push(operator.fragment);
    if (operator.kind === 'windowAggregate') fragments.push(operator.finish);
    if (operator.kind === 'localAggregate') fragments.push(operator.fragment, operator.fragmentOneByOne, operator.late);
  }
  const ids = fragments.filter(fragment => fragment !== undefined).map(({ id }) => id);
  assert.is(ids.length, 6);
  assert.is(new Set(ids).size, ids.length);
});

test('a plan is plain data, so that its fragments can be posted to workers', () => {
  const { head, late } = planOf(hourly).source;
  assert.equal(structuredClone(head), head);
  assert.equal(structuredClone(late), late);
});

function planError(build: () => unknown): BraidError {
  try {
    build();
  } catch (thrown) {
    if (thrown instanceof BraidError) return thrown;
  }
  return assert.unreachable('no BraidError was thrown') as never;
}

test('what cannot run is PLAN_INVALID, said where it is written', () => {
  const cases: [string, () => unknown][] = [
    ['no watermark is declared before it', () => fromKafka.groupBy('origin').tumble({ hours: 1 })],
    ['the watermark stands behind where', () => fromKafka.where(f => f.delay.gt(1)).watermark('date')],
    ['the watermark stands behind map', () => fromKafka.map(row => row, flights).watermark('date')],
    ['the watermark is declared twice', () => fromKafka.watermark('date').watermark('date')],
    ['the watermark is declared twice', () => hourly.watermark('windowStart')],
    ['an aggregate of an aggregate', () => hourly.groupBy('origin').tumble({ days: 1 })],
    ['two operators are called flights', () => fromKafka.where(f => f.delay.gt(1)).named('flights')],
  ];
  for (const [sentence, build] of cases) {
    const error = planError(build);
    assert.is(error.code, 'PLAN_INVALID', sentence);
    assert.match(error.message, sentence);
    assert.ok(error.place !== undefined);
  }
});

test('a projection that doubles itself again and again is refused before it fills the memory', () => {
  let node: LogicalNode = fromKafka.node;
  let stream = fromKafka.select(f => ({ x: f.delay }));
  const error = planError(() => {
    for (let i = 0; i < 40; i++) stream = stream.select(f => ({ x: f.x.plus(f.x) }));
    node = stream.node;
    planJob({
      job: 'doubling',
      sink: { kind: 'collectorSink', name: 'sink', input: node, onBatch() {}, onEnd() {} },
      options: { threads: 0, onLateRows: undefined, onDeadLetter: undefined },
    });
  });
  assert.is(error.code, 'PLAN_INVALID');
});

test.run();
