import type { Fragment } from '../kernels/fragment.ts';
import type { RowFunctionSpec } from '../operators/row-function-spec.ts';
import type { WindowAggregateSpec } from '../operators/window-aggregate-spec.ts';
import type { CollectionSourceNode, JobOptions, KafkaSourceNode, LogicalSink } from './logical.ts';

/**
 * How a job runs: a source whose rows pass the `head` fragment (in the pool, over raw bytes, for Kafka), then operators
 * one after the other, then a sink. Each operator becomes an actor.
 *
 * What flows between them: batches of rows, or partials where the head or a localAggregate yields them. Partials go to
 * a windowAggregate and to nothing else, and it stands directly behind.
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
  /**
   * Runs over every fetched piece: `records` input for Kafka, whose schema lists the used columns only; `columns` input
   * of the full declared schema for a collection.
   */
  readonly head: Fragment;
  /**
   * The same head without the local phase (`local: false`), where the output is partials: used where partials do not
   * shrink the input, which is measured while the job runs (see actors/local-phase).
   */
  readonly headOneByOne: Fragment | undefined;
  /**
   * Reads late rows again: output `rows` with `lateWindow`, all declared source columns; undefined where the head yields
   * no partials. Bad records that it finds and the head did not (a column that only this fragment reads) are dead
   * letters instead of late rows; those that the head has reported already are not counted again.
   */
  readonly late: Fragment | undefined;
  /** Bounded disorder in ms; undefined: no event time, no watermarks but the final one. */
  readonly outOfOrderMs: number | undefined;
}

export type PhysicalOperator = LocalAggregateSpec | WindowAggregateSpec | FragmentOperatorSpec | RowFunctionSpec;

/**
 * Local phase over columnar batches, where the rows come out of a row function: columns -> partials for the
 * windowAggregate behind it. Late rows are judged here, as behind the head: `late` runs over the same input batch.
 */
export interface LocalAggregateSpec {
  readonly kind: 'localAggregate';
  readonly name: string;
  readonly fragment: Fragment;
  readonly fragmentOneByOne: Fragment;
  readonly late: Fragment;
}

/** Project and filter over columnar batches (behind a row function, say). */
export interface FragmentOperatorSpec {
  readonly kind: 'fragment';
  readonly name: string;
  readonly fragment: Fragment;
}
