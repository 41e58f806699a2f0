import { BraidError } from '../base/errors.ts';
import { type DataType, dataType } from '../data/data-type.ts';
import { type Field, schemaOf } from '../data/schema.ts';
import type { AggregateCall } from '../expressions/aggregate.ts';
import type { Expression } from '../expressions/expression.ts';
import type { TumblingWindow } from '../kernels/fragment.ts';
import type { AggregateNode, LogicalNode } from '../plan/logical.ts';
import { AggregateExpression } from './aggregates.ts';
import { type Aggregates, type Columns, columnsOf, namedEntries } from './columns.ts';
import { type Duration, duration } from './duration.ts';
import type { Fields, Shown } from './fields.ts';
import { aFunction, optional, readOptions } from './options.ts';
import type { FieldsOf, Stream } from './stream.ts';

/** Rows grouped by the keys `K`. */
export interface Grouped<F extends Fields, K extends Fields> {
  /**
   * Cuts event time into windows of one size that follow each other without a gap: a row of time t belongs to the window
   * that starts at `t - (t - offset) mod size`, and a window's end is exclusive. A window is emitted, once, when the
   * watermark reaches its end.
   *
   * Errors: OPTION_INVALID; PLAN_INVALID where no `watermark(...)` stands before it.
   */
  tumble(size: Duration, options?: WindowOptions): Windowed<F, K>;
}

/** Options of a window. */
export interface WindowOptions {
  /** Moves the borders of windows: days that begin at six have `{ hours: 6 }`. Default: from 1970-01-01T00:00:00. */
  readonly offset?: Duration;
}

/** Groups in windows. */
export interface Windowed<F extends Fields, K extends Fields> {
  /**
   * One row for each group and window in which it has rows: the keys, `windowStart` and `windowEnd` (TIMESTAMP NOT NULL),
   * and the aggregates that the function returns.
   *
   * Errors: TYPE_MISMATCH for what is no aggregate; SCHEMA_INVALID for a name that a key has already.
   */
  aggregate<A extends Aggregates>(aggregates: (columns: Columns<F>) => A): Stream<AggregatedFields<K, A>>;
}

/** The columns of an aggregate's rows. */
export type AggregatedFields<K extends Fields, A extends Aggregates> = Shown<
  K & {
    readonly windowStart: DataType<'TIMESTAMP', false>;
    readonly windowEnd: DataType<'TIMESTAMP', false>;
  } & FieldsOf<A>
>;

export interface Keys {
  readonly fields: readonly Field[];
  readonly expressions: readonly Expression[];
}

/** `behind` makes the stream of a node, which this file cannot, since streams make groups. */
export function groupStream<F extends Fields, K extends Fields>(
  input: LogicalNode,
  keys: Keys,
  name: string,
  behind: (node: AggregateNode) => Stream<never>,
): Grouped<F, K> {
  return {
    tumble(size, options = {}) {
      const { offset } = readOptions<{ offset: number }>('tumble', options, { offset: optional(duration(-yearMs), 0) });
      const sizeMs = duration(1)(size, 'tumble');
      const window: TumblingWindow = { sizeMs, offsetMs: ((offset % sizeMs) + sizeMs) % sizeMs };
      // Says at once what would be said at `aggregate(...)`: the place of the mistake is here.
      behind(aggregateNode(input, keys, name, window, []));
      return {
        aggregate(aggregates) {
          const make = aFunction<(columns: Columns<F>) => unknown>(aggregates, 'aggregate');
          const calls = namedAggregates(make(columnsOf<F>(input.schema)));
          return behind(aggregateNode(input, keys, name, window, calls)) as never;
        },
      };
    },
  };
}

const yearMs = 366 * 86_400_000;
const timestamp = dataType('TIMESTAMP', false);

function aggregateNode(
  input: LogicalNode,
  keys: Keys,
  name: string,
  window: TumblingWindow,
  calls: readonly (readonly [string, AggregateCall])[],
): AggregateNode {
  const schema = schemaOf([
    ...keys.fields,
    { name: 'windowStart', type: timestamp },
    { name: 'windowEnd', type: timestamp },
    ...calls.map(([column, { type }]) => ({ name: column, type })),
  ]);
  return Object.freeze({
    kind: 'aggregate',
    name,
    schema,
    input,
    keys: keys.expressions,
    window,
    aggregates: calls.map(([, call]) => call),
  });
}

function namedAggregates(given: unknown): [string, AggregateCall][] {
  return namedEntries('aggregate', given).map(([column, value]) => {
    if (value instanceof AggregateExpression) return [column, value.call];
    throw new BraidError('TYPE_MISMATCH', `${column} is no aggregate`, {
      place: `aggregate.${column}`,
      hint: 'take count, sum, avg, min or max; keys are in the row already, and computing with results goes into select(...)',
    });
  });
}
