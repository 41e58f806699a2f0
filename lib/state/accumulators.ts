import { BraidError } from '../base/errors.ts';
import { formatType } from '../data/data-type.ts';
import type { AccumulatorColumn, StateAccumulator } from './accumulator-column.ts';
import type { GroupRows } from './group-rows.ts';
import {
  BigintAccumulator,
  doubleOperations,
  intOperations,
  NumberAccumulator,
  timestampOperations,
} from './number-accumulators.ts';
import { TextExtremes } from './text-extremes.ts';

/** The column that keeps an accumulator in cell `field` of the rows. Errors: PLAN_INVALID for what cannot be kept. */
export function createAccumulator({ op, type }: StateAccumulator, rows: GroupRows, field: number): AccumulatorColumn {
  switch (type.name) {
    case 'BIGINT':
      return new BigintAccumulator(type, rows, field, op);
    case 'INT':
      if (op !== 'count') return new NumberAccumulator(type, rows, field, intOperations[op]);
      break;
    case 'DOUBLE':
      if (op !== 'count') return new NumberAccumulator(type, rows, field, doubleOperations[op]);
      break;
    case 'TIMESTAMP':
      if (op === 'min' || op === 'max') return new NumberAccumulator(type, rows, field, timestampOperations[op]);
      break;
    case 'STRING':
      if (op === 'min' || op === 'max') return new TextExtremes(type, rows, field, op);
      break;
    case 'BOOLEAN':
      break;
  }
  throw new BraidError('PLAN_INVALID', `there is no ${op} of ${formatType(type)}`);
}
