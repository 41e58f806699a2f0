import { dataType } from '../data/data-type.ts';
import type { Field, Schema } from '../data/schema.ts';
import type { Accumulator } from '../expressions/aggregate.ts';
import { lowerAggregates } from '../expressions/aggregates.ts';
import { call, literal } from '../expressions/build.ts';
import type { Expression } from '../expressions/expression.ts';
import type { PartialOutput } from '../kernels/fragment.ts';
import { columnOf, type Fusion } from './fusion.ts';
import type { AggregateNode } from './logical.ts';
import { inline, inlineCall } from './rewrite.ts';

/**
 * Local-global aggregation: the local phase turns rows into partials wherever the rows are, the global phase merges
 * them per window and key, and the finish makes the results. It is why a hot key does not hurt.
 */
export interface Partials {
  /** [window start, keys..., accumulators...]. */
  readonly schema: Schema;
  readonly accumulators: readonly Accumulator[];
  /** The aggregates' results, over `schema`. */
  readonly finals: readonly Expression[];
  readonly output: Omit<PartialOutput, 'local'>;
}

const timestamp = dataType('TIMESTAMP', false);

/** The local phase of `step`, over the input of the fusion that stands before it. */
export function partialsOf(fusion: Fusion, step: AggregateNode): Partials {
  const keys = step.keys.map(key => inline(key, fusion.columns));
  const calls = step.aggregates.map(call => inlineCall(call, fusion.columns));
  const { accumulators, finals } = lowerAggregates(calls, 1 + keys.length);
  const taken = new Set(step.schema.fields.map(field => field.name));
  const fields: Field[] = [
    { name: step.schema.fields[keys.length]!.name, type: timestamp },
    ...keys.map((key, i) => ({ name: step.schema.fields[i]!.name, type: key.type })),
    ...accumulators.map((accumulator, i) => ({ name: unused(`${accumulator.op}${i}`, taken), type: accumulator.type })),
  ];
  const schema = { fields };
  return {
    schema,
    accumulators,
    finals,
    output: { kind: 'partial', window: step.window, keys, accumulators, schema },
  };
}

/** Begins the finish: [keys..., window_start, window_end, aggregates...] over the partials. */
export function finishFusion(step: AggregateNode, partials: Partials): Fusion {
  const column = (index: number): Expression => columnOf(partials.schema.fields[index]!, index);
  const start = column(0);
  const end = call('plusMs', [start, literal(step.window.sizeMs, 'DOUBLE')]);
  return {
    input: partials.schema,
    declared: partials.schema.fields.length,
    eventTime: undefined,
    filter: undefined,
    columns: [...step.keys.map((_, i) => column(1 + i)), start, end, ...partials.finals],
    schema: step.schema,
  };
}

/** Names of accumulators are read in `explain` alone. */
function unused(name: string, taken: ReadonlySet<string>): string {
  return taken.has(name) ? unused(`${name}_`, taken) : name;
}
