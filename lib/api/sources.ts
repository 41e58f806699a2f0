import { from, type Observable, Subject, takeUntil } from 'rxjs';
import { BraidError, toBraidError } from '../base/errors.ts';
import { badRecordPolicies, type JsonOptions } from '../kernels/fragment.ts';
import type { ClusterAddress, CollectionSourceNode, KafkaSourceNode, KafkaSourceOptions } from '../plan/logical.ts';
import { type KafkaCluster, someClusters } from './clusters.ts';
import type { Fields, GivenRow } from './fields.ts';
import {
  aBoolean,
  aName,
  aTopic,
  type Check,
  invalid,
  milliseconds,
  oneOf,
  optional,
  readOptions,
  required,
  wholeNumber,
} from './options.ts';
import { isTableSchema, type TableSchema } from './schema.ts';

/** Where the rows of a job come from, for `job(...).from(...)`. */
export interface Source<F extends Fields> {
  /** What its rows are. */
  readonly schema: TableSchema<F>;
  /** @internal */
  readonly node: KafkaSourceNode | CollectionSourceNode;
}

/** Options of `kafka(...)`. Durations are in milliseconds of the wall clock. */
export interface KafkaOptions<F extends Fields> {
  /** The topic, in every one of the clusters. */
  readonly topic: string;
  /** The clusters that carry it: each record is in exactly one of them, and the job reads the union. */
  readonly clusters: readonly KafkaCluster[];
  /** The fields of the JSON objects that the records are. */
  readonly schema: TableSchema<F>;
  /** Where to begin: `earliest` (default) or `latest`. */
  readonly startFrom?: 'earliest' | 'latest';
  /** True: the job ends when it has read what is there at its start. Default false. */
  readonly bounded?: boolean;
  /** Records a second over all partitions and clusters, at most. Default: no limit. */
  readonly recordsPerSecondMax?: number;
  /** Memory for records that were fetched and not processed yet, in bytes. Default 64 MiB. */
  readonly prefetchBytesMax?: number;
  /** A cluster that owes an answer for this long is suspect; down if the next question stays unanswered too. Default 400. */
  readonly suspectAfterMs?: number;
  /**
   * How long event time waits for a cluster that is down, from its last answer. Until then no window closes that it may
   * still have rows for; after that, what it brings when it returns may be late. Default 0: event time does not wait.
   */
  readonly holdWatermarkMs?: number;
  /** A partition is idle, so that event time does not wait for it, after its broker has said for this long that there is nothing new. Default: never. */
  readonly idleAfterMs?: number;
  /**
   * What becomes of a record that is not a JSON object of the schema: `fail` (default) fails the job, `null` sets the
   * wrong fields to NULL (and leaves the record out where one of them is NOT NULL, or the event time), `skip` leaves it
   * out. The latter two count it and give it to `onDeadLetter`.
   */
  readonly badRecords?: 'fail' | 'null' | 'skip';
  /** `structure` (default) does not look inside the numbers and words of fields that nobody asked for; `full` checks every byte. */
  readonly validate?: 'structure' | 'full';
  /** Name of the source, for events and metrics. Default: the topic. */
  readonly name?: string;
}

const aSchema: Check<TableSchema<Fields>> = (value, place) => {
  if (!isTableSchema(value)) throw invalid(place, 'a schema', value, 'schema({ name: t.string(), ... })');
  return value;
};
const forEver = Number.POSITIVE_INFINITY;

/**
 * Reads a topic that lives in several Kafka clusters, each record in exactly one of them. When a cluster is lost, the
 * others are read on at full speed, and reading resumes where it was when the cluster returns.
 *
 * Errors here: OPTION_INVALID, OPTION_UNKNOWN, TOPIC_NAME_INVALID, each with its place. When the job starts:
 * CLUSTER_UNREACHABLE, NOT_KAFKA, AUTHENTICATION_FAILED, TOPIC_UNKNOWN.
 *
 * @example
 * ```ts
 * import { kafka, schema, t } from 'braidstream';
 *
 * const flights = kafka({
 *   topic: 'flights',
 *   clusters: [
 *     { name: 'east', brokers: ['east-1:9092', 'east-2:9092'] },
 *     { name: 'west', brokers: ['west-1:9092'] },
 *   ],
 *   schema: schema({ date: t.timestamp(), delay: t.int(), origin: t.string() }),
 *   holdWatermarkMs: 60_000,
 * });
 * Object.keys(flights.schema.columns); // => [ 'date', 'delay', 'origin' ]
 * ```
 */
