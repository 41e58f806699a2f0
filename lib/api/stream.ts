import { Observable } from 'rxjs';
import { BraidError } from '../base/errors.ts';
import type { DataType } from '../data/data-type.ts';
import { columnIndex, formatSchema, schemaOf } from '../data/schema.ts';
import { columnAt } from '../expressions/build.ts';
import { chainOf, checkChain } from '../plan/chain.ts';
import type { LogicalNode, RowFunctionNode } from '../plan/logical.ts';
import { type Columns, columnsOf, namedExpressions, type Selection } from './columns.ts';
import type { Duration } from './duration.ts';
import type { Fields, GivenRow, NamesOf, RowOf, Shown } from './fields.ts';
import { type Grouped, groupStream, type Windowed, type WindowOptions } from './grouped.ts';
import { type Job, makeJob, type StartOptions } from './job.ts';
import { aFunction, aName, invalid, milliseconds, optional, readOptions } from './options.ts';
import { isTableSchema, schemaFrom, type TableSchema } from './schema.ts';
import { type Sink, toArray, toObserver } from './sinks.ts';
import { type BooleanExpression, isExpression, type TypeOf } from './typed-expression.ts';

/** The columns that a selection makes. */
export type FieldsOf<S extends Readonly<Record<string, { readonly type: DataType }>>> = Shown<{
  readonly [K in keyof S & string]: TypeOf<S[K]>;
}>;

/** Options of `watermark(...)`. */
export interface WatermarkOptions {
  /** By how many milliseconds of event time a row may come behind a younger one of its partition and be in time. Default 0. */
  readonly outOfOrderMs?: number;
}

/**
 * Rows on their way from a source to a sink; `F` are their columns. Each method describes one more step and returns a
 * new stream; nothing runs before the job that `to(...)` makes is started.
 *
 * Functions that are given columns (`where`, `select`, `groupBy`, `aggregate`) are called once, while the job is
 * described, and what they return becomes generated code. Plain functions (`map`, `filter`) are called for every row.
 *
 * Errors of every step: PLAN_INVALID where it cannot stand behind those before it.
 *
 * @example
 * ```ts
 * import { avg, count, job, rows, schema, t, toArray } from 'braidstream';
 *
 * const flight = schema({ date: t.timestamp().notNull(), origin: t.string().notNull(), delay: t.int() });
 * const flights = job('examples').from(
 *   rows(flight, [
 *     { date: Date.UTC(2001, 0, 1, 0, 1), origin: 'SEA', delay: 31 },
 *     { date: Date.UTC(2001, 0, 1, 0, 59), origin: 'ATL', delay: 2 },
 *     { date: Date.UTC(2001, 0, 1, 1, 0), origin: 'SEA' },
 *   ]),
 * );
 * ```
 */
export class Stream<F extends Fields> {
  /** What its rows are. */
  readonly schema: TableSchema<F>;
  /** @internal */
  readonly job: string;
  /** @internal */
  readonly node: LogicalNode;

  /** @internal */
  constructor(job: string, node: LogicalNode) {
    const { source, steps } = chainOf(node);
    checkChain(source, steps);
    this.job = job;
    this.node = node;
    this.schema = schemaFrom(node.schema);
  }

