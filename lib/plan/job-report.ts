import type { BraidError, BraidErrorCode } from '../base/errors.ts';

/**
 * What a running job tells about itself: facts as they happen (`JobEvent`), figures when asked (`JobMetrics`), and an
 * account at the end (`JobResult`). Plain data without methods, so that it can be logged, stored and sent as JSON.
 *
 * Law: an event is a fact of the control plane. There is at most one a fault, a switch or a batch, never one a record.
 */

/**
 * | state | meaning |
 * |---|---|
 * | planning | the plan is made and its kernels are generated |
 * | starting | threads, connections, topics and offsets are made ready |
 * | running | rows flow and every cluster answers |
 * | degraded | rows flow, or wait, while at least one cluster is not healthy |
 * | draining | `stop()` was called: what is in the channels still goes to the sink, open windows do not |
 * | finished | a bounded input was read to its end and all results are acknowledged |
 * | stopped | `stop()` is through |
 * | failed | an error ended the job: `done` rejects with it |
 */
export const jobStates = [
  'planning',
  'starting',
  'running',
  'degraded',
  'draining',
  'finished',
  'stopped',
  'failed',
] as const;
/** The states of the table above. */
export type JobState = (typeof jobStates)[number];

/** States of the connection to one Kafka cluster, as its chart has them. A black hole counts as `down`. */
export const clusterStates = ['connecting', 'healthy', 'suspect', 'down', 'probing', 'recovering', 'stopped'] as const;
/** One of them. */
export type ClusterState = (typeof clusterStates)[number];

/** Something that happened to a job; `type` says what. */
export type JobEvent =
  | JobStateEvent
  | ClusterEvent
  | SinkSwitchedEvent
  | WatermarkHeldEvent
  | WatermarkReleasedEvent
  | LateRowsEvent
  | DeadLettersEvent
  | WorkerCrashedEvent
  | ActorRestartedEvent
  | LocalPhaseEvent;

interface EventBase {
  /** When: milliseconds by the job's clock, which is `performance.now()` of its process; add `performance.timeOrigin` for the wall clock. */
  readonly at: number;
}

/** The job moved from one state to another. `error` where that state is `failed`. */
export interface JobStateEvent extends EventBase {
  readonly type: 'job';
  readonly from: JobState;
  readonly to: JobState;
  readonly error?: BraidError | undefined;
}
/** The connection to a cluster moved from one state to another. */
export interface ClusterEvent extends EventBase {
  readonly type: 'cluster';
  readonly cluster: string;
  readonly from: ClusterState;
  readonly to: ClusterState;
  /** One sentence: `no answer for 412 ms`. */
  readonly reason: string;
  /** Connection generation: grows with each new connection to this cluster. */
  readonly generation: number;
}
/** The sink writes to another cluster now. */
export interface SinkSwitchedEvent extends EventBase {
  readonly type: 'sink.switched';
  readonly from: string;
  readonly to: string;
  /** Rows that were unacknowledged and are sent again. */
  readonly resent: number;
  /** From the fault as the connection saw it to the first acknowledgement by the new cluster, or to the switch if nothing was unacknowledged. */
  readonly ms: number;
}
/** A cluster that is down holds the watermark, so that its rows are not late when it returns. */
export interface WatermarkHeldEvent extends EventBase {
  readonly type: 'watermark.held';
  readonly cluster: string;
  /** Event time in ms at which it stands; -Infinity before the first. */
  readonly watermark: number;
  /** Milliseconds for which it will wait at most, from the cluster's last answer. */
  readonly holdMsMax: number;
}
/** The watermark is free again. */
export interface WatermarkReleasedEvent extends EventBase {
  readonly type: 'watermark.released';
  readonly cluster: string;
  /**
   * `returned`: the cluster is healthy; `expired`: it was waited for long enough, its splits are idle now; `finished`: what
   * was fetched of it before went up to the end of the bounded input.
   */
  readonly because: 'returned' | 'expired' | 'finished';
  readonly heldMs: number;
}
/** Rows came after their window had closed: counted, and given to `onLateRows` if there is one. At most one event a batch. */
export interface LateRowsEvent extends EventBase {
  readonly type: 'late';
  readonly cluster: string;
  readonly rows: number;
}
/** Records that are not rows of the schema were skipped, or had fields set to NULL. At most one event a batch. */
export interface DeadLettersEvent extends EventBase {
  readonly type: 'deadLetters';
  readonly cluster: string;
  readonly topic: string;
  readonly partition: number;
  readonly records: number;
  readonly firstOffset: number;
  /** Why the first of them was bad. */
  readonly reason: string;
}
/** A pool thread died; its task runs once more on another thread. */
export interface WorkerCrashedEvent extends EventBase {
  readonly type: 'worker.crashed';
  /** Topic, partition and offsets of the task. */
  readonly place: string;
  readonly reason: string;
}
/** A connection, a source reader or a sink writer failed and was started again, alone. */
export interface ActorRestartedEvent extends EventBase {
  readonly type: 'actor.restarted';
  readonly actor: string;
  readonly code: BraidErrorCode;
  readonly reason: string;
  /** Restarts of this actor so far, and how many its budget allows. */
  readonly restarts: number;
  readonly restartsMax: number;
}
/** The local phase of an aggregate was switched off (or on again), because its partials do (not) shrink the input. */
export interface LocalPhaseEvent extends EventBase {
  readonly type: 'localPhase';
  readonly operator: string;
  readonly on: boolean;
  /** Partials per row that passed the filter, as measured: 1 means that nothing was combined. */
  readonly partialsPerRow: number;
}

