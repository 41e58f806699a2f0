import { assert, BraidError } from '../base/errors.ts';
import { formatType } from '../data/data-type.ts';
import type { AccumulatorColumn, StateAccumulator } from './accumulator-column.ts';
import { BigintAccumulator, DoubleAccumulator, IntAccumulator } from './number-accumulators.ts';
import { TextExtremes } from './text-extremes.ts';

/** The column that keeps an accumulator for `capacity` groups. Errors: PLAN_INVALID for what cannot be kept. */
export function createAccumulator({ op, type }: StateAccumulator, capacity: number): AccumulatorColumn {
  if (type.name === 'BIGINT') return new BigintAccumulator(type, op, capacity);
  assert(op !== 'count', 'a count is a BIGINT');
  switch (type.name) {
    case 'INT':
      return new IntAccumulator(type, op, capacity);
    case 'DOUBLE':
    case 'TIMESTAMP':
      return new DoubleAccumulator(type, op, capacity);
    case 'STRING':
      if (op !== 'sum') return new TextExtremes(type, op, capacity);
      break;
    case 'BOOLEAN':
      break;
  }
  throw new BraidError('PLAN_INVALID', `there is no ${op} of ${formatType(type)}`);
}
