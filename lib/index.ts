/**
 * Braid: two clusters, one stream. Describe a job with `job(...)`, from a source over steps to a sink, and start it.
 *
 * @packageDocumentation
 */

export {
  type AggregateExpression,
  avg,
  type CountExpression,
  count,
  max,
  min,
  type OrderedExpression,
  sum,
} from './api/aggregates.ts';
export type { KafkaCluster } from './api/clusters.ts';
export type { Aggregates, Columns, Selection } from './api/columns.ts';
export type { Duration } from './api/duration.ts';
export type { Fields, GivenRow, RowOf } from './api/fields.ts';
export { type CaseBuilder, cast, greatest, least, literal, when } from './api/functions.ts';
export type { AggregatedFields, Grouped, Windowed, WindowOptions } from './api/grouped.ts';
export type { FinishedJob, JobHandle } from './api/handle.ts';
export type { Job, StartOptions } from './api/job.ts';
export { type JobBuilder, job } from './api/job-builder.ts';
export { type ColumnType, type Row, schema, type TableSchema, t } from './api/schema.ts';
export { type KafkaSinkSettings, kafkaSink, type Sink, toArray, toObserver } from './api/sinks.ts';
export { fromObservable, type KafkaOptions, kafka, type ObservableOptions, rows, type Source } from './api/sources.ts';
export type { FieldsOf, Stream, WatermarkOptions } from './api/stream.ts';
export type {
  AnyExpression,
  BooleanExpression,
  ExpressionOf,
  NumberExpression,
  StringExpression,
  TimestampExpression,
  TypeOf,
} from './api/typed-expression.ts';
export { BraidError, type BraidErrorCode, type BraidErrorDomain } from './base/errors.ts';
export type { DataType, TypeName, Value } from './data/data-type.ts';
export type { InspectEvent } from './inspect/inspect-event.ts';
export type {
  ClusterMetrics,
  ClusterState,
  JobEvent,
  JobMetrics,
  JobResult,
  JobState,
  OperatorMetrics,
  SinkMetrics,
  StartPhase,
} from './plan/job-report.ts';
export type { DeadLetter } from './plan/logical.ts';
