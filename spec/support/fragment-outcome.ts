import { BraidError } from '../../lib/base/errors.ts';
import { rowsOf } from '../../lib/data/batch.ts';
import { compileFragment } from '../../lib/kernels/compile.ts';
import type { CompiledFragment, Fragment, FragmentResult, FragmentTask } from '../../lib/kernels/fragment.ts';
import { interpretFragment } from '../../lib/kernels/interpret.ts';

export type Outcome =
  | { readonly code: string; readonly place: string | undefined }
  | (Omit<FragmentResult, 'batch' | 'hashes' | 'badRecords'> & {
      readonly rows: readonly (readonly string[])[];
      readonly kinds: readonly string[];
      readonly hashes: readonly number[] | undefined;
      readonly badRecords: readonly {
        readonly offset: number;
        readonly reason: string;
        readonly bytes: readonly number[];
      }[];
    });

/** A result as plain values that can be compared: rows instead of columns, kinds of columns beside them. */
export function outcomeOf(fragment: CompiledFragment, task: FragmentTask): Outcome {
  let result: FragmentResult;
  try {
    result = fragment.run(task);
  } catch (thrown) {
    if (!(thrown instanceof BraidError)) throw thrown;
    // Of several expressions of a row that fail, either may be met first: no order is promised.
    return { code: thrown.code, place: thrown.place?.startsWith('CAST') ? undefined : thrown.place };
  }
  const { batch, badRecords, hashes, rowsIn, rowsPassed, maxEventTime, windows, nextOffset } = result;
  return {
    rowsIn,
    rowsPassed,
    maxEventTime,
    windows,
    nextOffset,
    rows: rowsOf(batch).map(row => Object.values(row).map(shown)),
    kinds: batch.columns.map(column => `${column.kind} ${column.validity === undefined ? 'valid' : 'nullable'}`),
    hashes: hashes === undefined ? undefined : [...hashes],
    badRecords: badRecords.map(({ offset, reason, bytes }) => ({
      offset,
      // The reference knows that an object is malformed, but not where.
      reason: /^the (field|event time|record has no value)/.test(reason) ? reason : 'malformed',
      bytes: [...bytes],
    })),
  };
}

/** Tells apart what `===` does not: -0 and 0, 1 and 1n. */
function shown(value: unknown): string {
  return `${typeof value} ${Object.is(value, -0) ? '-0' : String(value)}`;
}

/** A check of one fragment: throws where compiled code and the interpreter differ over a task; returns what both yield. */
export function agreement(fragment: Fragment): (task: FragmentTask) => Outcome {
  const compiled = compileFragment(fragment);
  const interpreted = interpretFragment(fragment);
  return task => {
    const expected = outcomeOf(interpreted, task);
    const actual = JSON.stringify(outcomeOf(compiled, task), infinity);
    const wanted = JSON.stringify(expected, infinity);
    if (actual !== wanted) throw new Error(`compiled:    ${actual}\ninterpreted: ${wanted}`);
    return expected;
  };
}

function infinity(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? shown(value) : value;
}
