import { merge, type Observable, ReplaySubject, share, timer } from 'rxjs';
import { map, takeUntil } from 'rxjs/operators';
import type { InspectEvent } from '../inspect/inspect-event.ts';
import { explainPlan } from '../plan/explain.ts';
import type { JobEvent, JobMetrics, JobResult, JobState, LocalPhaseEvent } from '../plan/job-report.ts';
import type { PhysicalPlan } from '../plan/physical.ts';
import type { OpenSink } from './sinks.ts';

/** What is left of a job that has ended well. */
export interface FinishedJob<Out> extends JobResult {
  /** What the sink gathered: the rows for `toArray()`, undefined for others. */
  readonly output: Out;
}

/**
 * A job that was started.
 *
 * @example
 * ```ts
 * import { job, rows, schema, t, toArray } from 'braidstream';
 *
 * const run = await job('handle').from(rows(schema({ n: t.int() }), [{ n: 1 }, { n: 2 }])).to(toArray()).start();
 * const states: string[] = [];
 * run.events$.subscribe(event => {
 *   if (event.type === 'job') states.push(event.to);
 * });
 * const { metrics } = await run.done;
 * states.at(-1); // => 'finished'
 * metrics.recordsIn; // => 2
 * ```
 */
export interface JobHandle<Out = unknown> {
  readonly name: string;
  readonly state: JobState;
  /** Facts as they happen. The last 1,000 are repeated to whoever subscribes late. Completes when the job has ended, however it ended. */
  readonly events$: Observable<JobEvent>;
  /** Figures, every `metricsEveryMs`, and once more at the end. Completes when the job has ended, however it ended. */
  readonly metrics$: Observable<JobMetrics>;
  /** The actors of the job, their charts, mail and states. Costs nothing while nobody subscribes. */
  readonly inspect$: Observable<InspectEvent>;
  /** Resolves when the job has finished or was stopped, and nothing of it is left; rejects with a BraidError when it failed. */
  readonly done: Promise<FinishedJob<Out>>;
  /** Figures of this moment. */
  metrics(): JobMetrics;
  /** How it runs, with what was measured since: whether the local phase is on. */
  explain(): string;
  /**
   * Reads nothing more, writes what is under way, emits no open window, and closes everything. Resolves when nothing is
   * left. Rows that no cluster has acknowledged after ten seconds are given up: `done` then rejects with SINK_FAILED, for a loss
   * is never silent. Calling it again, or after the end, is fine.
   */
  stop(): Promise<void>;
}

const eventsKept = 1000;

/** Times of one run, ms: how often `metrics$` has a value, and how long the start may take. */
export interface RunLimits {
  readonly metricsEveryMs: number;
  readonly startMsMax: number;
}

/** Starts a plan and resolves when it runs. The engine is loaded here, so that describing a job does not need it. */
export async function runPlan<Out>(
  plan: PhysicalPlan,
  sink: OpenSink<Out>,
  { metricsEveryMs, startMsMax }: RunLimits,
): Promise<JobHandle<Out>> {
  const calledAt = performance.now();
  const [{ startJob }, { createTap }] = await Promise.all([import('../../actors/job.ts'), import('../inspect/tap.ts')]);
  const loadMs = performance.now() - calledAt;
  const tap = createTap();
  const events = new ReplaySubject<JobEvent>(eventsKept);
  const ended = new ReplaySubject<void>(1);
  const localPhases = new Map<string, LocalPhaseEvent>();
  let started = (): void => {};
  const running = new Promise<void>(resolve => {
    started = resolve;
  });

  const job = startJob(plan, {
    register: (id, kind, actor) => tap.register(id, kind, actor),
    limits: { startMsMax },
    hooks: {
      onEvent(event) {
        if (event.type === 'localPhase') localPhases.set(event.operator, event);
        if (event.type === 'job' && event.to !== 'starting' && event.to !== 'failed') started();
        events.next(event);
      },
    },
  });
  const end = (): void => {
    events.complete();
    ended.next();
    ended.complete();
  };
  const done = job.done.then(result => ({
    ...result,
    startPhases: [
      { name: 'load' as const, startMs: 0, durationMs: loadMs },
      ...result.startPhases.map(phase => ({ ...phase, startMs: phase.startMs + loadMs })),
    ],
    output: sink.output(),
  }));
  // Who awaits nothing still hears of a failure, by the event: it must not end the process as an unhandled rejection.
  done.catch(() => {});
  job.done.then(end, end);
  // A start that fails is told by `start()` alone.
  await Promise.race([running, job.done]);

  return {
    name: plan.job,
    get state() {
      return job.state;
    },
    events$: events.asObservable(),
    metrics$: merge(timer(0, metricsEveryMs).pipe(takeUntil(ended)), ended).pipe(
      map(() => job.metrics()),
      share(),
    ),
    inspect$: tap.inspect$,
    done,
    metrics: () => job.metrics(),
    explain: () => explainPlan(plan, localPhases),
    stop: () => job.stop(),
  };
}
