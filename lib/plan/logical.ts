import type { Batch, Row } from '../data/batch.ts';
import type { Schema } from '../data/schema.ts';
import type { AggregateCall } from '../expressions/aggregate.ts';
import type { Expression } from '../expressions/expression.ts';
import type { JsonOptions, TumblingWindow } from '../kernels/fragment.ts';

/**
 * The logical plan: what a job means, not how it runs. Built by the fluent API, and by SQL in the same form. Nodes
 * are frozen; `input` points to where rows come from; `schema` is what a node yields.
 */
export type LogicalNode =
  | KafkaSourceNode
  | CollectionSourceNode
  | WatermarkNode
  | FilterNode
  | ProjectNode
  | RowFunctionNode
  | AggregateNode;

interface NodeBase {
  /** Name of the operator: for explain, metrics and the actor. Unique within a job. */
  readonly name: string;
  readonly schema: Schema;
}

/** Where a stream lives: one topic in each of several clusters, each record in exactly one of them (`split` mode). */
export interface KafkaSourceNode extends NodeBase {
  readonly kind: 'kafkaSource';
  readonly topic: string;
  readonly clusters: readonly ClusterAddress[];
  readonly json: JsonOptions;
  readonly options: KafkaSourceOptions;
}

export interface ClusterAddress {
  /** Immutable name of the cluster within the job. */
  readonly name: string;
  /** `host:port`, bootstrap. */
  readonly brokers: readonly string[];
  /** Passed through to kafkajs. */
  readonly ssl?: unknown;
  readonly sasl?: unknown;
  /** Allows SASL mechanisms that send the secret in clear text (PLAIN, OAUTHBEARER) without TLS. */
  readonly allowInsecure?: boolean | undefined;
}

export interface KafkaSourceOptions {
  readonly startFrom: 'earliest' | 'latest';
  /** Stop at the end offsets that are found at the start. */
  readonly bounded: boolean;
  /** Records per second over all splits, or Infinity. */
  readonly recordsPerSecondMax: number;
  /** Memory for bytes that were fetched and not yet merged. */
  readonly prefetchBytesMax: number;
  /** No answer for this long turns a cluster's connection suspect. */
  readonly suspectAfterMs: number;
  /** How long the watermark waits for a cluster that is down, from its last answer. 0: its splits are idle at `down`. */
  readonly holdWatermarkMs: number;
  /** A split is idle after its broker answered "nothing new" at the end of the log for this long; undefined: never. */
  readonly idleAfterMs: number | undefined;
}

/** Rows from memory: an array, an async iterable or an Observable. */
export interface CollectionSourceNode extends NodeBase {
  readonly kind: 'collectionSource';
  readonly rows: AsyncIterable<Readonly<Record<string, unknown>>> | Iterable<Readonly<Record<string, unknown>>>;
}

/** Event time is `column`, at most `outOfOrderMs` out of order: watermark = greatest seen - outOfOrderMs - 1, per split. */
export interface WatermarkNode extends NodeBase {
  readonly kind: 'watermark';
  readonly input: LogicalNode;
  readonly column: number;
  readonly outOfOrderMs: number;
}
export interface FilterNode extends NodeBase {
  readonly kind: 'filter';
  readonly input: LogicalNode;
  readonly condition: Expression;
}
export interface ProjectNode extends NodeBase {
  readonly kind: 'project';
  readonly input: LogicalNode;
  readonly columns: readonly Expression[];
}
/** A plain TypeScript function over row objects; runs on the owner's thread, no kernel. */
export interface RowFunctionNode extends NodeBase {
  readonly kind: 'rowFunction';
  readonly input: LogicalNode;
  readonly apply:
    | { readonly kind: 'map'; readonly fn: (row: Row) => Row }
    | { readonly kind: 'filter'; readonly fn: (row: Row) => boolean };
}
/** Tumbling window by event time, keyed. Yields [keys..., window_start, window_end, aggregates...]; insert-only. */
export interface AggregateNode extends NodeBase {
  readonly kind: 'aggregate';
  readonly input: LogicalNode;
  readonly keys: readonly Expression[];
  readonly window: TumblingWindow;
  readonly aggregates: readonly AggregateCall[];
}

/** Where the rows of a job end. */
export type LogicalSink = KafkaSinkNode | CollectorSinkNode;

export interface KafkaSinkNode {
  readonly kind: 'kafkaSink';
  readonly name: string;
  readonly input: LogicalNode;
  readonly topic: string;
  readonly clusters: readonly ClusterAddress[];
  /** Column whose text is the record's key, hence its partition (murmur2); undefined: no key, partitions in turn. */
  readonly keyColumn: number | undefined;
  readonly options: KafkaSinkOptions;
}

export interface KafkaSinkOptions {
  /** Name of the cluster that is active at first; the first one by default. */
  readonly active: string | undefined;
  readonly batchBytesMax: number;
  /** Rows that wait longer than this are sent although the batch is not full. */
  readonly lingerMs: number;
  /** Rows sent and not acknowledged; a full sink stops its input. */
  readonly unacknowledgedRowsMax: number;
}

/** Hands batches to the program: arrays, Observables. */
export interface CollectorSinkNode {
  readonly kind: 'collectorSink';
  readonly name: string;
  readonly input: LogicalNode;
  readonly onBatch: (batch: Batch) => void;
  readonly onEnd: (error: unknown) => void;
}

export interface LogicalPlan {
  /** Name of the job. */
  readonly job: string;
  readonly sink: LogicalSink;
  readonly options: JobOptions;
}

export interface JobOptions {
  /** Pool threads for the local phase; 0 = inline on the job's own thread. */
  readonly threads: number;
  /** Where late rows and bad records go besides being counted. */
  readonly onLateRows: ((batch: Batch) => void) | undefined;
  readonly onDeadLetter: ((letter: DeadLetter) => void) | undefined;
}

/** A record that is no row of the schema: where it lies, why it is bad, and its bytes (64 KiB of them at most). */
export interface DeadLetter {
  readonly cluster: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly reason: string;
  readonly bytes: Uint8Array;
}
