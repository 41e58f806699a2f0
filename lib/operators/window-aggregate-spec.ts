import type { Schema } from '../data/schema.ts';
import type { Accumulator } from '../expressions/aggregate.ts';
import type { Fragment, TumblingWindow } from '../kernels/fragment.ts';

/** Global phase: merges partials per window and key, emits a window when the watermark passes its end. */
export interface WindowAggregateSpec {
  readonly kind: 'windowAggregate';
  readonly name: string;
  readonly window: TumblingWindow;
  /** Schema of the partials: [window start, keys..., accumulators...], as PartialOutput has it. */
  readonly partials: Schema;
  readonly keys: number;
  readonly accumulators: readonly Accumulator[];
  /** columns -> rows over the partial schema: final aggregates, window_end, and any projection or filter fused behind. */
  readonly finish: Fragment;
}
