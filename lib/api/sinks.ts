import type { Observer } from 'rxjs';
import { BraidError } from '../base/errors.ts';
import { type Batch, type Row, rowsOf } from '../data/batch.ts';
import { valueAt } from '../data/column.ts';
import type { DataType } from '../data/data-type.ts';
import { columnIndex } from '../data/schema.ts';
import type { ClusterAddress, KafkaSinkOptions, LogicalNode, LogicalSink } from '../plan/logical.ts';
import { type KafkaCluster, someClusters } from './clusters.ts';
import type { Fields, RowOf } from './fields.ts';
import {
  aName,
  aText,
  aTopic,
  invalid,
  milliseconds,
  optional,
  readOptions,
  required,
  wholeNumber,
} from './options.ts';

/**
 * Where the rows of a job go, for `.to(...)`: `F` is what it needs of them, `Out` what the finished job has as `output`.
 */
export interface Sink<in F extends Fields, out Out> {
  /** @internal For one run of a job: sinks that gather rows begin anew. */
  open(input: LogicalNode): OpenSink<Out>;
  /** Never there: it says to the compiler which rows the sink takes and what comes of them. */
  readonly shape?: (fields: F) => Out;
}

/** A sink that is open for one run: what the planner is given, and what has gathered at the end. */
export interface OpenSink<Out> {
  readonly node: LogicalSink;
  /** Asked for when the job has ended. */
  output(): Out;
}

/** Options of `kafkaSink(...)`. */
export interface KafkaSinkSettings<K extends string> {
  /** The topic, in every one of the clusters. It must exist, with the same number of partitions everywhere. */
  readonly topic: string;
  /** The clusters that may be written to; one of them is active at a time. */
  readonly clusters: readonly KafkaCluster[];
  /** The STRING column that is the record's key, hence its partition (murmur2, as Java does). Default: no key, partitions in turn. */
  readonly key?: K;
  /** Name of the cluster that is written to first. Default: the first of the list. */
  readonly active?: string;
  /**
   * A batch is sent when it has this many bytes; a row that needs more fails the job with RECORD_TOO_LARGE. At most
   * `max.message.bytes` of the topic. Default 256 KiB.
   */
  readonly batchBytesMax?: number;
  /** A row waits no longer than this for its batch to fill, in ms. Default 20. */
  readonly lingerMs?: number;
  /** Rows that were sent and not acknowledged, at most; then the job waits. Default 200,000. */
  readonly unacknowledgedRowsMax?: number;
  /** Name of the sink, for events and metrics. Default: the topic. */
  readonly name?: string;
}

/**
 * Writes rows as JSON objects to the active one of several Kafka clusters. When that is lost, it switches to a healthy one
 * and first sends again all that was not acknowledged, in order, and stays there. A record carries a tag in the header
 * `braid`, by which a reader can drop what it sees twice.
 *
 * Errors here: OPTION_INVALID, OPTION_UNKNOWN, TOPIC_NAME_INVALID, and COLUMN_UNKNOWN or TYPE_MISMATCH for the key. When the
 * job starts: CLUSTER_UNREACHABLE, TOPIC_UNKNOWN, PARTITIONS_DIFFER.
 *
 * @example
 * ```ts
 * import { job, kafkaSink, rows, schema, t } from 'braidstream';
 *
 * const delays = schema({ origin: t.string(), delay: t.int() });
 * const clusters = [{ name: 'east', brokers: ['east-1:9092'] }, { name: 'west', brokers: ['west-1:9092'] }];
 * const written = job('write').from(rows(delays, [])).to(kafkaSink({ topic: 'delays', clusters, key: 'origin' }));
 * written.name; // => 'write'
 * ```
 */