export function kafka<F extends Fields>(options: KafkaOptions<F>): Source<F> {
  const read = readOptions<
    KafkaSourceOptions & {
      topic: string;
      clusters: readonly ClusterAddress[];
      schema: TableSchema<Fields>;
      badRecords: JsonOptions['badRecords'];
      validate: JsonOptions['validate'];
      name: string | undefined;
    }
  >('kafka', options, {
    topic: required(aTopic),
    clusters: required(someClusters),
    schema: required(aSchema),
    startFrom: optional(oneOf('earliest', 'latest'), 'earliest'),
    bounded: optional(aBoolean, false),
    recordsPerSecondMax: optional(wholeNumber(1, forEver, 'records'), forEver),
    prefetchBytesMax: optional(wholeNumber(1 << 20, 2 ** 36, 'bytes'), 64 << 20),
    suspectAfterMs: optional(wholeNumber(10, 3_600_000, 'milliseconds'), 400),
    holdWatermarkMs: optional(milliseconds, 0),
    idleAfterMs: optional(milliseconds, undefined),
    badRecords: optional(oneOf(...badRecordPolicies), 'fail'),
    validate: optional(oneOf('structure', 'full'), 'structure'),
    name: optional(aName, undefined),
  });
  const { topic, clusters, badRecords, validate, name, schema: _, ...sourceOptions } = read;
  return sourceOf(options.schema, {
    kind: 'kafkaSource',
    name: name ?? topic,
    schema: options.schema.schema,
    topic,
    clusters,
    json: { badRecords, validate },
    options: sourceOptions,
  });
}

/**
 * Rows from memory: an array, a generator, or anything asynchronously iterable. The job ends when they end. A row has a
 * property for each column; what may be NULL may be left out.
 *
 * Errors: OPTION_INVALID here; ROW_INVALID fails the job where a value is not of its column's type, and SOURCE_FAILED
 * where the iterable throws.
 *
 * @example
 * ```ts
 * import { job, rows, schema, t } from 'braidstream';
 *
 * const flights = schema({ origin: t.string().notNull(), delay: t.int() });
 * await job('late-flights')
 *   .from(rows(flights, [{ origin: 'SEA', delay: 31 }, { origin: 'ATL', delay: 2 }, { origin: 'JFK' }]))
 *   .where(f => f.delay.gt(15))
 *   .collect(); // => [ { origin: 'SEA', delay: 31 } ]
 * ```
 */
export function rows<F extends Fields>(
  schema: TableSchema<F>,
  given: Iterable<GivenRow<F>> | AsyncIterable<GivenRow<F>>,
): Source<F> {
  aSchema(schema, 'rows(schema, ...)');
  const iterable =
    typeof given === 'object' && given !== null && (Symbol.iterator in given || Symbol.asyncIterator in given);
  if (!iterable) throw invalid('rows(..., rows)', 'an array, an iterable or an async iterable of rows', given);
  return sourceOf(schema, {
    kind: 'collectionSource',
    name: 'rows',
    schema: schema.schema,
    rows: given as CollectionSourceNode['rows'],
  });
}

/** Options of `fromObservable(...)`. */
export interface ObservableOptions {
  /** Rows that may wait, since an Observable cannot be held back. One more fails the job with SOURCE_FAILED. Default 100,000. */
  readonly waitingRowsMax?: number;
}