  /**
   * Says which column is the event time. Time goes on with the rows: to the greatest time seen minus `outOfOrderMs`, in
   * each partition, and over all to the slowest of them. A row behind it whose window has closed is late: it is counted
   * and given to `onLateRows`. A row without a time is a bad record.
   *
   * It stands behind the source, before filters. Errors: COLUMN_UNKNOWN; TYPE_MISMATCH for a column that is no TIMESTAMP.
   *
   * @example
   * ```ts
   * const timed = flights.watermark('date', { outOfOrderMs: 60_000 });
   * await timed.tumble({ days: 1 }).aggregate(() => ({ flights: count() })).select('flights').collect(); // => [ { flights: 3n } ]
   * ```
   */
  watermark(column: NamesOf<F, 'TIMESTAMP'>, options: WatermarkOptions = {}): Stream<F> {
    const { outOfOrderMs } = readOptions<Required<WatermarkOptions>>('watermark', options, {
      outOfOrderMs: optional(milliseconds, 0),
    });
    const { schema } = this.node;
    const index = columnIndex(schema, column);
    if (schema.fields[index]!.type.name !== 'TIMESTAMP')
      throw new BraidError('TYPE_MISMATCH', `event time is a TIMESTAMP, and ${column} is none`, {
        place: 'watermark',
        hint: `columns are ${formatSchema(schema)}`,
      });
    return this.#with({
      kind: 'watermark',
      name: this.#name('watermark'),
      schema,
      input: this.node,
      column: index,
      outOfOrderMs,
    });
  }

  /**
   * Keeps the rows for which the condition is true: not those for which it is false, nor those for which it is NULL.
   *
   * @example
   * ```ts
   * await flights.where(f => f.delay.gt(15).or(f.origin.eq('ATL'))).select('origin').collect();
   * // => [ { origin: 'SEA' }, { origin: 'ATL' } ]
   * ```
   */
  where(condition: (columns: Columns<F>) => BooleanExpression<boolean>): Stream<F> {
    const expression: unknown = aFunction<typeof condition>(condition, 'where')(columnsOf(this.node.schema));
    if (!isExpression(expression) || expression.type.name !== 'BOOLEAN')
      throw new BraidError('TYPE_MISMATCH', 'where needs a condition', {
        place: 'where',
        hint: 'such as columns => columns.delay.gt(15); a plain function over rows goes to filter(...)',
      });
    const { schema } = this.node;
    return this.#with({
      kind: 'filter',
      name: this.#name('where'),
      schema,
      input: this.node,
      condition: expression.node,
    });
  }

  /**
   * Rows of the given columns alone. Errors: COLUMN_UNKNOWN.
   *
   * @example
   * ```ts
   * await flights.select('origin', 'delay').collect();
   * // => [ { origin: 'SEA', delay: 31 }, { origin: 'ATL', delay: 2 }, { origin: 'SEA', delay: null } ]
   * ```
   */
  select<const K extends keyof F & string>(...names: readonly [K, ...K[]]): Stream<Shown<Pick<F, K>>>;
  /**
   * Rows of new columns, each computed from those that are there. Errors: TYPE_MISMATCH for what is no expression.
   *
   * @example
   * ```ts
   * await flights.select(f => ({ from: f.origin.lower(), seconds: f.delay.coalesce(0).times(60) })).collect();
   * // => [ { from: 'sea', seconds: 1860 }, { from: 'atl', seconds: 120 }, { from: 'sea', seconds: 0 } ]
   * ```
   */
  select<S extends Selection>(columns: (columns: Columns<F>) => S): Stream<FieldsOf<S>>;
  select(...given: readonly unknown[]): unknown {
    const { schema } = this.node;
    const [first] = given;
    const { fields, expressions } =
      typeof first === 'function' ? namedExpressions('select', first(columnsOf(schema))) : this.#named('select', given);
    return this.#with<Fields>({
      kind: 'project',
      name: this.#name('select'),
      schema: schemaOf(fields),
      input: this.node,
      columns: expressions,
    });
  }

  /**
   * Calls a plain function for every row and goes on with the rows that it returns, which are of `schema`. It runs on the
   * job's own thread, row by row, and is slow beside `select`: `explain()` calls it a row function. The event time stays
   * with the row.
   *
   * Errors: when the job runs, ROW_FUNCTION_FAILED if it throws and ROW_INVALID if what it returns is not of `schema`; both
   * fail the job.
   *
   * @example
   * ```ts
   * const initial = schema({ initial: t.string().notNull() });
   * await flights.map(row => ({ initial: row.origin[0] ?? '?' }), initial).collect();
   * // => [ { initial: 'S' }, { initial: 'A' }, { initial: 'S' } ]
   * ```
   */
  map<G extends Fields>(fn: (row: RowOf<F>) => GivenRow<G>, schema: TableSchema<G>): Stream<G> {
    if (!isTableSchema(schema))
      throw invalid('map(..., schema)', 'the schema of the new rows', schema, 'schema({ name: t.string(), ... })');
    return this.#rowFunction('map', schema.schema, { kind: 'map', fn: aFunction(fn, 'map') });
  }

  /**
   * Calls a plain function for every row and keeps those for which it returns true. On the job's own thread, row by row;
   * `where` is the fast form.
   *
   * Errors: when the job runs, ROW_FUNCTION_FAILED if it throws.
   *
   * @example
   * ```ts
   * await flights.filter(row => row.delay !== null && row.delay % 2 === 0).select('delay').collect(); // => [ { delay: 2 } ]
   * ```
   */
  filter(fn: (row: RowOf<F>) => boolean): Stream<F> {
    return this.#rowFunction('filter', this.node.schema, { kind: 'filter', fn: aFunction(fn, 'filter') });
  }

  /**
   * Groups rows by columns. A window follows. Errors: COLUMN_UNKNOWN.
   *
   * @example
   * ```ts
   * await flights
   *   .watermark('date')
   *   .groupBy('origin')
   *   .tumble({ days: 1 })
   *   .aggregate(f => ({ flights: count(), meanDelay: avg(f.delay.toDouble()) }))
   *   .select('origin', 'flights', 'meanDelay')
   *   .where(r => r.flights.gt(1))
   *   .collect(); // => [ { origin: 'SEA', flights: 2n, meanDelay: 31 } ]
   * ```
   */
  groupBy<const K extends keyof F & string>(...names: readonly [K, ...K[]]): Grouped<F, Shown<Pick<F, K>>>;
  /**
   * Groups rows by computed keys. NULLs are one group. A window follows.
   *
   * @example
   * ```ts
   * await flights
   *   .watermark('date')
   *   .groupBy(f => ({ late: f.delay.gt(15).coalesce(false) }))
   *   .tumble({ days: 1 })
   *   .aggregate(() => ({ flights: count() }))
   *   .select('late', 'flights')
   *   .where(r => r.late)
   *   .collect(); // => [ { late: true, flights: 1n } ]
   * ```
   */
  groupBy<S extends Selection>(keys: (columns: Columns<F>) => S): Grouped<F, FieldsOf<S>>;
  groupBy(...given: readonly unknown[]): unknown {
    const [first] = given;
    const keys =
      typeof first === 'function'
        ? namedExpressions('groupBy', first(columnsOf(this.node.schema)))
        : this.#named('groupBy', given);
    return groupStream(this.node, keys, this.#name('aggregate'), node => new Stream(this.job, node));
  }

  /**
   * One group of all rows, in tumbling windows: see `Grouped.tumble`.
   *
   * @example
   * ```ts
   * await flights.watermark('date').tumble({ hours: 1 }).aggregate(() => ({ flights: count() })).collect();
   * // => [
   * // =>   { windowStart: 978307200000, windowEnd: 978310800000, flights: 2n },
   * // =>   { windowStart: 978310800000, windowEnd: 978314400000, flights: 1n },
   * // => ]
   * ```
   */
  tumble(size: Duration, options?: WindowOptions): Windowed<F, Record<never, never>> {
    const none = { fields: [], expressions: [] };
    const all: Grouped<F, Record<never, never>> = groupStream(
      this.node,
      none,
      this.#name('aggregate'),
      node => new Stream(this.job, node),
    );
    return all.tumble(size, options);
  }

  /**
   * Names the last step, for events, metrics and `explain()`. Errors: OPTION_INVALID; PLAN_INVALID where the name is taken.
   *
   * @example
   * ```ts
   * const trimmed = flights.filter(row => row.delay !== null).named('with-delay');
   * trimmed.to(toArray()).explain().includes('with-delay: row function'); // => true
   * ```
   */
  named(name: string): Stream<F> {
    return this.#with({ ...this.node, name: aName(name, 'named') });
  }

  /**
   * Ends the description: a job that can be explained and started. Errors: as the sink has them.
   *
   * @example
   * ```ts
   * const late = flights.where(f => f.delay.gt(15)).to(toArray());
   * const run = await late.start();
   * (await run.done).output.length; // => 1
   * ```
   */
  to<Out>(sink: Sink<F, Out>): Job<Out> {
    return makeJob(this.job, this.node, sink as Sink<never, Out>);
  }

  /**
   * Runs the job and resolves with all its rows, or rejects with the error that ended it. For bounded jobs.
   *
   * @example
   * ```ts
   * (await flights.collect()).length; // => 3
   * ```
   */
  async collect(options?: StartOptions): Promise<RowOf<F>[]> {
    const run = await this.to(toArray<F>()).start(options);
    return (await run.done).output;
  }

  /**
   * The rows as a cold Observable: subscribing starts the job, unsubscribing stops it; it completes when the job has
   * finished, and errs when it failed.
   *
   * @example
   * ```ts
   * const origins: string[] = [];
   * await flights.toObservable().forEach(row => origins.push(row.origin));
   * origins; // => [ 'SEA', 'ATL', 'SEA' ]
   * ```
   */
  toObservable(options?: StartOptions): Observable<RowOf<F>> {
    return new Observable(subscriber => {
      const started = this.to(toObserver<F>({ next: row => subscriber.next(row) })).start(options);
      started
        .then(run => run.done)
        .then(
          () => subscriber.complete(),
          error => subscriber.error(error),
        );
      return () => void started.then(run => run.stop()).catch(() => {});
    });
  }

  #with<G extends Fields>(node: LogicalNode): Stream<G> {
    return new Stream<G>(this.job, Object.freeze(node));
  }

  #rowFunction<G extends Fields>(name: string, schema: LogicalNode['schema'], apply: unknown): Stream<G> {
    return this.#with({
      kind: 'rowFunction',
      name: this.#name(name),
      schema,
      input: this.node,
      apply: apply as RowFunctionNode['apply'],
    });
  }

  #named(place: string, names: readonly unknown[]): ReturnType<typeof namedExpressions> {
    const { schema } = this.node;
    if (names.length === 0)
      throw new BraidError('PLAN_INVALID', `${place} needs one column at least`, { place: `${place}()` });
    const indexes = names.map(name => {
      if (typeof name !== 'string') throw invalid(place, 'the name of a column', name);
      return columnIndex(schema, name);
    });
    return {
      fields: indexes.map(index => schema.fields[index]!),
      expressions: indexes.map(index => columnAt(schema, index)),
    };
  }

  /** `where`, then `where-2` and so on. */
  #name(base: string): string {
    const { source, steps } = chainOf(this.node);
    const taken = new Set([source, ...steps].map(node => node.name));
    let name = base;
    for (let i = 2; taken.has(name); i++) name = `${base}-${i}`;
    return name;
  }
}
