import type { DataType } from '../data/data-type.ts';
import type { Expression } from './expression.ts';

export const aggregateNames = ['COUNT', 'SUM', 'MIN', 'MAX', 'AVG'] as const;
export type AggregateName = (typeof aggregateNames)[number];

/**
 * One aggregate call of a plan. COUNT without `argument` counts rows, with one it counts non-NULL values; SUM, MIN,
 * MAX and AVG skip NULLs and are NULL where nothing was left. AVG of INT or BIGINT is of that type and truncates
 * towards zero, as in Flink: cast to DOUBLE for fractions. SUM of INT is INT, of BIGINT BIGINT; both wrap around.
 * With `filter`, only rows for which it is true take part.
 */
export interface AggregateCall {
  readonly fn: AggregateName;
  readonly argument: Expression | undefined;
  readonly filter: Expression | undefined;
  readonly type: DataType;
}

/**
 * What is really kept per group. Each aggregate call becomes one or two accumulators (AVG is a sum and a count); equal
 * ones are shared. All of them merge, which is what makes a local phase possible.
 * - `count`: number of rows with a non-NULL argument that pass the filter; BIGINT NOT NULL.
 * - `sum`, `min`, `max`: over the same rows; NULL while there was none.
 */
export interface Accumulator {
  readonly op: 'count' | 'sum' | 'min' | 'max';
  readonly argument: Expression | undefined;
  readonly filter: Expression | undefined;
  readonly type: DataType;
}
