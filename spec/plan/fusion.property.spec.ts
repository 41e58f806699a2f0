import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { dataType, type TypeName, typeNames, type Value } from '../../lib/data/data-type.ts';
import type { Schema } from '../../lib/data/schema.ts';
import { columnAt } from '../../lib/expressions/build.ts';
import type { Expression } from '../../lib/expressions/expression.ts';
import { interpret } from '../../lib/expressions/interpret.ts';
import type { Fragment } from '../../lib/kernels/fragment.ts';
import type { KafkaSourceNode, LogicalNode } from '../../lib/plan/logical.ts';
import { planJob } from '../../lib/plan/planner.ts';
import { rewrite } from '../../lib/plan/rewrite.ts';
import { everyType, expressionOf, rowOfEveryType } from '../support/arbitrary-expression.ts';
import { suite } from '../support/suite.ts';

const test = suite('fusion', 60_000);
const seed = Number(process.env.BRAID_SEED ?? Date.now() % 1_000_000_000);
console.log(`seed ${seed}`);

const source: KafkaSourceNode = {
  kind: 'kafkaSource',
  name: 'source',
  schema: everyType,
  topic: 'source',
  clusters: [{ name: 'one', brokers: ['localhost:9092'] }],
  json: { validate: 'structure', badRecords: 'fail' },
  options: {
    startFrom: 'earliest',
    bounded: true,
    recordsPerSecondMax: Number.POSITIVE_INFINITY,
    prefetchBytesMax: 1 << 20,
    suspectAfterMs: 400,
    holdWatermarkMs: 0,
    idleAfterMs: undefined,
  },
};

type Step = { readonly filter: Expression } | { readonly columns: readonly Expression[] };

/**
 * Random expressions are over `everyType`, so a projection yields that schema again: column c of a step is any expression
 * of the type of column c. NOT NULL columns stay nullable ones then, which is what the plan says too.
 */
const nullableEvery: Schema = {
  fields: everyType.fields.map(field => ({ name: field.name, type: dataType(field.type.name, true) })),
};
const step: fc.Arbitrary<Step> = fc.oneof(
  expressionOf('BOOLEAN', 2).map(filter => ({ filter })),
  fc.tuple(fc.constantFrom(...typeNames), fc.nat({ max: 1 })).chain(([name, second]) =>
    expressionOf(name as TypeName, 1).map(expression => ({
      columns: everyType.fields.map((field, c) =>
        field.type.name === name && c % 2 === second ? expression : columnAt(everyType, c),
      ),
    })),
  ),
);
/** The same step where columns may hold NULL, since a projection may have put one there. */
function overNullable(expression: Expression): Expression {
  return rewrite(expression, column => columnAt(nullableEvery, column.index));
}

function chain(steps: readonly Step[], last: readonly number[]): LogicalNode {
  let node: LogicalNode = source;
  steps.forEach((each, i) => {
    const input: LogicalNode = node;
    node =
      'filter' in each
        ? { kind: 'filter', name: `f${i}`, schema: nullableEvery, input, condition: overNullable(each.filter) }
        : { kind: 'project', name: `p${i}`, schema: nullableEvery, input, columns: each.columns.map(overNullable) };
  });
  const columns = last.map(c => columnAt(nullableEvery, c));
  const schema = { fields: last.map(c => nullableEvery.fields[c]!) };
  return { kind: 'project', name: 'last', schema, input: node, columns };
}

/** One row through the steps, one after the other; undefined where a filter drops it. */
function stepwise(steps: readonly Step[], last: readonly number[], row: readonly Value[]): Value[] | undefined {
  let current = row;
  for (const each of steps) {
    const now = current;
    if ('filter' in each) {
      if (interpret(overNullable(each.filter), c => now[c]!) !== true) return undefined;
    } else current = each.columns.map(column => interpret(overNullable(column), c => now[c]!));
  }
  return last.map(c => current[c]!);
}

/** The same row through the fragment that the plan made of all of them. */
function fused({ input, filter, output }: Fragment, row: readonly Value[]): Value[] | undefined {
  if (output.kind !== 'rows') throw new Error('rows were expected');
  const scanned = input.schema.fields.map(
    field => row[everyType.fields.findIndex(({ name }) => name === field.name)] as Value,
  );
  const at = (column: number): Value => scanned[column]!;
  if (filter !== undefined && interpret(filter, at) !== true) return undefined;
  return output.columns.map(column => interpret(column, at));
}

test('one loop over the columns that are used gives what the steps give one after the other', () => {
  const lastColumns = fc.uniqueArray(fc.nat({ max: everyType.fields.length - 1 }), { minLength: 1, maxLength: 4 });
  let compared = 0;
  let narrowed = 0;
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 4 }),
      lastColumns,
      fc.array(rowOfEveryType, { minLength: 1, maxLength: 8 }),
      (steps, last, rows) => {
        const { head } = planJob({
          job: 'fusion',
          sink: { kind: 'collectorSink', name: 'sink', input: chain(steps, last), onBatch() {}, onEnd() {} },
          options: { threads: 0, onLateRows: undefined, onDeadLetter: undefined },
        }).source;
        if (head.input.schema.fields.length < everyType.fields.length) narrowed++;
        for (const row of rows) {
          let expected: Value[] | undefined;
          try {
            expected = stepwise(steps, last, row);
          } catch {
            continue; // A column that fails and is not used later is not computed any more.
          }
          compared++;
          assert.equal(fused(head, row), expected);
        }
      },
    ),
    { seed, numRuns: 400 },
  );
  assert.ok(compared > 500, `only ${compared} rows were compared`);
  assert.ok(narrowed > 100, `only ${narrowed} plans scan less than everything`);
});

test.run();
