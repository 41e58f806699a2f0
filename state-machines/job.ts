import { assign, setup } from 'xstate';
import { type Failure, failureOf } from './failure.ts';
import { notImplemented } from './not-implemented.ts';

export interface JobInput {
  readonly job: string;
  /** Names of all clusters that the job reads or writes; empty for a job without Kafka. */
  readonly clusters: readonly string[];
}

export interface JobContext {
  readonly job: string;
  readonly clusters: readonly string[];
  /** Clusters that do not serve now, each with the reason. Before its first connection a cluster is not listed. */
  readonly lost: Readonly<Record<string, string>>;
  /** Times that a cluster was lost. */
  readonly outages: number;
  readonly failure: Failure | null;
}

export type JobEvent =
  | { readonly type: 'plan.ready' }
  /** Every part runs: pool, connections, operators, sinks and sources. */
  | { readonly type: 'actors.started' }
  | { readonly type: 'cluster.lost'; readonly cluster: string; readonly reason: string }
  | { readonly type: 'cluster.healthy'; readonly cluster: string }
  /** Every bounded source has handed over its last row and the final watermark. */
  | { readonly type: 'source.exhausted' }
  /** Every sink has had its last row acknowledged. */
  | { readonly type: 'sink.drained' }
  | { readonly type: 'part.failed'; readonly part: string; readonly failure: Failure }
  | { readonly type: 'job.stop' };

/**
 * The life of a job. A lost cluster degrades it and never fails it; a failed part fails it, for there are no
 * checkpoints to recover from yet.
 *
 * Two ways to the end: `ending` (the input is over, open windows are emitted, however long the sinks need) and
 * `stopping` (an order: what is in the channels goes out, no open window, within `drainLimit`). A stop that comes while
 * the job is `ending` only sets the limit. Rows that could not be delivered within it make the job `failed`, since a
 * loss is never silent.
 *
 * A sink is drained by the end mark, which overtakes what the source reports about itself where the input is short, or
 * empty: then the job is finished, whether it was `running` or still `starting`.
 */
export const jobMachine = setup({
  types: {} as { context: JobContext; events: JobEvent; input: JobInput },
  actions: {
    makePlan: () => notImplemented('job.makePlan'),
    startActors: () => notImplemented('job.startActors'),
    drainSources: () => notImplemented('job.drainSources'),
    releaseParts: () => notImplemented('job.releaseParts'),
    abortParts: () => notImplemented('job.abortParts'),
    announceHealthy: () => notImplemented('job.announceHealthy'),
    announceDegraded: () => notImplemented('job.announceDegraded'),
    announceFinished: () => notImplemented('job.announceFinished'),
    announceStopped: () => notImplemented('job.announceStopped'),
    announceFailed: () => notImplemented('job.announceFailed'),
    noteLost: assign({
      lost: ({ context, event }) =>
        event.type === 'cluster.lost' ? { ...context.lost, [event.cluster]: event.reason } : context.lost,
      outages: ({ context, event }) =>
        event.type === 'cluster.lost' && !(event.cluster in context.lost) ? context.outages + 1 : context.outages,
    }),
    noteHealthy: assign({
      lost: ({ context, event }) =>
        event.type === 'cluster.healthy'
          ? Object.fromEntries(Object.entries(context.lost).filter(([cluster]) => cluster !== event.cluster))
          : context.lost,
    }),
    noteFailure: assign({ failure: ({ event }) => (event.type === 'part.failed' ? failureOf(event.failure) : null) }),
    noteStartTimeout: assign({ failure: ({ context }) => startTimeout(context) }),
    noteDrainTimeout: assign({
      failure: ({ context }) => ({
        code: 'SINK_FAILED',
        message: `the job was told to stop, and rows were not acknowledged in time${lostClusters(context)}`,
        place: context.job,
      }),
    }),
  },
  guards: {
    someClusterLost: ({ context }) => Object.keys(context.lost).length > 0,
    everyClusterServes: ({ context }) => Object.keys(context.lost).length === 0,
  },
  delays: {
    startLimit: () => notImplemented('job.startLimit'),
    drainLimit: () => notImplemented('job.drainLimit'),
  },
}).createMachine({
  id: 'job',
  context: ({ input }) => ({ job: input.job, clusters: input.clusters, lost: {}, outages: 0, failure: null }),
  initial: 'planning',
  on: {
    'cluster.lost': { actions: 'noteLost' },
    'cluster.healthy': { actions: 'noteHealthy' },
    'part.failed': { target: '.failed', actions: 'noteFailure' },
  },
  states: {
    planning: {
      entry: 'makePlan',
      on: {
        'plan.ready': 'starting',
        'job.stop': { target: 'stopped', actions: 'abortParts' },
      },
    },
    starting: {
      entry: 'startActors',
      on: {
        'actors.started': [{ guard: 'everyClusterServes', target: 'running' }, { target: 'running.degraded' }],
        'sink.drained': 'finished',
        'job.stop': { target: 'stopped', actions: 'abortParts' },
      },
      after: {
        startLimit: { target: 'failed', actions: 'noteStartTimeout' },
      },
    },
    running: {
      initial: 'healthy',
      on: {
        'source.exhausted': 'draining',
        'sink.drained': 'finished',
        'job.stop': 'draining.stopping',
      },
      states: {
        healthy: {
          entry: 'announceHealthy',
          always: { guard: 'someClusterLost', target: 'degraded' },
        },
        degraded: {
          entry: 'announceDegraded',
          always: { guard: 'everyClusterServes', target: 'healthy' },
        },
      },
    },
    draining: {
      initial: 'ending',
      states: {
        ending: {
          on: {
            'sink.drained': '#job.finished',
            'job.stop': 'endingInTime',
          },
        },
        endingInTime: {
          on: {
            'sink.drained': '#job.finished',
          },
          after: {
            drainLimit: { target: '#job.failed', actions: 'noteDrainTimeout' },
          },
        },
        stopping: {
          entry: 'drainSources',
          on: {
            'sink.drained': '#job.stopped',
          },
          after: {
            drainLimit: { target: '#job.failed', actions: 'noteDrainTimeout' },
          },
        },
      },
    },
    finished: {
      type: 'final',
      entry: ['releaseParts', 'announceFinished'],
    },
    stopped: {
      type: 'final',
      entry: ['releaseParts', 'announceStopped'],
    },
    failed: {
      type: 'final',
      entry: ['abortParts', 'announceFailed'],
    },
  },
});

/** The first lost cluster is why a job does not start, where there is one. */
function startTimeout(context: JobContext): Failure {
  const [lost] = Object.entries(context.lost);
  if (lost === undefined) {
    return { code: 'JOB_STATE', message: 'the parts of the job did not start in time', place: context.job };
  }
  const [cluster, reason] = lost;
  return { code: 'CLUSTER_UNREACHABLE', message: `the cluster was not reached: ${reason}`, place: cluster };
}

function lostClusters(context: JobContext): string {
  const lost = Object.entries(context.lost).map(([cluster, reason]) => `${cluster}: ${reason}`);
  return lost.length === 0 ? '' : ` (${lost.join('; ')})`;
}
