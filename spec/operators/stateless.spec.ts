import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { BraidError } from '../../lib/base/errors.ts';
import { type Batch, batchFrom, type Row, rowsOf } from '../../lib/data/batch.ts';
import { dataType } from '../../lib/data/data-type.ts';
import type { Schema } from '../../lib/data/schema.ts';
import { call, column, literal } from '../../lib/expressions/build.ts';
import { compileFragment } from '../../lib/kernels/compile.ts';
import type { Fragment } from '../../lib/kernels/fragment.ts';
import { interpretFragment } from '../../lib/kernels/interpret.ts';
import { createFragmentOperator } from '../../lib/operators/fragment-operator.ts';
import type { Operator } from '../../lib/operators/operator.ts';
import { createRowFunction } from '../../lib/operators/row-function.ts';
import type { RowFunctionSpec } from '../../lib/operators/row-function-spec.ts';
import { checkOperator, type OperatorCase, type Step, show } from '../support/operator-harness.ts';
import { suite } from '../support/suite.ts';

const seed = Number(process.env.BRAID_SEED ?? Date.now() % 2 ** 31);
const spec = suite('stateless operators');

const flights: Schema = {
  fields: [
    { name: 'origin', type: dataType('STRING', true) },
    { name: 'delay', type: dataType('INT', false) },
    { name: 'miles', type: dataType('BIGINT', true) },
    { name: 'late', type: dataType('BOOLEAN', false) },
    { name: 'factor', type: dataType('DOUBLE', false) },
    { name: '$time', type: dataType('TIMESTAMP', false) },
  ],
};

const flight: fc.Arbitrary<Row> = fc.record({
  origin: fc.option(fc.constantFrom('LAX', 'JFK', 'ü'), { nil: null }),
  delay: fc.integer({ min: -100, max: 100 }),
  miles: fc.option(fc.oneof(fc.bigInt({ min: -5n, max: 5n }), fc.constant(2n ** 60n)), { nil: null }),
  late: fc.boolean(),
  factor: fc.double(),
  $time: fc.integer(),
});
const batches = fc.array(fc.array(flight, { maxLength: 6 }), { maxLength: 5 });

/** Like batchFrom, with the texts as codes into a dictionary. */
function encoded(batch: Batch): Batch {
  const columns = batch.columns.map(each =>
    each.kind === 'utf8'
      ? ({
          kind: 'dictionary',
          dictionary: { ...each, validity: undefined },
          codes: Int32Array.from(each.starts.keys()),
          validity: each.validity,
        } as const)
      : each,
  );
  return { ...batch, columns };
}

function caseOf(create: () => Operator): OperatorCase<Batch> {
  return {
    create,
    batchOf: batch => batch,
    split: batch => rowsOf(batch).map(row => batchFrom(batch.schema, [row])),
    order: 'exact',
  };
}

function scriptOf(rows: readonly (readonly Row[])[], dictionary = false): Step<Batch>[] {
  return [
    ...rows.map((each): Step<Batch> => {
      const batch = batchFrom(flights, each);
      return { kind: 'batch', input: dictionary ? encoded(batch) : batch };
    }),
    { kind: 'watermark', at: 5 },
    { kind: 'end' },
  ];
}

const selected: Schema = {
  fields: [
    { name: 'origin', type: dataType('STRING', true) },
    { name: 'twice', type: dataType('INT', false) },
  ],
};
const fragment: Fragment = {
  id: 'late only',
  input: { kind: 'columns', schema: flights },
  eventTime: undefined,
  filter: call('>', [column(flights, 'delay'), literal(15)]),
  output: {
    kind: 'rows',
    schema: selected,
    columns: [column(flights, 'origin'), call('*', [column(flights, 'delay'), literal(2)])],
  },
};

for (const [name, compile] of [
  ['the generated kernel', compileFragment],
  ['the interpreter', interpretFragment],
] as const) {
  spec(`a fragment filters and projects with ${name} (BRAID_SEED=${seed})`, () => {
    fc.assert(
      fc.property(batches, rows => {
        const expected = rows.map(each =>
          each
            .filter(row => (row.delay as number) > 15)
            .map((row): Row => ({ origin: row.origin!, twice: (row.delay as number) * 2 })),
        );
        const operator = caseOf(() => createFragmentOperator('late only', compile(fragment)));
        checkOperator(operator, scriptOf(rows), [...expected, [], []]);
      }),
      { seed, numRuns: 100, includeErrorInReport: true },
    );
  });
}

function failure(run: () => unknown): BraidError {
  try {
    run();
  } catch (thrown) {
    assert.instance(thrown, BraidError);
    return thrown as BraidError;
  }
  throw new Error('it did not fail');
}

const open = { full: false, emit: (): void => {} };

spec('a fragment whose row fails names the operator', () => {
  const dividing: Fragment = {
    ...fragment,
    filter: undefined,
    output: {
      kind: 'rows',
      schema: { fields: [{ name: 'ratio', type: dataType('INT', false) }] },
      columns: [call('/', [literal(1), column(flights, 'delay')])],
    },
  };
  const operator = createFragmentOperator('ratios', compileFragment(dividing));
  const row: Row = { origin: null, delay: 0, miles: null, late: false, factor: 0, $time: 0 };
  const error = failure(() => operator.onBatch(batchFrom(flights, [row]), open));
  assert.is(error.code, 'ROW_INVALID');
  assert.match(error.place ?? '', /ratios/);
});

const mapped: Schema = {
  fields: [
    { name: 'label', type: dataType('STRING', false) },
    { name: 'miles', type: dataType('BIGINT', true) },
    { name: '$time', type: dataType('TIMESTAMP', false) },
  ],
};