export function kafkaSink(settings: KafkaSinkSettings<never>): Sink<Record<never, never>, undefined>;
export function kafkaSink<const K extends string>(settings: KafkaSinkSettings<K>): Sink<KeyField<K>, undefined>;
export function kafkaSink<K extends string>(settings: KafkaSinkSettings<K>): Sink<KeyField<K>, undefined> {
  const read = readOptions<
    KafkaSinkOptions & {
      topic: string;
      clusters: readonly ClusterAddress[];
      key: string | undefined;
      name: string | undefined;
    }
  >('kafkaSink', settings, {
    topic: required(aTopic),
    clusters: required(someClusters),
    key: optional(aText('the name of a column'), undefined),
    active: optional(aName, undefined),
    batchBytesMax: optional(wholeNumber(1024, 1 << 28, 'bytes'), 256 << 10),
    lingerMs: optional(milliseconds, 20),
    unacknowledgedRowsMax: optional(wholeNumber(1, 1e9, 'rows'), 200_000),
    name: optional(aName, undefined),
  });
  const { topic, clusters, key, name, ...options } = read;
  const names = clusters.map(cluster => cluster.name);
  if (options.active !== undefined && !names.includes(options.active))
    throw invalid('kafkaSink.active', `the name of one of its clusters, ${names.join(' or ')},`, options.active);
  return {
    open: input => ({
      node: {
        kind: 'kafkaSink',
        // A name stands in every tag; a topic may be longer than fits there.
        name: name ?? (topic.length > 95 ? 'sink' : `${topic}-sink`),
        input,
        topic,
        clusters,
        keyColumn: key === undefined ? undefined : keyColumn(input, key),
        options,
      },
      output: () => undefined,
    }),
  };
}

/** The rows must have the key, and it must be a STRING. */
type KeyField<K extends string> = { readonly [column in K]: DataType<'STRING'> };

function keyColumn(input: LogicalNode, key: string): number {
  const index = columnIndex(input.schema, key);
  if (input.schema.fields[index]!.type.name !== 'STRING')
    throw new BraidError('TYPE_MISMATCH', `the key of a record is a STRING, and ${key} is none`, {
      place: 'kafkaSink.key',
      hint: `select it as text: { ${key}: row.${key}.toText() }`,
    });
  return index;
}

/**
 * Gathers all rows in memory: the finished job has them as `output`. For bounded jobs; `collect()` is the short form.
 *
 * @example
 * ```ts
 * import { job, rows, schema, t, toArray } from 'braidstream';
 *
 * const run = await job('to-array').from(rows(schema({ n: t.int() }), [{ n: 1 }])).to(toArray()).start();
 * (await run.done).output; // => [ { n: 1 } ]
 * ```
 */
export function toArray<F extends Fields>(): Sink<F, RowOf<F>[]> {
  return {
    open(input) {
      const gathered: RowOf<F>[] = [];
      return {
        node: {
          kind: 'collectorSink',
          name: 'array',
          input,
          onBatch: batch => {
            for (const row of plainRows<F>(batch)) gathered.push(row);
          },
          onEnd: () => {},
        },
        output: () => gathered,
      };
    },
  };
}

/**
 * Hands each row to an RxJS observer, a Subject say: `next` for each row, then `complete`, or `error` if the job failed.
 * What `next` throws fails the job with SINK_FAILED. The short form for a job that one subscriber runs is `toObservable()`.
 *
 * @example
 * ```ts
 * import { job, rows, schema, t, toObserver } from 'braidstream';
 *
 * const seen: unknown[] = [];
 * const run = await job('to-observer')
 *   .from(rows(schema({ n: t.int() }), [{ n: 1 }, { n: 2 }]))
 *   .to(toObserver({ next: row => seen.push(row.n), complete: () => seen.push('end') }))
 *   .start();
 * await run.done;
 * seen; // => [ 1, 2, 'end' ]
 * ```
 */
export function toObserver<F extends Fields>(observer: Partial<Observer<RowOf<F>>>): Sink<F, undefined> {
  return {
    open: input => ({
      node: {
        kind: 'collectorSink',
        name: 'observer',
        input,
        onBatch: batch => {
          for (const row of plainRows<F>(batch)) observer.next?.(row);
        },
        onEnd: error => {
          if (error === undefined) observer.complete?.();
          else observer.error?.(error);
        },
      },
      output: () => undefined,
    }),
  };
}

/** Rows as an object literal makes them, so that they compare equal to one. */
export function plainRows<F extends Fields>(batch: Batch): RowOf<F>[] {
  const { fields } = batch.schema;
  // Assigning to this name sets the prototype, and spreading does not.
  if (fields.some(({ name }) => name === '__proto__')) return rowsOf(batch).map(row => ({ ...row }) as RowOf<F>);
  return Array.from({ length: batch.rows }, (_, row) => {
    const plain: Row = {};
    for (let c = 0; c < fields.length; c++) plain[fields[c]!.name] = valueAt(batch.columns[c]!, row);
    return plain as RowOf<F>;
  });
}
