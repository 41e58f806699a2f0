import { assert } from '../../lib/base/errors.ts';
import { dataType } from '../../lib/data/data-type.ts';
import { schemaOf } from '../../lib/data/schema.ts';
import { aggregate, lowerAggregates } from '../../lib/expressions/aggregates.ts';
import type { Expression } from '../../lib/expressions/expression.ts';
import type { Fragment } from '../../lib/kernels/fragment.ts';
import type { WindowAggregateSpec } from '../../lib/operators/window-aggregate-spec.ts';

const bigint = dataType('BIGINT', false);
const timestamp = dataType('TIMESTAMP', false);

const window = { sizeMs: 10_000, offsetMs: 0 };

/** The global phase over the partials of `bidFragment`; its results are the partials as they are. */
export function bidAggregate(): WindowAggregateSpec {
  const { output } = bidFragment();
  assert(output.kind === 'partial', 'bids become partials');
  const { schema, accumulators } = output;
  const columns = schema.fields.map(({ type }, index): Expression => ({ kind: 'column', index, type }));
  return {
    kind: 'windowAggregate',
    name: 'bids',
    window,
    partials: schema,
    keys: 1,
    accumulators,
    finish: {
      id: 'finish',
      input: { kind: 'columns', schema },
      eventTime: undefined,
      filter: undefined,
      output: { kind: 'rows', columns, schema },
    },
  };
}

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
      window,
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
