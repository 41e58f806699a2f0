import type { Batch } from '../data/batch.ts';
import type { FragmentResult } from './fragment.ts';

/** Smallest and greatest window start of partials, whose first column it is. */
export function windowRange(batch: Batch): FragmentResult['windows'] {
  const starts = batch.columns[0]!;
  if (batch.rows === 0 || starts.kind !== 'timestamp') return undefined;
  let first = Number.POSITIVE_INFINITY;
  let last = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < batch.rows; i++) {
    const start = starts.values[i]!;
    if (start < first) first = start;
    if (start > last) last = start;
  }
  return { first, last };
}
