import type { Clock } from '../lib/base/clock.ts';
import { BraidError, sentenceOf } from '../lib/base/errors.ts';
import type { Batch } from '../lib/data/batch.ts';
import type {
  ClusterMetrics,
  JobEvent,
  JobHooks,
  JobMetrics,
  JobState,
  SinkMetrics,
  StartPhase,
} from '../lib/plan/job-report.ts';
import type { DeadLetter } from '../lib/plan/logical.ts';
import type { PhysicalPlan } from '../lib/plan/physical.ts';
import { ClusterSink } from './cluster-sink.ts';
import { ClusterSource } from './cluster-source.ts';
import type { Connection } from './connection.ts';
import type { JobParts } from './job-parts.ts';
import { Rate } from './rates.ts';
import type { ReportedEvent, Reports } from './reports.ts';
import type { Split } from './split.ts';

const sampleEveryMs = 250;

/** Collects what the actors of a job tell, keeps the counters and makes the figures when somebody asks for them. */
export class JobReport implements Reports {
  readonly #plan: PhysicalPlan;
  readonly #clock: Clock;
  readonly #hooks: JobHooks;
  readonly #startedAt: number;
  readonly #phases: StartPhase[] = [];
  readonly #rates = new Map<string, Rate>();
  readonly #stopSampling: () => void;
  #parts: JobParts | undefined;
  #lateRows = 0;
  #badRecords = 0;

  constructor(plan: PhysicalPlan, clock: Clock, hooks: JobHooks) {
    this.#plan = plan;
    this.#clock = clock;
    this.#hooks = hooks;
    this.#startedAt = clock.now();
    this.#stopSampling = clock.every(sampleEveryMs, () => this.#sample());
  }

  event(event: ReportedEvent): void {
    this.#hooks.onEvent({ at: this.#clock.now(), ...event } as JobEvent);
  }

  lateRows(cluster: string, batch: Batch): void {
    this.#lateRows += batch.rows;
    this.event({ type: 'late', cluster, rows: batch.rows });
    callUser('onLateRows', () => this.#plan.options.onLateRows?.(batch));
  }

  deadLetters(letters: readonly DeadLetter[]): void {
    const [first] = letters;
    if (first === undefined) return;
    this.#badRecords += letters.length;
    const { cluster, topic, partition, offset, reason } = first;
    this.event({
      type: 'deadLetters',
      cluster,
      topic,
      partition,
      records: letters.length,
      firstOffset: offset,
      reason,
    });
    callUser('onDeadLetter', () => {
      for (const letter of letters) this.#plan.options.onDeadLetter?.(letter);
    });
  }

  /** A phase of the start has ended; they all begin with the call of `start()`. */
  phase(name: StartPhase['name']): void {
    this.#phases.push({ name, startMs: 0, durationMs: this.#clock.now() - this.#startedAt });
  }
  get phases(): readonly StartPhase[] {
    return this.#phases;
  }

  close(): void {
    this.#stopSampling();
  }

  metrics(state: JobState, connections: ReadonlyMap<string, Connection>, parts: JobParts | undefined): JobMetrics {
    const source = parts?.source;
    const fromClusters = source instanceof ClusterSource ? source : undefined;
    return {
      state,
      uptimeMs: this.#clock.now() - this.#startedAt,
      recordsIn: this.#recordsIn(),
      recordsOut: parts?.sink.rowsIn ?? 0,
      recordsPerSecond: this.#rate('').perSecond,
      lateRows: this.#lateRows,
      badRecords: this.#badRecords,
      watermark: source?.watermark ?? Number.NEGATIVE_INFINITY,
      heldBy: fromClusters?.heldBy,
      clusters: [...connections.values()].map(connection => this.#clusterMetrics(connection, fromClusters)),
      operators: parts?.operators.map(operator => operator.metrics()) ?? [],
      sink: sinkMetrics(parts?.sink),
      prefetchBytes: fromClusters?.slabs.usedBytes ?? 0,
      prefetchBytesMax: fromClusters?.slabs.budgetBytes ?? 0,
      poolTasks: fromClusters?.poolTasks ?? 0,
    };
  }

  /** The parts to sample; known once they are made. */
  watch(parts: JobParts): void {
    this.#parts = parts;
  }

  #clusterMetrics(connection: Connection, source: ClusterSource | undefined): ClusterMetrics {
    const splits = source?.splitsOf(connection.cluster) ?? [];
    return {
      name: connection.cluster,
      state: connection.state,
      recordsIn: recordsOf(splits),
      recordsPerSecond: this.#rate(connection.cluster).perSecond,
      lag: splits.reduce(
        (sum, split) => sum + Math.max(0, Math.min(split.highWatermark, split.endOffset) - split.ownedOffset),
        0,
      ),
    };
  }

  #sample(): void {
    const now = this.#clock.now();
    this.#rate('').sample(now, this.#recordsIn());
    const source = this.#parts?.source;
    if (!(source instanceof ClusterSource)) return;
    for (const { name } of source.node.clusters) this.#rate(name).sample(now, recordsOf(source.splitsOf(name)));
  }

  #recordsIn(): number {
    const source = this.#parts?.source;
    if (source === undefined) return 0;
    if (!(source instanceof ClusterSource)) return source.recordsIn;
    return source.node.clusters.reduce((sum, { name }) => sum + recordsOf(source.splitsOf(name)), 0);
  }

  /** Rates by cluster; '' is the sum. */
  #rate(name: string): Rate {
    let rate = this.#rates.get(name);
    if (rate === undefined) {
      rate = new Rate();
      this.#rates.set(name, rate);
    }
    return rate;
  }
}

/** What a callback of the program throws is its own error, not a crash of the actor that called it. */
function callUser(place: string, call: () => void): void {
  try {
    call();
  } catch (thrown) {
    const reason = sentenceOf(thrown);
    throw new BraidError('SINK_FAILED', `a callback of the job threw: ${reason}`, { place, cause: thrown });
  }
}

function recordsOf(splits: readonly Split[]): number {
  return splits.reduce((sum, split) => sum + split.recordsIn, 0);
}

function sinkMetrics(sink: JobParts['sink'] | undefined): SinkMetrics {
  if (sink instanceof ClusterSink) {
    const { active, acknowledged, unacknowledged, resent, switches } = sink;
    return { active, acknowledged, unacknowledged, resent, switches };
  }
  return { active: undefined, acknowledged: sink?.rowsIn ?? 0, unacknowledged: 0, resent: 0, switches: 0 };
}
