import { availableParallelism } from 'node:os';
import { isDeepStrictEqual } from 'node:util';
import { BraidError } from '../base/errors.ts';
import { rowsOf } from '../data/batch.ts';
import type { Value } from '../data/data-type.ts';
import { chainOf } from '../plan/chain.ts';
import { explainPlan } from '../plan/explain.ts';
import type { DeadLetter, JobOptions, LogicalNode, LogicalSink } from '../plan/logical.ts';
import type { PhysicalPlan } from '../plan/physical.ts';
import { planJob } from '../plan/planner.ts';
import { type JobHandle, type RunLimits, runPlan } from './handle.ts';
import { aFunction, optional, readOptions, wholeNumber } from './options.ts';
import type { OpenSink, Sink } from './sinks.ts';

/** Options of `start(...)`, `collect(...)` and `toObservable(...)`. */
export interface StartOptions {
  /**
   * Threads that decode, filter and pre-aggregate what was fetched from Kafka; 0: all on the job's own thread. Default:
   * one a core. Rows from memory are handled on the job's own thread.
   */
  readonly threads?: number;
  /** Gets the rows that came after their window had closed, whole: all columns of the source, used or not. */
  readonly onLateRows?: (rows: Readonly<Record<string, Value>>[]) => void;
  /** Gets the records that were no rows of the schema, where `badRecords` is not `fail`. */
  readonly onDeadLetter?: (letter: DeadLetter) => void;
  /** How often `metrics$` has a value, in ms. Default 1000. */
  readonly metricsEveryMs?: number;
  /** How long the clusters may take to answer before `start` gives up, in ms. Default 15,000. */
  readonly startMsMax?: number;
}

/**
 * A job that is described to its end. It can be started several times, also at once, as far as its source can: an array or a
 * Kafka topic is read anew each time, an iterator or a generator only once. `Out` is what its sink gathers.
 */
export interface Job<Out> {
  readonly name: string;
  /**
   * How it will run: a line for each operator with what is fused into it, which columns are read, and where it runs.
   *
   * @example
   * ```ts
   * import { job, rows, schema, t, toArray } from 'braidstream';
   *
   * const late = job('late').from(rows(schema({ delay: t.int() }), [])).where(f => f.delay.gt(15));
   * late.to(toArray()).explain().includes('delay > 15'); // => true
   * ```
   */
  explain(options?: StartOptions): string;
  /**
   * Starts it, and resolves as soon as it runs: a cluster of the source and one of the sink answer, and their topics are
   * there. A cluster that is out of reach makes the job `degraded`, holds event time like one that was lost, and is read
   * when it comes; a bounded job waits for it. Rejects, after 15 s at most, with the one error that keeps it from running;
   * nothing is left running then.
   *
   * Errors: OPTION_INVALID, OPTION_UNKNOWN; CLUSTER_UNREACHABLE, NOT_KAFKA, AUTHENTICATION_FAILED, TOPIC_UNKNOWN,
   * PARTITIONS_DIFFER from Kafka.
   */
  start(options?: StartOptions): Promise<JobHandle<Out>>;
}

/** Errors: PLAN_INVALID, and what the sink finds wrong with the rows. */
export function makeJob<Out>(name: string, last: LogicalNode, sink: Sink<never, Out>): Job<Out> {
  const plan = (open: OpenSink<Out>, options: JobOptions): PhysicalPlan =>
    planJob({ job: name, sink: open.node, options });
  const { source } = chainOf(last);
  const read = (given: StartOptions): ReadOptions => readStartOptions(given, source.kind === 'kafkaSource');
  // Planned once now, so that what cannot run is said where it is written.
  const first = sink.open(last);
  checkClusters(source, first.node);
  plan(first, read({}).job);
  return Object.freeze({
    name,
    explain: (given: StartOptions = {}) => explainPlan(plan(sink.open(last), read(given).job)),
    async start(given: StartOptions = {}) {
      const options = read(given);
      const open = sink.open(last);
      return runPlan(plan(open, options.job), open, options);
    },
  });
}

interface ReadOptions extends RunLimits {
  readonly job: JobOptions;
}

function readStartOptions(given: StartOptions, pooled: boolean): ReadOptions {
  const { threads, onLateRows, onDeadLetter, metricsEveryMs, startMsMax } = readOptions<{
    threads: number;
    onLateRows: StartOptions['onLateRows'];
    onDeadLetter: StartOptions['onDeadLetter'];
    metricsEveryMs: number;
    startMsMax: number;
  }>('start', given, {
    threads: optional(wholeNumber(0, 256, 'threads'), pooled ? availableParallelism() : 0),
    onLateRows: optional(aFunction<NonNullable<StartOptions['onLateRows']>>, undefined),
    onDeadLetter: optional(aFunction<NonNullable<StartOptions['onDeadLetter']>>, undefined),
    metricsEveryMs: optional(wholeNumber(10, 3_600_000, 'milliseconds'), 1000),
    startMsMax: optional(wholeNumber(100, 3_600_000, 'milliseconds'), 15_000),
  });
  return {
    metricsEveryMs,
    startMsMax,
    job: {
      threads,
      onLateRows: onLateRows && (batch => onLateRows(rowsOf(batch).map(row => ({ ...row })))),
      onDeadLetter,
    },
  };
}

/** A cluster of source and sink is one cluster with one connection: under one name there is one address. */
function checkClusters(source: LogicalNode, sink: LogicalSink): void {
  if (source.kind !== 'kafkaSource' || sink.kind !== 'kafkaSink') return;
  for (const cluster of sink.clusters) {
    const other = source.clusters.find(({ name }) => name === cluster.name);
    if (other !== undefined && !isDeepStrictEqual(other, cluster))
      throw new BraidError(
        'OPTION_INVALID',
        `the cluster ${cluster.name} is another one in the source than in the sink`,
        {
          place: 'kafkaSink.clusters',
          hint: 'give both the same brokers, ssl, sasl and allowInsecure, or the clusters different names',
        },
      );
  }
}
