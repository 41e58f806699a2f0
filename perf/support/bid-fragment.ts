import { dataType } from '../../lib/data/data-type.ts';
import { schemaOf } from '../../lib/data/schema.ts';
import { aggregate, lowerAggregates } from '../../lib/expressions/aggregates.ts';
import type { Expression } from '../../lib/expressions/expression.ts';
import type { Fragment } from '../../lib/kernels/fragment.ts';

const bigint = dataType('BIGINT', false);
const timestamp = dataType('TIMESTAMP', false);

/** Count and maximum price per auction and window of 10 s, from three of a bid's seven fields. */
export function bidFragment(): Fragment {
  const column = (index: number, type: typeof bigint | typeof timestamp): Expression => ({
    kind: 'column',
    index,
    type,
  });
  const calls = [aggregate('COUNT'), aggregate('MAX', column(1, bigint))];
  const { accumulators } = lowerAggregates(calls, 2);
  return {
    id: 'bids',
    input: {
      kind: 'records',
      schema: schemaOf([
        { name: 'auction', type: bigint },
        { name: 'price', type: bigint },
        { name: 'dateTime', type: timestamp },
      ]),
      json: { validate: 'structure', badRecords: 'fail' },
    },
    eventTime: column(2, timestamp),
    filter: undefined,
    output: {
      kind: 'partial',
      window: { sizeMs: 10_000, offsetMs: 0 },
      keys: [column(0, bigint)],
      accumulators,
      schema: schemaOf([
        { name: 'window', type: timestamp },
        { name: 'auction', type: bigint },
        ...accumulators.map(({ op, type }) => ({ name: op, type })),
      ]),
      local: true,
    },
  };
}
