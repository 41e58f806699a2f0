import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { typeNames, type Value } from '../../lib/data/data-type.ts';
import { formatExpression } from '../../lib/expressions/format.ts';
import { everyType, expressionOf, rowOfEveryType } from '../support/arbitrary-expression.ts';
import { evaluator, type Outcome } from '../support/evaluate-expression.ts';
import { suite } from '../support/suite.ts';

const spec = suite('generated code and the interpreter');
const seed = Number(process.env['BRAID_SEED'] ?? Date.now() % 2 ** 31);
const runs = Number(process.env['BRAID_RUNS'] ?? 400);

function same(a: Outcome, b: Outcome): boolean {
  if ('error' in a || 'error' in b) return 'error' in a && 'error' in b && a.error === b.error;
  return Object.is(a.value, b.value);
}

function shown(row: readonly Value[]): string {
  return everyType.fields
    .map(({ name }, i) => `${name}=${String(row[i])}${Object.is(row[i], -0) ? ' (-0)' : ''}`)
    .join(', ');
}

for (const name of typeNames) {
  spec(`agree on random ${name} trees and rows (BRAID_SEED=${seed})`, () => {
    const seen = { values: 0, nulls: 0, errors: 0, narrow: 0, bailed: 0 };
    fc.assert(
      fc.property(expressionOf(name, 3), fc.array(rowOfEveryType, { minLength: 1, maxLength: 12 }), (tree, rows) => {
        const evaluate = evaluator(tree, everyType);
        for (const row of rows) {
          const { interpreted, wide, narrow } = evaluate(row);
          const context = `${formatExpression(tree, everyType)} over ${shown(row)}`;
          assert.ok(same(interpreted, wide), `wide: ${JSON.stringify([interpreted, wide], text)} of ${context}`);
          if (narrow === 'bailed') seen.bailed++;
          else if (narrow !== 'unfit') {
            seen.narrow++;
            assert.ok(
              same(interpreted, narrow),
              `narrow: ${JSON.stringify([interpreted, narrow], text)} of ${context}`,
            );
          }
          if ('error' in interpreted) seen.errors++;
          else if (interpreted.value === null) seen.nulls++;
          else seen.values++;
          assert.ok(
            tree.type.nullable || !('value' in interpreted) || interpreted.value !== null,
            `NULL, but ${name} NOT NULL: ${context}`,
          );
        }
      }),
      { seed, numRuns: runs },
    );
    // A property that only ever met NULLs or errors would prove nothing.
    assert.ok(seen.values > runs && seen.nulls > 0 && seen.narrow > runs, JSON.stringify(seen));
  });
}

function text(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' || typeof value === 'number' ? `${String(value)} ${typeof value}` : value;
}

spec.run();
