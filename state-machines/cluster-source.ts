import { assign, raise, setup } from 'xstate';
import { type Failure, failureOf } from './failure.ts';
import { notImplemented } from './not-implemented.ts';

export interface ClusterSourceInput {
  readonly source: string;
  readonly clusters: readonly string[];
  /** A bounded source ends when every split has reached its end offset. */
  readonly bounded: boolean;
  /** Crashes of readers within `crashWindow` that are borne; one more fails the source. */
  readonly crashesMax: number;
}

export interface ClusterSourceContext {
  readonly source: string;
  readonly clusters: readonly string[];
  readonly bounded: boolean;
  readonly crashesMax: number;
  /** Clusters whose splits are being read. */
  readonly serving: readonly string[];
  /** Clusters that cannot be reached; one that is in neither list is being connected to or asked for its splits. */
  readonly lost: readonly string[];
  /** Splits that have not reached their end, by cluster; a cluster without an entry has not been reached yet. */
  readonly openSplits: Readonly<Record<string, readonly string[]>>;
  /** Lost clusters that still hold the watermark, each with the number of its hold. */
  readonly holding: Readonly<Record<string, number>>;
  /** Holds so far; numbers them, so that the timer of a hold that has ended cannot end a later one. */
  readonly holds: number;
  /** Crashes of readers within the window just past. */
  readonly crashes: number;
  readonly failure: Failure | null;
}

export type ClusterSourceEvent =
  | { readonly type: 'cluster.healthy'; readonly cluster: string; readonly generation: number }
  /** `silentMs`: time since the cluster's last answer, from which the hold of the watermark counts. */
  | { readonly type: 'cluster.lost'; readonly cluster: string; readonly reason: string; readonly silentMs: number }
  /** The splits of a healthy cluster are known, each with its own name. Sent again after each return. */
  | { readonly type: 'splits.assigned'; readonly cluster: string; readonly splits: readonly string[] }
  | { readonly type: 'split.finished'; readonly cluster: string; readonly split: string }
  /** Nothing that a restart could mend: topic unknown, offset out of range, a corrupt batch. */
  | { readonly type: 'split.failed'; readonly cluster: string; readonly failure: Failure }
  | { readonly type: 'reader.crashed'; readonly split: string; readonly reason: string }
  | { readonly type: 'reader.due'; readonly split: string }
  | { readonly type: 'crash.forgiven' }
  | { readonly type: 'hold.expired'; readonly cluster: string; readonly hold: number }
  | { readonly type: 'source.drain' }
  /** Everything that was produced has been taken over by the next channel. */
  | { readonly type: 'output.drained' }
  | { readonly type: 'source.abort' };

/**
 * A source that reads the union of the splits of N clusters.
 *
 * Laws: it begins when it knows the splits of at least one cluster and has lost every other one; a cluster that is not
 * known yet counts as one that may bring any rows; a lost cluster stops its own readers alone; silence is never idleness,
 * so a lost cluster holds the watermark for `holdWatermark`, and only then are its splits idle; a cluster whose splits have
 * all reached their end holds nothing; a bounded source is not finished before every cluster is known and every split
 * has reached its end.
 */
