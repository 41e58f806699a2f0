import fc from 'fast-check';
import * as assert from 'uvu/assert';
import type { BraidError } from '../../lib/base/errors.ts';
import { type Row, rowsOf } from '../../lib/data/batch.ts';
import { type DataType, dataType, type TypeName, type Value } from '../../lib/data/data-type.ts';
import { keyGroupOf } from '../../lib/data/key-hash.ts';
import { call, columnAt, literal } from '../../lib/expressions/build.ts';
import { compileFragment } from '../../lib/kernels/compile.ts';
import { interpretFragment } from '../../lib/kernels/interpret.ts';
import type { PartialInput } from '../../lib/operators/operator.ts';
import { createWindowAggregate, windowClosed } from '../../lib/operators/window-aggregate.ts';
import type { WindowAggregateSpec } from '../../lib/operators/window-aggregate-spec.ts';
import {
  type Accumulation,
  aggregateNaively,
  type Event,
  type EventStep,
  type Handover,
  partialScript,
  takePartials,
  windowAggregateSpec,
} from '../support/naive-aggregate.ts';
import { checkOperator, type OperatorCase, type Step } from '../support/operator-harness.ts';
import { suite } from '../support/suite.ts';

const seed = Number(process.env.BRAID_SEED ?? Date.now() % 2 ** 31);
const spec = suite('window aggregate');

const plain: Handover = { local: false, dictionary: false, wide: false, hash: hash => hash };
const byWindow = (row: Row): string => String(row.window);

function caseOf(of: WindowAggregateSpec, outputRowsMax = 3, compile = interpretFragment): OperatorCase<PartialInput> {
  return {
    create: () => createWindowAggregate(of, compile, outputRowsMax),
    batchOf: input => input.batch,
    split: input => Array.from({ length: input.batch.rows }, (_, row) => takePartials(input, at => at === row)),
    restrict: (input, owns) => takePartials(input, row => owns(keyGroupOf(input.hashes![row]!))),
    order: byWindow,
  };
}

const safe = 2n ** 53n;
const values: Readonly<Record<TypeName, fc.Arbitrary<Value>>> = {
  BOOLEAN: fc.boolean(),
  INT: fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constantFrom(2147483647, -2147483648)),
  BIGINT: fc.oneof(
    { weight: 6, arbitrary: fc.bigInt({ min: -3n, max: 3n }) },
    { weight: 2, arbitrary: fc.constantFrom(safe - 1n, 1n - safe, safe - 2n) },
    { weight: 1, arbitrary: fc.constantFrom(safe, -safe - 1n, 2n ** 63n - 1n, -(2n ** 63n)) },
  ),
  DOUBLE: fc.constantFrom(0, -0, 1, -1, 0.5, Number.NaN, Infinity, -Infinity, 1e300),
  STRING: fc.constantFrom(
    '',
    'a',
    'b',
    'ab',
    'LAX',
    'JFK',
    'ü',
    '\uffff',
    '\u{10000}',
    'a rather long text, for the heap',
  ),
  TIMESTAMP: fc.constantFrom(0, -1, 1, 978307200000),
};
/** Sums of these are exact, in whatever order they are added. */
const exactDouble = fc.integer({ min: -1000, max: 1000 }).map(value => value / 4);

const keyTypes: fc.Arbitrary<DataType[]> = fc
  .oneof(
    fc.constantFrom<TypeName[]>(
      ['STRING'],
      ['BIGINT'],
      ['INT'],
      ['DOUBLE'],
      [],
      ['STRING', 'INT'],
      ['BIGINT', 'BOOLEAN', 'TIMESTAMP'],
    ),
    fc.array(fc.constantFrom<TypeName>('BOOLEAN', 'INT', 'BIGINT', 'DOUBLE', 'STRING', 'TIMESTAMP'), { maxLength: 3 }),
  )
  .chain(names => fc.boolean().map(nullable => names.map(name => dataType(name, nullable))));

const accumulation: fc.Arbitrary<Accumulation> = fc.oneof(
  fc.record({ op: fc.constant('count' as const), type: fc.constant(dataType('BIGINT', false)) }),
  fc.record({
    op: fc.constant('sum' as const),
    type: fc.tuple(fc.constantFrom<TypeName>('INT', 'BIGINT', 'DOUBLE'), fc.boolean()).map(([n, b]) => dataType(n, b)),
  }),
  fc.record({
    op: fc.constantFrom('min' as const, 'max' as const),
    type: fc
      .tuple(fc.constantFrom<TypeName>('INT', 'BIGINT', 'DOUBLE', 'STRING', 'TIMESTAMP'), fc.boolean())
      .map(([n, b]) => dataType(n, b)),
  }),
);

