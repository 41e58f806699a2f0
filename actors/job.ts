import { isDeepStrictEqual } from 'node:util';
import type { Actor } from 'xstate';
import { type Clock, systemClock } from '../lib/base/clock.ts';
import { BraidError, toBraidError } from '../lib/base/errors.ts';
import { createClientFactory } from '../lib/kafka/client.ts';
import type { ClientFactory } from '../lib/kafka/transport.ts';
import type { JobHooks, JobMetrics, JobResult, JobState, RunningJob } from '../lib/plan/job-report.ts';
import type { ClusterAddress } from '../lib/plan/logical.ts';
import type { PhysicalPlan } from '../lib/plan/physical.ts';
import type { FragmentPool, FragmentPoolOptions } from '../lib/workers/pool.ts';
import { jobMachine } from '../state-machines/job.ts';
import { type ActorSystemPorts, chartActor, errorOf, follow } from './chart-actor.ts';
import { Connection, connectionDefaults } from './connection.ts';
import { type JobParts, makeParts } from './job-parts.ts';
import { JobReport } from './job-report.ts';

export interface JobPorts {
  readonly hooks: JobHooks;
  /** The tap (lib/inspect) that may look at the actors. */
  readonly register?: ActorSystemPorts['register'];
  readonly clock?: Clock;
  /** How clusters are dialled; kafkajs' sockets by default. */
  readonly dial?: (address: ClusterAddress) => ClientFactory;
  /** Who runs the head fragment; by default this thread, or Piscina where the plan asks for threads. */
  readonly makePool?: (options: FragmentPoolOptions) => FragmentPool;
  readonly limits?: Partial<JobLimits>;
}

export interface JobLimits {
  /** A cluster of the source and one of the sink must have answered, and the pool be warm, after this long. */
  readonly startMsMax: number;
  /** `stop()` waits this long for acknowledgements. */
  readonly drainMsMax: number;
}

const limitsDefault: JobLimits = { startMsMax: 15_000, drainMsMax: 10_000 };

/** Starts a job: makes an actor of every part of its plan, connects them and lets the rows flow. */
export function startJob(plan: PhysicalPlan, ports: JobPorts): RunningJob {
  return new Job(plan, ports).start();
}

class Job {
  readonly #plan: PhysicalPlan;
  readonly #ports: ActorSystemPorts;
  readonly #makePool: JobPorts['makePool'];
  readonly #limits: JobLimits;
  readonly #dial: (address: ClusterAddress) => ClientFactory;
  readonly #report: JobReport;
  readonly #actor: Actor<typeof jobMachine>;
  readonly #connections = new Map<string, Connection>();
  readonly #done: Promise<JobResult>;
  #resolve!: (result: JobResult) => void;
  #reject!: (error: BraidError) => void;
  #parts: JobParts | undefined;
  #waitsFor = new Set(['pool', 'source', 'sink']);
  #error: BraidError | undefined;
  #closing = false;
  #state: JobState = 'planning';

