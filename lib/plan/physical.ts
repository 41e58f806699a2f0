import type { Schema } from '../data/schema.ts';
import type { Accumulator } from '../expressions/aggregate.ts';
import type { Fragment, TumblingWindow } from '../kernels/fragment.ts';
import type { CollectionSourceNode, JobOptions, KafkaSourceNode, LogicalSink, RowFunctionNode } from './logical.ts';

/**
 * How a job runs: a source whose rows pass the `head` fragment (in the pool, over raw bytes, for Kafka), then operators
 * one after the other, then a sink. Each operator becomes an actor.
 */
export interface PhysicalPlan {
  readonly job: string;
  readonly source: PhysicalSource;
  readonly operators: readonly PhysicalOperator[];
  readonly sink: LogicalSink;
  readonly options: JobOptions;
}

export interface PhysicalSource {
  readonly node: KafkaSourceNode | CollectionSourceNode;
  /** Runs over every fetched piece: `records` input for Kafka, `columns` for a collection. */
  readonly head: Fragment;
  /**
   * The same head without the local phase (`local: false`), where the output is partials: used where partials do not
   * shrink the input, which is measured while the job runs (see actors/local-phase).
   */
  readonly headOneByOne: Fragment | undefined;
  /** Reads late rows again: output `rows` with `lateWindow`, all source columns; undefined where nothing can be late. */
  readonly late: Fragment | undefined;
  /** Bounded disorder in ms; undefined: no event time, no watermarks but the final one. */
  readonly outOfOrderMs: number | undefined;
}

export type PhysicalOperator = WindowAggregateSpec | FragmentOperatorSpec | RowFunctionNode;

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

/** Project and filter over columnar batches (behind a row function, say). */
export interface FragmentOperatorSpec {
  readonly kind: 'fragment';
  readonly name: string;
  readonly fragment: Fragment;
}