/** Figures of a running job. Counters grow from 0 at the start; rates are over the last second. */
export interface JobMetrics {
  readonly state: JobState;
  /** Milliseconds since the start. */
  readonly uptimeMs: number;
  /** Records read and judged, bad and late ones included. */
  readonly recordsIn: number;
  /** Rows handed to the sink. */
  readonly recordsOut: number;
  readonly recordsPerSecond: number;
  readonly lateRows: number;
  readonly badRecords: number;
  /** Event time in ms; -Infinity before the first, Infinity after the last. */
  readonly watermark: number;
  /** The cluster that holds the watermark, and for how long already; undefined while nothing does. */
  readonly heldBy: { readonly cluster: string; readonly ms: number } | undefined;
  readonly clusters: readonly ClusterMetrics[];
  readonly operators: readonly OperatorMetrics[];
  readonly sink: SinkMetrics;
  /** Memory of bytes that were fetched and not yet merged. */
  readonly prefetchBytes: number;
  readonly prefetchBytesMax: number;
  /** Tasks of the pool that run or wait. */
  readonly poolTasks: number;
}

/** One cluster of the source or of the sink. */
export interface ClusterMetrics {
  readonly name: string;
  readonly state: ClusterState;
  /** Records of this cluster that were read. */
  readonly recordsIn: number;
  readonly recordsPerSecond: number;
  /** Records between the owned offsets and the ends of the logs, as last heard. */
  readonly lag: number;
}

/** Figures of one operator. */
export interface OperatorMetrics {
  readonly name: string;
  readonly rowsIn: number;
  readonly rowsOut: number;
  /** Windows with state; 0 for operators without. */
  readonly openWindows: number;
  /** Groups (window and key) with state. */
  readonly groups: number;
}

/** Figures of the sink. */
export interface SinkMetrics {
  /** The cluster that is written to; undefined where the sink is no Kafka cluster. */
  readonly active: string | undefined;
  readonly acknowledged: number;
  readonly unacknowledged: number;
  /** Rows that were sent again to another cluster, which may hold them twice. */
  readonly resent: number;
  readonly switches: number;
}

/** The account at the end of a job. */
export interface JobResult {
  readonly job: string;
  /** `finished`: read to the end; `stopped`: by `stop()`. */
  readonly state: 'finished' | 'stopped';
  readonly metrics: JobMetrics;
  /** How the start went: phase after phase, in ms. */
  readonly startPhases: readonly StartPhase[];
}

/**
 * One phase of the start. `load` (the engine's code) comes first; the others begin with its end and go on side by side:
 * `workers` until every thread has compiled the plan's fragments, `connect` until the splits of the source are known and
 * read, `firstRecord` until the first result has left the pool.
 */
export interface StartPhase {
  readonly name: 'load' | 'workers' | 'connect' | 'firstRecord';
  /** From the call of `start()`, in ms. */
  readonly startMs: number;
  readonly durationMs: number;
}

/** What whoever runs a job gives to it: plain callbacks, called on the job's thread; they must not throw. */
export interface JobHooks {
  readonly onEvent: (event: JobEvent) => void;
}

/** What whoever runs a job gets: the public handle is made of this. */
export interface RunningJob {
  readonly state: JobState;
  metrics(): JobMetrics;
  /** Drains the channels into the sink, emits no open window, closes everything. Resolves when nothing is left. */
  stop(): Promise<void>;
  /** Resolves when the job has finished or was stopped, rejects when it failed. */
  readonly done: Promise<JobResult>;
}