function valueFor(type: DataType, of: fc.Arbitrary<Value> = values[type.name]): fc.Arbitrary<Value> {
  return type.nullable ? fc.option(of, { freq: 3, nil: null }) : of;
}

function argumentOf({ op, type }: Accumulation): fc.Arbitrary<Value> {
  if (op === 'count') return fc.option(fc.constant(1), { freq: 3, nil: null });
  return valueFor(type, op === 'sum' && type.name === 'DOUBLE' ? exactDouble : values[type.name]);
}

function scriptOf(keys: readonly DataType[], accumulations: readonly Accumulation[]): fc.Arbitrary<EventStep[]> {
  const event: fc.Arbitrary<Event> = fc.record({
    time: fc.oneof(
      { weight: 20, arbitrary: fc.integer({ min: -20, max: 60 }) },
      { weight: 1, arbitrary: fc.constant(1e12) },
    ),
    keys: fc.tuple(...keys.map(type => valueFor(type))),
    values: fc.tuple(...accumulations.map(argumentOf)),
  });
  const step: fc.Arbitrary<EventStep> = fc.oneof(
    { weight: 3, arbitrary: fc.array(event, { maxLength: 12 }).map(events => ({ kind: 'batch', events }) as const) },
    { weight: 1, arbitrary: fc.integer({ min: -30, max: 70 }).map(at => ({ kind: 'watermark', at }) as const) },
  );
  return fc.array(step, { maxLength: 8 }).map(steps => [...steps, { kind: 'end' }]);
}

const handover: fc.Arbitrary<Handover> = fc.record({
  local: fc.boolean(),
  dictionary: fc.boolean(),
  wide: fc.boolean(),
  hash: fc.constantFrom(
    (hash: number) => hash,
    // Collisions of the whole hash, of the tag alone, and of the key group alone.
    (hash: number) => hash & 3,
    (hash: number) => hash & 0xffff,
    (hash: number) => hash & ~127,
  ),
});

const scenario = fc.tuple(keyTypes, fc.array(accumulation, { maxLength: 4 })).chain(([keys, accumulations]) =>
  fc.record({
    keys: fc.constant(keys),
    accumulations: fc.constant(accumulations),
    window: fc.record({ sizeMs: fc.constantFrom(1, 7, 10), offsetMs: fc.constantFrom(0, 3) }),
    script: scriptOf(keys, accumulations),
    handover,
  }),
);

spec(`equals a Map, run in every way (BRAID_SEED=${seed})`, () => {
  fc.assert(
    fc.property(scenario, ({ keys, accumulations, window, script, handover }) => {
      const of = windowAggregateSpec(keys, accumulations, window);
      checkOperator(caseOf(of), partialScript(of, script, handover), aggregateNaively(of, script));
    }),
    { seed, numRuns: 150, includeErrorInReport: true },
  );
});

spec(`finishes groups with the generated kernel, filter and all (BRAID_SEED=${seed})`, () => {
  const keys = [dataType('STRING', true)];
  const accumulations: Accumulation[] = [{ op: 'count', type: dataType('BIGINT', false) }];
  fc.assert(
    fc.property(scriptOf(keys, accumulations), script => {
      const of = windowAggregateSpec(keys, accumulations, { sizeMs: 10, offsetMs: 0 }, schema =>
        call('>', [columnAt(schema, 2), literal(1n)]),
      );
      const expected = aggregateNaively(of, script).map(rows => rows.filter(row => (row.count0 as bigint) > 1n));
      checkOperator(caseOf(of, 3, compileFragment), partialScript(of, script, plain), expected);
    }),
    { seed, numRuns: 50, includeErrorInReport: true },
  );
});

const bigint = dataType('BIGINT', false);
const counting = windowAggregateSpec([bigint], [{ op: 'count', type: bigint }], { sizeMs: 10, offsetMs: 0 });

function events(...of: readonly (readonly [time: number, key: bigint])[]): EventStep {
  return { kind: 'batch', events: of.map(([time, key]) => ({ time, keys: [key], values: [1n] })) };
}