/**
 * Rows from an RxJS Observable: subscribed to when the job starts, unsubscribed from when it stops; the job ends when it
 * completes, and fails with SOURCE_FAILED when it errs.
 *
 * @example
 * ```ts
 * import { fromObservable, job, schema, t } from 'braidstream';
 * import { of } from 'rxjs';
 *
 * const delays = fromObservable(schema({ delay: t.int() }), of({ delay: 31 }, { delay: 2 }));
 * await job('from-observable')
 *   .from(delays)
 *   .select(f => ({ twice: f.delay.times(2) }))
 *   .collect(); // => [ { twice: 62 }, { twice: 4 } ]
 * ```
 */
export function fromObservable<F extends Fields>(
  schema: TableSchema<F>,
  rows$: Observable<GivenRow<F>>,
  options: ObservableOptions = {},
): Source<F> {
  aSchema(schema, 'fromObservable(schema, ...)');
  if (typeof (rows$ as Partial<Observable<unknown>> | undefined)?.subscribe !== 'function')
    throw invalid('fromObservable(..., rows$)', 'an Observable', rows$);
  const { waitingRowsMax } = readOptions<Required<ObservableOptions>>('fromObservable', options, {
    waitingRowsMax: optional(wholeNumber(1, 1e9, 'rows'), 100_000),
  });
  return sourceOf(schema, {
    kind: 'collectionSource',
    name: 'observable',
    schema: schema.schema,
    rows: { [Symbol.asyncIterator]: () => new ObservableIterator(rows$, waitingRowsMax) },
  });
}

function sourceOf<F extends Fields>(schema: TableSchema<F>, node: Source<F>['node']): Source<F> {
  return Object.freeze({ schema, node: Object.freeze(node) });
}

type AnyRow = Readonly<Record<string, unknown>>;

/**
 * One subscription, whose rows wait until they are asked for. Not a generator: a generator that waits for a row hears of
 * `return()` only with the next one, and a quiet Observable would stay subscribed to for ever.
 */
class ObservableIterator implements AsyncIterator<AnyRow, undefined> {
  readonly #waitingRowsMax: number;
  /** Unsubscribes, also while `subscribe` has not returned: an Observable may have everything to say at once. */
  readonly #stop$ = new Subject<void>();
  #waiting: AnyRow[] = [];
  #head = 0;
  #ended = false;
  #error: BraidError | undefined;
  #wake = (): void => {};

  constructor(rows$: Observable<AnyRow>, waitingRowsMax: number) {
    this.#waitingRowsMax = waitingRowsMax;
    from(rows$)
      .pipe(takeUntil(this.#stop$))
      .subscribe({
        next: row => this.#take(row),
        error: (thrown: unknown) => this.#end(toBraidError(thrown, 'SOURCE_FAILED', 'fromObservable')),
        complete: () => this.#end(undefined),
      });
  }

  async next(): Promise<IteratorResult<AnyRow, undefined>> {
    for (;;) {
      if (this.#head < this.#waiting.length) {
        const row = this.#waiting[this.#head++]!;
        if (this.#head === this.#waiting.length) {
          this.#waiting = [];
          this.#head = 0;
        }
        return { done: false, value: row };
      }
      if (this.#error !== undefined) throw this.#error;
      if (this.#ended) return { done: true, value: undefined };
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
    }
  }

  async return(): Promise<IteratorResult<AnyRow, undefined>> {
    this.#end(undefined);
    return { done: true, value: undefined };
  }

  #take(row: AnyRow): void {
    if (this.#ended) return;
    if (this.#waiting.length - this.#head < this.#waitingRowsMax) this.#waiting.push(row);
    else
      this.#end(
        new BraidError('SOURCE_FAILED', `an Observable is faster than the job: ${this.#waitingRowsMax} rows wait`, {
          place: 'fromObservable.waitingRowsMax',
          hint: 'slow it down, thin it out, or allow more rows to wait',
        }),
      );
    this.#wake();
  }

  /** What waits is still given out before the end is told. */
  #end(error: BraidError | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    this.#stop$.next();
    this.#wake();
  }
}