export const clusterSourceMachine = setup({
  types: {} as { context: ClusterSourceContext; events: ClusterSourceEvent; input: ClusterSourceInput },
  actions: {
    assignSplits: () => notImplemented('clusterSource.assignSplits'),
    startReaders: () => notImplemented('clusterSource.startReaders'),
    resumeReaders: () => notImplemented('clusterSource.resumeReaders'),
    suspendReaders: () => notImplemented('clusterSource.suspendReaders'),
    announceHold: () => notImplemented('clusterSource.announceHold'),
    restartReader: () => notImplemented('clusterSource.restartReader'),
    stopReaders: () => notImplemented('clusterSource.stopReaders'),
    releaseWatermark: () => notImplemented('clusterSource.releaseWatermark'),
    rejoinWatermark: () => notImplemented('clusterSource.rejoinWatermark'),
    emitFinalWatermark: () => notImplemented('clusterSource.emitFinalWatermark'),
    closeOutput: () => notImplemented('clusterSource.closeOutput'),
    reportFinished: () => notImplemented('clusterSource.reportFinished'),
    reportStopped: () => notImplemented('clusterSource.reportStopped'),
    reportFailed: () => notImplemented('clusterSource.reportFailed'),
    noteServing: assign(({ context, event }) => {
      if (event.type !== 'splits.assigned') return {};
      const { cluster, splits } = event;
      return {
        serving: [...without(context.serving, cluster), cluster],
        lost: without(context.lost, cluster),
        // Splits that have reached their end stay finished when the cluster returns.
        openSplits: { ...context.openSplits, [cluster]: context.openSplits[cluster] ?? splits },
      };
    }),
    noteAnswer: assign({
      lost: ({ context, event }) =>
        event.type === 'cluster.healthy' ? without(context.lost, event.cluster) : context.lost,
    }),
    noteLost: assign(({ context, event }) => {
      if (event.type !== 'cluster.lost') return {};
      const { cluster } = event;
      return {
        serving: without(context.serving, cluster),
        lost: [...without(context.lost, cluster), cluster],
      };
    }),
    noteFinished: assign(({ context, event }) => {
      if (event.type !== 'split.finished') return {};
      const open = without(context.openSplits[event.cluster] ?? [], event.split);
      return {
        openSplits: { ...context.openSplits, [event.cluster]: open },
        holding: open.length === 0 ? omit(context.holding, event.cluster) : context.holding,
      };
    }),
    noteHold: assign(({ context, event }) => {
      if (event.type !== 'cluster.lost') return {};
      const hold = context.holds + 1;
      return { holds: hold, holding: { ...context.holding, [event.cluster]: hold } };
    }),
    endHold: assign({
      holding: ({ context, event }) => ('cluster' in event ? omit(context.holding, event.cluster) : context.holding),
    }),
    startHoldTimer: raise(
      ({ context, event }) => ({ type: 'hold.expired', cluster: clusterOf(event), hold: context.holds }),
      { delay: 'holdWatermark' },
    ),
    countCrash: assign({ crashes: ({ context }) => context.crashes + 1 }),
    forgiveCrash: assign({ crashes: ({ context }) => Math.max(0, context.crashes - 1) }),
    scheduleForgiveness: raise({ type: 'crash.forgiven' }, { delay: 'crashWindow' }),
    scheduleRestart: raise(({ event }) => ({ type: 'reader.due', split: splitOf(event) }), { delay: 'restartBackoff' }),
    noteFailure: assign({ failure: ({ event }) => (event.type === 'split.failed' ? failureOf(event.failure) : null) }),
    noteBudgetSpent: assign({
      failure: ({ context, event }) =>
        event.type === 'reader.crashed'
          ? {
              code: 'RESTARTS_EXHAUSTED',
              message: `more than ${context.crashesMax} crashes of readers within the window of the budget, the last with: ${event.reason}`,
              place: event.split,
            }
          : null,
    }),
  },
  guards: {
    someClusterKnownOthersLost: ({ context }) =>
      context.clusters.some(cluster => cluster in context.openSplits) &&
      context.clusters.every(cluster => cluster in context.openSplits || context.lost.includes(cluster)),
    everySplitFinished: ({ context }) =>
      context.bounded && context.clusters.every(cluster => context.openSplits[cluster]?.length === 0),
    everyClusterServes: ({ context }) => context.serving.length === context.clusters.length,
    someClusterServes: ({ context }) => context.serving.length > 0 && context.serving.length < context.clusters.length,
    noClusterServes: ({ context }) => context.serving.length === 0,
    mayBringRows: ({ context, event }) => 'cluster' in event && context.openSplits[event.cluster]?.length !== 0,
    isHolding: ({ context, event }) => event.type === 'hold.expired' && context.holding[event.cluster] === event.hold,
    someClusterHolds: ({ context }) => Object.keys(context.holding).length > 0,
    noClusterHolds: ({ context }) => Object.keys(context.holding).length === 0,
    budgetSpent: ({ context }) => context.crashes >= context.crashesMax,
  },
  delays: {
    holdWatermark: () => notImplemented('clusterSource.holdWatermark'),
    restartBackoff: () => notImplemented('clusterSource.restartBackoff'),
    crashWindow: () => notImplemented('clusterSource.crashWindow'),
  },
}).createMachine({
  id: 'clusterSource',
  context: ({ input }) => ({
    source: input.source,
    clusters: input.clusters,
    bounded: input.bounded,
    crashesMax: input.crashesMax,
    serving: [],
    lost: [],
    openSplits: {},
    holding: {},
    holds: 0,
    crashes: 0,
    failure: null,
  }),
  initial: 'starting',
  on: {
    'split.failed': { target: '.failed', actions: 'noteFailure' },
    'source.abort': '.stopped',
  },
  states: {
    starting: {
      on: {
        'cluster.healthy': { actions: ['noteAnswer', 'assignSplits'] },
        'splits.assigned': { actions: ['noteServing', 'endHold', 'rejoinWatermark'] },
        'cluster.lost': [
          { guard: 'mayBringRows', actions: ['noteLost', 'noteHold', 'announceHold', 'startHoldTimer'] },
          { actions: 'noteLost' },
        ],
        'hold.expired': { guard: 'isHolding', actions: ['endHold', 'releaseWatermark'] },
        'source.drain': 'draining',
      },
      always: { guard: 'someClusterKnownOthersLost', target: 'reading' },
    },
    reading: {
      type: 'parallel',
      entry: 'startReaders',
      on: {
        'cluster.healthy': { actions: ['noteAnswer', 'assignSplits'] },
        'splits.assigned': {
          actions: ['noteServing', 'endHold', 'rejoinWatermark', 'resumeReaders'],
        },
        'cluster.lost': [
          {
            guard: 'mayBringRows',
            actions: ['noteLost', 'suspendReaders', 'noteHold', 'announceHold', 'startHoldTimer'],
          },
          { actions: ['noteLost', 'suspendReaders'] },
        ],
        'hold.expired': { guard: 'isHolding', actions: ['endHold', 'releaseWatermark'] },
        'split.finished': { actions: 'noteFinished' },
        'reader.crashed': [
          { guard: 'budgetSpent', target: 'failed', actions: 'noteBudgetSpent' },
          { actions: ['countCrash', 'scheduleForgiveness', 'scheduleRestart'] },
        ],
        'reader.due': { actions: 'restartReader' },
        'crash.forgiven': { actions: 'forgiveCrash' },
        'source.drain': 'draining',
      },
      always: { guard: 'everySplitFinished', target: 'finishing' },
      states: {
        clusters: {
          initial: 'allServing',
          states: {
            allServing: {
              always: [
                { guard: 'someClusterServes', target: 'someServing' },
                { guard: 'noClusterServes', target: 'noneServing' },
              ],
            },
            someServing: {
              always: [
                { guard: 'everyClusterServes', target: 'allServing' },
                { guard: 'noClusterServes', target: 'noneServing' },
              ],
            },
            noneServing: {
              always: [
                { guard: 'everyClusterServes', target: 'allServing' },
                { guard: 'someClusterServes', target: 'someServing' },
              ],
            },
          },
        },
        watermark: {
          initial: 'moving',
          states: {
            moving: {
              always: { guard: 'someClusterHolds', target: 'held' },
            },
            held: {
              always: { guard: 'noClusterHolds', target: 'moving' },
            },
          },
        },
      },
    },
    finishing: {
      entry: ['stopReaders', 'emitFinalWatermark', 'closeOutput'],
      on: {
        'output.drained': 'finished',
      },
    },
    draining: {
      entry: ['stopReaders', 'closeOutput'],
      on: {
        'output.drained': 'stopped',
      },
    },
    finished: {
      type: 'final',
      entry: 'reportFinished',
    },
    stopped: {
      type: 'final',
      entry: ['stopReaders', 'reportStopped'],
    },
    failed: {
      type: 'final',
      entry: ['stopReaders', 'reportFailed'],
    },
  },
});

function without(names: readonly string[], name: string): readonly string[] {
  return names.filter(other => other !== name);
}

function omit<Value>(record: Readonly<Record<string, Value>>, name: string): Readonly<Record<string, Value>> {
  return Object.fromEntries(Object.entries(record).filter(([other]) => other !== name));
}

function clusterOf(event: ClusterSourceEvent): string {
  return 'cluster' in event ? event.cluster : '';
}

function splitOf(event: ClusterSourceEvent): string {
  return event.type === 'reader.crashed' ? event.split : '';
}
