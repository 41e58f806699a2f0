import type { Actor } from 'xstate';
import { type Clock, systemClock } from '../lib/base/clock.ts';
import { BraidError } from '../lib/base/errors.ts';
import { createClientFactory } from '../lib/kafka/client.ts';
import type { ClientFactory } from '../lib/kafka/transport.ts';
import type { JobHooks, JobMetrics, JobResult, JobState, RunningJob } from '../lib/plan/job-report.ts';
import type { ClusterAddress } from '../lib/plan/logical.ts';
import type { PhysicalPlan } from '../lib/plan/physical.ts';
import { jobMachine } from '../state-machines/job.ts';
import { type ActorSystemPorts, chartActor } from './chart-actor.ts';
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
  readonly limits?: Partial<JobLimits>;
}

export interface JobLimits {
  /** Every cluster must have answered, and the pool be warm, after this long. */
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
  #state: JobState = 'planning';

  constructor(plan: PhysicalPlan, ports: JobPorts) {
    const clock = ports.clock ?? systemClock;
    this.#plan = plan;
    this.#ports = { clock, register: ports.register ?? (() => {}) };
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
        abortParts: () =>
          this.#close(
            this.#error ?? new BraidError('JOB_STATE', 'the job was stopped before it ran', { place: plan.job }),
          ),
        announceHealthy: () => {},
        announceDegraded: () => {},
        announceFinished: () => {},
        announceStopped: () => {},
        announceFailed: ({ context }) => {
          this.#error ??= new BraidError(
            (context.failure?.code ?? 'ASSERTION') as 'ASSERTION',
            context.failure?.message ?? 'the job failed',
            {
              place: context.failure?.place,
            },
          );
        },
      },
      delays: { startLimit: this.#limits.startMsMax, drainLimit: this.#limits.drainMsMax },
    });
    this.#actor = chartActor(
      machine,
      `job ${plan.job}`,
      { job: plan.job, clusters: clustersOf(plan).map(cluster => cluster.name) },
      this.#ports,
    );
  }

  start(): RunningJob {
    this.#actor.subscribe(snapshot =>
      this.#follow(stateOf(snapshot.value, Object.keys(snapshot.context.lost).length > 0)),
    );
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
      this.#parts = makeParts(this.#plan, this.#connections, this.#report, this.#ports, {
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
      const error =
        thrown instanceof BraidError
          ? thrown
          : new BraidError('ASSERTION', (thrown as Error).message, { cause: thrown });
      queueMicrotask(() => this.#fail('start', error));
    }
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

  /** Ends every part and then settles `done`: when it settles, no thread, socket or timer of the job is left. */
  #close(error: BraidError | undefined): void {
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
    if (known !== undefined && known.brokers.join() !== cluster.brokers.join()) {
      throw new BraidError('PLAN_INVALID', `two clusters are called ${cluster.name}`, {
        place: cluster.name,
        hint: 'source and sink share one connection to a cluster: give both the same brokers',
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
