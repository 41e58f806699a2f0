import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { agreement } from '../support/fragment-outcome.ts';
import { joined, recordBatch, recordsTask } from '../support/record-batches.ts';
import { rowFragment, schemaFrom } from '../support/row-fragment.ts';
import { suite } from '../support/suite.ts';

const spec = suite('kernels over damaged record batches');
const seed = Number(process.env['BRAID_SEED'] ?? Date.now() % 2 ** 31);
const numRuns = Number(process.env['BRAID_RUNS'] ?? 3000);
const schema = schemaFrom({ id: 'INT', s: 'STRING NULL' });
const fragment = rowFragment(schema, { badRecords: 'skip', validate: 'full' });
const sound = joined(
  recordBatch(
    [{ value: '{"id":1,"s":"a"}' }, { value: null, key: 'k' }, { value: '{"id":3}', headers: [['h', null]] }],
    0,
  ),
  recordBatch(
    [
      { value: '{"s":"\\u00e9","id":4}', timestamp: 1e12 },
      { value: '{"id":5}', key: 'x'.repeat(70) },
    ],
    3,
  ),
);

spec(`read what the reference reads, and refuse what it refuses (BRAID_SEED=${seed})`, () => {
  const agree = agreement(fragment);
  const seen = { refused: 0, read: 0 };
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(sound.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 }), damages => {
      const bytes = sound.slice();
      for (const [at, byte] of damages) bytes[at] = byte;
      // Without the CRC, or every damage would be found before the records are looked at.
      const task = { ...recordsTask(bytes), checkCrc: false };
      const expected = agree(task);
      seen['code' in expected ? 'refused' : 'read']++;
      agree({ ...task, end: damages[0]![0] });
    }),
    { seed, numRuns, includeErrorInReport: true },
  );
  assert.ok(seen.refused > numRuns / 10 && seen.read > numRuns / 10, JSON.stringify(seen));
});

spec.run();