  constructor(plan: PhysicalPlan, ports: JobPorts) {
    const clock = ports.clock ?? systemClock;
    const clusters = clustersOf(plan);
    this.#plan = plan;
    this.#ports = {
      clock,
      register: ports.register ?? (() => {}),
      onCrash: (id, thrown) => this.#crashed(id, thrown),
    };
    this.#makePool = ports.makePool;
    this.#limits = { ...limitsDefault, ...ports.limits };
    this.#dial = ports.dial ?? createClientFactory;
    this.#report = new JobReport(plan, clock, ports.hooks);
    this.#done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Whoever does not look at `done` still hears of a failure by the event; it must not end the process.
    this.#done.catch(() => {});
    const machine = jobMachine.provide({
      actions: {
        makePlan: ({ self }) => self.send({ type: 'plan.ready' }),
        startActors: () => this.#startActors(),
        drainSources: () => this.#parts?.source.drain(),
        releaseParts: () => this.#close(undefined),
        abortParts: ({ context: { failure } }) => {
          if (failure !== null) this.#error ??= errorOf(failure, 'ASSERTION', this.#hintAbout(failure.place));
          this.#close(
            this.#error ?? new BraidError('JOB_STATE', 'the job was stopped before it ran', { place: plan.job }),
          );
        },
        announceHealthy: () => {},
        announceDegraded: () => {},
        announceFinished: () => {},
        announceStopped: () => {},
        announceFailed: () => {},
      },
      delays: { startLimit: this.#limits.startMsMax, drainLimit: this.#limits.drainMsMax },
    });
    this.#actor = chartActor(
      machine,
      `job ${plan.job}`,
      { job: plan.job, clusters: clusters.map(cluster => cluster.name) },
      this.#ports,
    );
  }

  start(): RunningJob {
    follow(this.#actor, ({ value, context }) => this.#follow(stateOf(value, Object.keys(context.lost).length > 0)));
    this.#actor.start();
    const job = this;
    return {
      get state() {
        return job.#state;
      },
      metrics: () => this.#metrics(),
      stop: async () => {
        this.#actor.send({ type: 'job.stop' });
        await this.#done.catch(() => {});
      },
      done: this.#done,
    };
  }

  #metrics(): JobMetrics {
    return this.#report.metrics(this.#state, this.#connections, this.#parts);
  }

  #startActors(): void {
    try {
      for (const address of clustersOf(this.#plan)) this.#connections.set(address.name, this.#connect(address));
      this.#parts = makeParts(this.#plan, this.#connections, this.#report, this.#ports, this.#makePool, {
        onReady: part => this.#ready(part),
        onExhausted: () => this.#actor.send({ type: 'source.exhausted' }),
        onDrained: () => queueMicrotask(() => this.#actor.send({ type: 'sink.drained' })),
        onFailed: (part, error) => this.#fail(part, error),
        onFirstRecord: () => this.#report.phase('firstRecord'),
      });
      this.#report.watch(this.#parts);
      this.#parts.start();
      for (const connection of this.#connections.values()) connection.start();
    } catch (thrown) {
      queueMicrotask(() => this.#fail('start', toBraidError(thrown)));
    }
  }

  /** What a failure without an error of its own may have to do with. */
  #hintAbout(place: string | undefined): string | undefined {
    const trouble = this.#parts?.source.trouble ?? this.#parts?.sink.trouble;
    return trouble?.describe() ?? this.#connections.get(place ?? '')?.trouble?.hint ?? this.#unanswered();
  }

  #unanswered(): string | undefined {
    const names = [...this.#connections.values()].filter(each => each.client === undefined).map(each => each.cluster);
    return names.length === 0 ? undefined : `no answer yet from ${names.join(', ')}`;
  }

  #connect(address: ClusterAddress): Connection {
    const { source } = this.#plan;
    const suspectAfterMs =
      source.node.kind === 'kafkaSource' ? source.node.options.suspectAfterMs : connectionDefaults.suspectAfterMs;
    const connection = new Connection(
      address.name,
      address.brokers,
      this.#dial(address),
      { ...connectionDefaults, suspectAfterMs, confirmAfterMs: suspectAfterMs / 2 },
      change => this.#report.event({ type: 'cluster', ...change }),
      this.#ports,
    );
    connection.listen({
      onHealthy: cluster => this.#actor.send({ type: 'cluster.healthy', cluster }),
      onLost: (cluster, reason) => this.#actor.send({ type: 'cluster.lost', cluster, reason }),
      onFailed: (cluster, error) => this.#fail(cluster, error),
    });
    return connection;
  }

  #ready(part: 'pool' | 'source' | 'sink'): void {
    if (!this.#waitsFor.delete(part)) return;
    if (part === 'pool') this.#report.phase('workers');
    if (part === 'source') this.#report.phase('connect');
    if (this.#waitsFor.size === 0) queueMicrotask(() => this.#actor.send({ type: 'actors.started' }));
  }

  #fail(part: string, error: BraidError): void {
    this.#error ??= error;
    this.#actor.send({ type: 'part.failed', part, failure: error });
  }

  /** An actor is dead by a defect. Where it is the job's own, nobody is left to decide, and the job ends here. */
  #crashed(id: string, thrown: unknown): void {
    const error = toBraidError(thrown, 'ASSERTION', id);
    if (id !== this.#actor.id) {
      this.#fail(id, error);
      return;
    }
    this.#error ??= error;
    this.#follow('failed');
    this.#close(this.#error);
  }

  /** Ends every part and then settles `done`: when it settles, no thread, socket or timer of the job is left. */
  #close(error: BraidError | undefined): void {
    if (this.#closing) return;
    this.#closing = true;
    for (const connection of this.#connections.values()) connection.close();
    const closing = this.#parts?.close(error) ?? Promise.resolve();
    void closing.then(() => {
      const metrics = this.#metrics();
      this.#report.close();
      this.#actor.stop();
      if (this.#state === 'failed') this.#reject(this.#error!);
      else
        this.#resolve({
          job: this.#plan.job,
          state: this.#state === 'stopped' ? 'stopped' : 'finished',
          metrics,
          startPhases: this.#report.phases,
        });
    });
  }

  #follow(to: JobState): void {
    const from = this.#state;
    if (to === from) return;
    this.#state = to;
    this.#report.event({ type: 'job', from, to, error: to === 'failed' ? this.#error : undefined });
  }
}

/** Every cluster of source and sink, once; one name must mean one cluster. */
function clustersOf(plan: PhysicalPlan): readonly ClusterAddress[] {
  const clusters = new Map<string, ClusterAddress>();
  const all = [
    ...(plan.source.node.kind === 'kafkaSource' ? plan.source.node.clusters : []),
    ...(plan.sink.kind === 'kafkaSink' ? plan.sink.clusters : []),
  ];
  for (const cluster of all) {
    const known = clusters.get(cluster.name);
    if (known !== undefined && !isDeepStrictEqual(known, cluster)) {
      throw new BraidError('PLAN_INVALID', `two clusters are called ${cluster.name}`, {
        place: cluster.name,
        hint: 'source and sink share one connection to a cluster: give both the same brokers, ssl and sasl',
      });
    }
    clusters.set(cluster.name, cluster);
  }
  return [...clusters.values()];
}

/** The end of a bounded input is not an order to stop: until its last row is acknowledged the job runs. */
function stateOf(value: unknown, degraded: boolean): JobState {
  if (typeof value === 'string') return value as JobState;
  const [[top, inner]] = Object.entries(value as Record<string, string>) as [[string, string]];
  if (top === 'draining' && inner !== 'ending') return 'draining';
  return degraded ? 'degraded' : 'running';
}