function inputsOf(of: WindowAggregateSpec, ...script: EventStep[]): PartialInput[] {
  return partialScript(of, script, plain).flatMap(step => (step.kind === 'batch' ? [step.input] : []));
}

function collect(): { rows: Row[]; batches: number[]; full: boolean; emit(batch: Parameters<typeof rowsOf>[0]): void } {
  return {
    rows: [],
    batches: [],
    full: false,
    emit(batch) {
      this.rows.push(...rowsOf(batch));
      this.batches.push(batch.rows);
    },
  };
}

spec('a window closes with the watermark of its last millisecond, and what comes then is late', () => {
  const operator = createWindowAggregate(counting, interpretFragment);
  const [early, late] = inputsOf(counting, events([0, 1n], [9, 1n]), events([5, 1n], [10, 2n]));
  const out = collect();
  operator.onBatch(early!, out);
  operator.onWatermark(8, out);
  assert.is(out.rows.length, 0);
  operator.onWatermark(9, out);
  assert.equal(
    out.rows.map(row => row.count0),
    [2n],
  );
  operator.onBatch(late!, out);
  assert.is(operator.latePartials, 1);
  assert.is(operator.openWindows, 1);
  assert.ok(windowClosed(0, 10, 9));
  assert.not.ok(windowClosed(0, 10, 8));
  operator.onWatermark(3, out);
  assert.is(operator.watermark, 9);
});

spec('small windows share a batch and large ones take several', () => {
  const operator = createWindowAggregate(counting, interpretFragment, 4);
  const large = Array.from({ length: 10 }, (_, i) => [25, BigInt(i)] as const);
  const [input] = inputsOf(counting, events([0, 1n], [10, 1n], ...large, [30, 1n]));
  const out = collect();
  operator.onBatch(input!, out);
  assert.is(operator.groups, 13);
  assert.ok(operator.stateBytes > 0);
  operator.onWatermark(Number.POSITIVE_INFINITY, out);
  assert.equal(out.batches, [4, 4, 4, 1]);
  assert.equal([...new Set(out.rows.map(byWindow))], ['0', '10', '20', '30']);
  assert.is(operator.openWindows, 0);
  assert.is(operator.groups, 0);
});

spec('memory of closed windows is used again', () => {
  const operator = createWindowAggregate(counting, interpretFragment);
  const out = collect();
  let bytes = 0;
  for (let window = 0; window < 200; window++) {
    const many = Array.from({ length: 100 }, (_, i) => [window * 10, BigInt(i * window)] as const);
    operator.onBatch(inputsOf(counting, events(...many))[0]!, out);
    operator.onWatermark(window * 10 + 9, out);
    if (window === 2) bytes = operator.stateBytes;
  }
  assert.is(operator.stateBytes, bytes);
});

spec('state of another aggregate, another window and another version is refused', () => {
  const snapshot = createWindowAggregate(counting, interpretFragment).snapshot();
  const codeOf = (run: () => void): string => {
    try {
      run();
    } catch (thrown) {
      return (thrown as BraidError).code;
    }
    return 'none';
  };
  const other = windowAggregateSpec([bigint], [{ op: 'sum', type: bigint }], counting.window);
  assert.is(
    codeOf(() => createWindowAggregate(other, interpretFragment).restore(snapshot)),
    'SCHEMA_MISMATCH',
  );
  const wider = windowAggregateSpec([bigint], [{ op: 'count', type: bigint }], { sizeMs: 20, offsetMs: 0 });
  assert.is(
    codeOf(() => createWindowAggregate(wider, interpretFragment).restore(snapshot)),
    'SCHEMA_MISMATCH',
  );
  const operator = createWindowAggregate(counting, interpretFragment);
  assert.is(
    codeOf(() => operator.restore({ ...snapshot, version: 99 })),
    'SNAPSHOT_CORRUPT',
  );
  assert.is(
    codeOf(() => operator.restore({ ...snapshot, meta: { ...snapshot.meta, watermark: 'x' } })),
    'SNAPSHOT_CORRUPT',
  );
  assert.is(
    codeOf(() => operator.restore({ ...snapshot, keyGroups: new Map([[3, new Uint8Array(80)]]) })),
    'SNAPSHOT_CORRUPT',
  );
});

spec('a script without events gives nothing', () => {
  const script: Step<PartialInput>[] = [{ kind: 'watermark', at: 5 }, { kind: 'end' }];
  checkOperator(caseOf(counting), script, [[], []]);
});

spec.run();
