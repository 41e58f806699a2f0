import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { rowsByWindow } from '../../lib/operators/rows-by-window.ts';
import { suite } from '../support/suite.ts';

const seed = Number(process.env.BRAID_SEED ?? Date.now() % 2 ** 31);
const spec = suite('rows by window');

const scenario = fc.record({
  sizeMs: fc.constantFrom(1, 10, 3_600_000),
  offsetMs: fc.constantFrom(0, 7),
  windows: fc.oneof(
    fc.array(fc.integer({ min: -5, max: 5 }), { maxLength: 40 }),
    // Far apart, so that counting would walk through the time between.
    fc.array(fc.integer({ min: -1_000_000, max: 1_000_000 }), { maxLength: 20 }),
  ),
});

spec(`gives each row to its window, windows in order and rows in theirs (BRAID_SEED=${seed})`, () => {
  fc.assert(
    fc.property(scenario, ({ sizeMs, offsetMs, windows }) => {
      const starts = Float64Array.from(windows, window => window * sizeMs + offsetMs);
      const expected = [...new Set(starts)]
        .sort((a, b) => a - b)
        .map(start => ({ start, rows: [...starts.keys()].filter(row => starts[row] === start) }));
      const { rows, windows: found } = rowsByWindow(starts, starts.length, sizeMs);
      assert.equal(
        found.map(({ start, from, to }) => ({ start, rows: [...rows.subarray(from, to)] })),
        expected,
      );
    }),
    { seed, numRuns: 300, includeErrorInReport: true },
  );
});

spec('looks at the rows of the batch only', () => {
  assert.equal(rowsByWindow(Float64Array.of(0, 10, 99), 2, 10).windows.length, 2);
});

spec('windows that overlap are a programmer error', () => {
  assert.throws(() => rowsByWindow(Float64Array.of(0, 5, 10), 3, 10), /whole number of windows/);
});

spec.run();