function mapSpec(fn: (row: Row) => Row): RowFunctionSpec {
  return { kind: 'rowFunction', name: 'label', apply: { kind: 'map', fn }, input: flights, output: mapped, carried: 1 };
}
function filterSpec(fn: (row: Row) => boolean): RowFunctionSpec {
  return {
    kind: 'rowFunction',
    name: 'keep',
    apply: { kind: 'filter', fn },
    input: flights,
    output: flights,
    carried: 1,
  };
}

for (const dictionary of [false, true]) {
  const texts = dictionary ? 'codes' : 'slices';
  spec(`a map function makes rows, and the carried column stays, texts as ${texts} (BRAID_SEED=${seed})`, () => {
    const fn = (row: Row): Row => ({ label: `${row.origin} ${row.delay}`, miles: row.miles!, ignored: 1 });
    fc.assert(
      fc.property(batches, rows => {
        const expected = rows.map(each =>
          each.map((row): Row => ({ label: `${row.origin} ${row.delay}`, miles: row.miles!, $time: row.$time! })),
        );
        checkOperator(
          caseOf(() => createRowFunction(mapSpec(fn))),
          scriptOf(rows, dictionary),
          [...expected, [], []],
        );
      }),
      { seed, numRuns: 100, includeErrorInReport: true },
    );
  });

  spec(`a filter function keeps rows as they are, texts as ${texts} (BRAID_SEED=${seed})`, () => {
    const fn = (row: Row): boolean => row.origin !== 'LAX' && (row.delay as number) > -50;
    fc.assert(
      fc.property(batches, rows => {
        checkOperator(
          caseOf(() => createRowFunction(filterSpec(fn))),
          scriptOf(rows, dictionary),
          [...rows.map(each => each.filter(fn)), [], []],
        );
      }),
      { seed, numRuns: 100, includeErrorInReport: true },
    );
  });
}

const one: Row = { origin: 'LAX', delay: 1, miles: 5n, late: false, factor: 0.5, $time: 7 };

spec('a function sees its columns only, in a row of its own, and each row once', () => {
  const seen: string[] = [];
  const operator = createRowFunction(
    filterSpec(row => {
      seen.push(show(row));
      row.origin = 'changed';
      return true;
    }),
  );
  const out: Row[] = [];
  const batch = batchFrom(flights, [one, one]);
  assert.is(operator.onBatch(batch, { full: true, emit: () => {} }), false);
  assert.equal(seen, [], 'with a full outbox the function is not called');
  operator.onBatch(batch, { full: false, emit: each => out.push(...rowsOf(each)) });
  assert.is(seen.length, 2);
  assert.not.match(seen[0]!, /\$time/);
  assert.equal(out.map(show), [show(one), show(one)]);
});

spec('kinds of change stay with their rows', () => {
  const changes = Uint8Array.of(0, 3, 2);
  const batch = { ...batchFrom(flights, [one, { ...one, delay: 2 }, { ...one, delay: 3 }]), changes };
  const out: Batch[] = [];
  const outbox = { full: false, emit: (each: Batch) => out.push(each) };
  createRowFunction(filterSpec(row => row.delay !== 1)).onBatch(batch, outbox);
  createRowFunction(mapSpec(() => ({ label: 'x', miles: null }))).onBatch(batch, outbox);
  assert.equal([...out[0]!.changes!], [3, 2]);
  assert.equal([...out[1]!.changes!], [...changes]);
});

const failing: readonly (readonly [what: string, of: RowFunctionSpec, code: string, message: RegExp, hint: RegExp])[] =
  [
    [
      'throws',
      mapSpec(() => {
        throw new TypeError('no such thing');
      }),
      'ROW_FUNCTION_FAILED',
      /label failed: no such thing/,
      /^$/,
    ],
    [
      'throws what is no error',
      filterSpec(() => {
        throw 'words';
      }),
      'ROW_FUNCTION_FAILED',
      /keep failed: words/,
      /^$/,
    ],
    [
      'is asynchronous',
      mapSpec((async () => ({})) as unknown as (row: Row) => Row),
      'ROW_FUNCTION_FAILED',
      /returned a promise/,
      /synchronous/,
    ],
    [
      'is an asynchronous filter, whose promise would count as true',
      filterSpec((async () => false) as unknown as (row: Row) => boolean),
      'ROW_FUNCTION_FAILED',
      /returned a promise/,
      /synchronous/,
    ],
    [
      'gives no row',
      mapSpec((() => undefined) as unknown as (row: Row) => Row),
      'ROW_FUNCTION_FAILED',
      /returned undefined instead of a row/,
      /return an object/,
    ],
    [
      'gives neither true nor false',
      filterSpec((() => 1) as unknown as (row: Row) => boolean),
      'ROW_FUNCTION_FAILED',
      /returned number instead of true or false/,
      /Boolean/,
    ],
    [
      'gives a column of another type',
      mapSpec(() => ({ label: 5, miles: 1n })),
      'ROW_INVALID',
      /not a STRING/,
      /STRING/,
    ],
    ['leaves a column out', mapSpec(() => ({ miles: 1n })), 'ROW_INVALID', /not a STRING NOT NULL/, /STRING|NULL/],
  ];

for (const [what, of, code, message, hint] of failing) {
  spec(`a function that ${what} fails the job by name`, () => {
    const error = failure(() => createRowFunction(of).onBatch(batchFrom(flights, [one]), open));
    assert.is(error.code, code);
    assert.match(error.message, message);
    assert.match(error.hint ?? '', hint);
    assert.match(error.place ?? '', code === 'ROW_INVALID' ? /^label\.label$/ : /^(label|keep), row \{"origin":"LAX"/);
  });
}

spec.run();
