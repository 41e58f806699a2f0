import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { batchFrom } from '../../lib/data/batch.ts';
import { badRecordPolicies } from '../../lib/kernels/fragment.ts';
import { everyType, rowOfEveryType } from '../support/arbitrary-expression.ts';
import { fragmentOver } from '../support/arbitrary-fragment.ts';
import { objectOf } from '../support/arbitrary-json.ts';
import { agreement, type Outcome } from '../support/fragment-outcome.ts';
import { joined, recordBatch, recordsTask } from '../support/record-batches.ts';
import { suite } from '../support/suite.ts';

const spec = suite('compiled fragments and the interpreter');
const seed = Number(process.env['BRAID_SEED'] ?? Date.now() % 2 ** 31);
const numRuns = Number(process.env['BRAID_RUNS'] ?? 200);
const encoder = new TextEncoder();

interface Seen {
  rows: number;
  bad: number;
  errors: number;
  nulls: number;
}

/** A property that only ever met errors would prove nothing. */
function count(seen: Seen, outcome: Outcome): void {
  if ('code' in outcome) {
    seen.errors++;
    return;
  }
  seen.rows += outcome.rowsPassed;
  seen.bad += outcome.badRecords.length;
  seen.nulls += outcome.rows.flat().filter(value => value === 'object null').length;
}

const newSeen = (): Seen => ({ rows: 0, bad: 0, errors: 0, nulls: 0 });

spec(`agree on columnar batches (BRAID_SEED=${seed})`, () => {
  const seen = newSeen();
  fc.assert(
    fc.property(
      fragmentOver({ kind: 'columns', schema: everyType }),
      fc.array(fc.array(rowOfEveryType, { maxLength: 20 }), { minLength: 1, maxLength: 3 }),
      fc.option(fc.constantFrom(0, 1e12), { nil: undefined }),
      (fragment, batches, lateAt) => {
        const agree = agreement(fragment);
        for (const rows of batches) {
          const names = everyType.fields.map(({ name }) => name);
          const batch = batchFrom(
            everyType,
            rows.map(row => Object.fromEntries(names.map((name, i) => [name, row[i]]))),
          );
          count(seen, agree({ kind: 'columns', batch, lateAt }));
        }
      },
    ),
    { seed, numRuns, includeErrorInReport: true },
  );
  assert.ok(seen.rows > numRuns && seen.nulls > 0, JSON.stringify(seen));
});

for (const badRecords of badRecordPolicies)
  for (const validate of ['structure', 'full'] as const)
    spec(`agree on JSON objects, ${badRecords}, ${validate} (BRAID_SEED=${seed})`, () => {
      const seen = newSeen();
      const record = fc.tuple(
        fc.oneof(
          { weight: 6, arbitrary: objectOf(everyType, { oneIn: badRecords === 'fail' ? 1000 : 40 }) },
          { weight: badRecords === 'fail' ? 0 : 1, arbitrary: objectOf(everyType, { oneIn: 3 }) },
          {
            weight: badRecords === 'fail' ? 0 : 1,
            arbitrary: fc.constantFrom(null, '', '[]', '1', '"a"', '{"x":1', '{}x'),
          },
        ),
        fc.option(fc.constantFrom('', 'k', 'key of a record')),
        fc.option(fc.constant([['tag', encoder.encode('x')] as const, ['none', null] as const]), { nil: undefined }),
      );
      const input = { kind: 'records', schema: everyType, json: { validate, badRecords } } as const;
      fc.assert(
        fc.property(
          fragmentOver(input),
          fc.array(fc.array(record, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 3 }),
          fc.nat(4),
          fc.nat(20),
          (fragment, batches, from, length) => {
            let offset = 0;
            const parts = batches.map(records => {
              const sources = records.map(([value, key, headers]) => ({
                value,
                key,
                ...(headers === undefined ? {} : { headers }),
              }));
              const bytes = recordBatch(sources, offset);
              offset += records.length;
              return bytes;
            });
            const task = recordsTask(joined(...parts), from, from + length);
            count(seen, agreement(fragment)(task));
          },
        ),
        { seed, numRuns, includeErrorInReport: true },
      );
      assert.ok(seen.rows > numRuns / 2 && (badRecords === 'fail' || seen.bad > numRuns / 4), JSON.stringify(seen));
    });

spec(`agree on damaged JSON where every byte is checked (BRAID_SEED=${seed})`, () => {
  const seen = newSeen();
  const input = { kind: 'records', schema: everyType, json: { validate: 'full', badRecords: 'skip' } } as const;
  const damage = fc.array(
    fc.tuple(
      fc.nat(),
      fc.constantFrom('flip', 'drop', 'insert'),
      fc.oneof(fc.nat(255), fc.constantFrom(...encoder.encode('"\\{}[]:,0-.eutn \n'))),
    ),
    { maxLength: 2 },
  );
  fc.assert(
    fc.property(
      fragmentOver(input),
      fc.array(fc.tuple(objectOf(everyType, { oneIn: 1000 }), damage), { minLength: 1, maxLength: 12 }),
      (fragment, documents) => {
        const values = documents.map(([text, damages]) => damaged(encoder.encode(text), damages));
        const task = recordsTask(recordBatch(values.map(value => ({ value }))));
        count(seen, agreement(fragment)(task));
      },
    ),
    { seed, numRuns: numRuns * 2, includeErrorInReport: true },
  );
  assert.ok(seen.rows > numRuns / 2 && seen.bad > numRuns, JSON.stringify(seen));
});

function damaged(bytes: Uint8Array, damages: readonly (readonly [number, string, number])[]): Uint8Array {
  let out = [...bytes];
  for (const [where, kind, byte] of damages) {
    const at = where % (out.length + 1);
    if (kind === 'flip') out[at] = byte;
    else if (kind === 'drop') out.splice(at, 1);
    else out = [...out.slice(0, at), byte, ...out.slice(at)];
  }
  return Uint8Array.from(out);
}

spec.run();
