import { assign, raise, setup } from 'xstate';
import { type Failure, failureOf } from './failure.ts';
import { notImplemented } from './not-implemented.ts';

export interface ClusterSinkInput {
  readonly sink: string;
  /** In order of preference at the start. */
  readonly clusters: readonly string[];
  /** Produce errors within `retryWindow` that are tried again on the same cluster; one more is a reason to switch. */
  readonly retriesMax: number;
}

export interface ClusterSinkContext {
  readonly sink: string;
  readonly clusters: readonly string[];
  readonly retriesMax: number;
  /** Clusters that can be written to: healthy, and their topic has the right partitions. */
  readonly ready: readonly string[];
  /** Clusters that are down. One that is in neither list has not been heard of since it was last healthy. */
  readonly lost: readonly string[];
  /** The cluster that is written to; while waiting, the one that was. */
  readonly active: string | null;
  /** The cluster that was left by the latest switch; null where it was the same one that came back. */
  readonly left: string | null;
  readonly failovers: number;
  /** Produce errors of the active cluster within the window just past. */
  readonly retries: number;
  /** Why the latest switch or retry was made. */
  readonly reason: string | null;
  readonly failure: Failure | null;
}

export type ClusterSinkEvent =
  | { readonly type: 'cluster.healthy'; readonly cluster: string; readonly generation: number }
  | { readonly type: 'cluster.lost'; readonly cluster: string; readonly reason: string }
  /** The topic was found on a healthy cluster and its partitions agree. */
  | { readonly type: 'cluster.ready'; readonly cluster: string }
  /** The cluster can never be written to by this job: partition counts differ, the topic is unknown. */
  | { readonly type: 'cluster.refused'; readonly cluster: string; readonly failure: Failure }
  /** `fatal`: no other try and no other cluster helps (record too large). */
  | { readonly type: 'produce.failed'; readonly cluster: string; readonly failure: Failure; readonly fatal: boolean }
  | { readonly type: 'retry.due'; readonly cluster: string }
  | { readonly type: 'retry.forgiven'; readonly cluster: string }
  /** All rows that were unacknowledged at the switch have been sent to `cluster`, in order, before any other. */
  | { readonly type: 'rows.resent'; readonly cluster: string }
  /** The input channel was closed and is empty, whether by the end of the data or by an order to stop. */
  | { readonly type: 'input.ended' }
  /** Answer to `flush`: every row that entered has been acknowledged. */
  | { readonly type: 'rows.acknowledged' }
  | { readonly type: 'sink.abort' };

/**
 * A sink that writes to one of N clusters, the active one, and leaves it only when it fails (sticky).
 *
 * Laws: a switch first abandons the old writer, then sends again, in order and with unchanged tags, what nobody has
 * acknowledged, and only then takes new rows; what the old cluster still answers is not heard; without a ready cluster
 * it waits, for ever, and takes no rows; it is finished when its input has ended and every row is acknowledged, which
 * may need any number of switches.
 */
export const clusterSinkMachine = setup({
  types: {} as { context: ClusterSinkContext; events: ClusterSinkEvent; input: ClusterSinkInput },
  actions: {
    prepareCluster: () => notImplemented('clusterSink.prepareCluster'),
    openWriter: () => notImplemented('clusterSink.openWriter'),
    abandonWriter: () => notImplemented('clusterSink.abandonWriter'),
    resendUnacknowledged: () => notImplemented('clusterSink.resendUnacknowledged'),
    retryProduce: () => notImplemented('clusterSink.retryProduce'),
    flush: () => notImplemented('clusterSink.flush'),
    announceActive: () => notImplemented('clusterSink.announceActive'),
    reportFinished: () => notImplemented('clusterSink.reportFinished'),
    reportStopped: () => notImplemented('clusterSink.reportStopped'),
    reportFailed: () => notImplemented('clusterSink.reportFailed'),
    noteReady: assign({
      ready: ({ context, event }) =>
        event.type === 'cluster.ready' ? inOrder(context, [...context.ready, event.cluster]) : context.ready,
      lost: ({ context, event }) =>
        event.type === 'cluster.ready' ? without(context.lost, event.cluster) : context.lost,
    }),
    noteLost: assign({
      ready: ({ context, event }) =>
        event.type === 'cluster.lost' ? without(context.ready, event.cluster) : context.ready,
      lost: ({ context, event }) =>
        event.type === 'cluster.lost' ? inOrder(context, [...context.lost, event.cluster]) : context.lost,
    }),
    noteReason: assign({ reason: ({ context, event }) => reasonOf(event) ?? context.reason }),
    chooseFirst: assign({ active: ({ context }) => context.ready[0] ?? null }),
    chooseNext: assign(({ context }) => {
      // The one that was just left comes last: after produce errors its connection may still be healthy.
      const next = context.ready.find(cluster => cluster !== context.active) ?? context.ready[0] ?? null;
      if (next === context.active) return { left: null, retries: 0 };
      const left = context.active;
      return { active: next, left, retries: 0, failovers: context.failovers + (left === null ? 0 : 1) };
    }),
    countRetry: assign({ retries: ({ context }) => context.retries + 1 }),
    forgiveRetry: assign({ retries: ({ context }) => Math.max(0, context.retries - 1) }),
    scheduleForgiveness: raise(({ event }) => ({ type: 'retry.forgiven', cluster: clusterOf(event) }), {
      delay: 'retryWindow',
    }),
    scheduleRetry: raise(({ event }) => ({ type: 'retry.due', cluster: clusterOf(event) }), {
      delay: 'retryBackoff',
    }),
    noteFailure: assign({
      failure: ({ event }) => ('failure' in event ? failureOf(event.failure) : null),
    }),
  },
  guards: {
    preferredReady: ({ context }) => context.clusters[0] !== undefined && context.ready.includes(context.clusters[0]),
    otherReadyPreferredLost: ({ context }) =>
      context.clusters[0] !== undefined && context.lost.includes(context.clusters[0]) && context.ready.length > 0,
    isActive: ({ context, event }) => 'cluster' in event && event.cluster === context.active,
    isActiveAndOtherReady: ({ context, event }) =>
      'cluster' in event && event.cluster === context.active && otherReady(context),
    isActiveAndFatal: ({ context, event }) =>
      event.type === 'produce.failed' && event.fatal && event.cluster === context.active,
    retriesSpentAndOtherReady: ({ context, event }) =>
      'cluster' in event &&
      event.cluster === context.active &&
      context.retries >= context.retriesMax &&
      otherReady(context),
  },
  delays: {
    retryBackoff: () => notImplemented('clusterSink.retryBackoff'),
    retryWindow: () => notImplemented('clusterSink.retryWindow'),
  },
}).createMachine({
  id: 'clusterSink',
  context: ({ input }) => ({
    sink: input.sink,
    clusters: input.clusters,
    retriesMax: input.retriesMax,
    ready: [],
    lost: [],
    active: null,
    left: null,
    failovers: 0,
    retries: 0,
    reason: null,
    failure: null,
  }),
  initial: 'running',
  on: {
    'cluster.healthy': { actions: 'prepareCluster' },
    'cluster.refused': { target: '.failed', actions: 'noteFailure' },
    'retry.forgiven': { guard: 'isActive', actions: 'forgiveRetry' },
    'sink.abort': '.stopped',
  },
  states: {
    running: {
      type: 'parallel',
      states: {
        delivery: {
          initial: 'starting',
          states: {
            starting: {
              on: {
                'cluster.ready': { actions: 'noteReady' },
                'cluster.lost': { actions: 'noteLost' },
              },
              always: [
                { guard: 'preferredReady', target: 'writing', actions: ['chooseFirst', 'announceActive'] },
                { guard: 'otherReadyPreferredLost', target: 'writing', actions: ['chooseFirst', 'announceActive'] },
              ],
            },
            writing: {
              entry: 'openWriter',
              on: {
                'cluster.ready': { actions: 'noteReady' },
                'cluster.lost': [
                  { guard: 'isActiveAndOtherReady', target: 'switching', actions: ['noteLost', 'noteReason'] },
                  { guard: 'isActive', target: 'waiting', actions: ['noteLost', 'noteReason'] },
                  { actions: 'noteLost' },
                ],
                'produce.failed': [
                  { guard: 'isActiveAndFatal', target: '#clusterSink.failed', actions: 'noteFailure' },
                  { guard: 'retriesSpentAndOtherReady', target: 'switching', actions: 'noteReason' },
                  {
                    guard: 'isActive',
                    actions: ['noteReason', 'countRetry', 'scheduleForgiveness', 'scheduleRetry'],
                  },
                ],
                'retry.due': { guard: 'isActive', actions: 'retryProduce' },
              },
            },
            switching: {
              entry: ['abandonWriter', 'chooseNext', 'announceActive', 'resendUnacknowledged'],
              on: {
                'rows.resent': { guard: 'isActive', target: 'writing' },
                'cluster.ready': { actions: 'noteReady' },
                'cluster.lost': [
                  {
                    guard: 'isActiveAndOtherReady',
                    target: 'switching',
                    reenter: true,
                    actions: ['noteLost', 'noteReason'],
                  },
                  { guard: 'isActive', target: 'waiting', actions: ['noteLost', 'noteReason'] },
                  { actions: 'noteLost' },
                ],
                'produce.failed': [
                  { guard: 'isActiveAndFatal', target: '#clusterSink.failed', actions: 'noteFailure' },
                  { guard: 'retriesSpentAndOtherReady', target: 'switching', reenter: true, actions: 'noteReason' },
                  {
                    guard: 'isActive',
                    actions: ['noteReason', 'countRetry', 'scheduleForgiveness', 'scheduleRetry'],
                  },
                ],
                'retry.due': { guard: 'isActive', actions: 'retryProduce' },
              },
            },
            waiting: {
              entry: 'abandonWriter',
              on: {
                'cluster.ready': { target: 'switching', actions: 'noteReady' },
                'cluster.lost': { actions: 'noteLost' },
              },
            },
          },
        },
        input: {
          initial: 'open',
          states: {
            open: {
              on: {
                'input.ended': 'flushing',
              },
            },
            flushing: {
              entry: 'flush',
              on: {
                'rows.acknowledged': '#clusterSink.finished',
              },
            },
          },
        },
      },
    },
    finished: {
      type: 'final',
      entry: 'reportFinished',
    },
    stopped: {
      type: 'final',
      entry: ['abandonWriter', 'reportStopped'],
    },
    failed: {
      type: 'final',
      entry: ['abandonWriter', 'reportFailed'],
    },
  },
});

function without(names: readonly string[], name: string): readonly string[] {
  return names.filter(other => other !== name);
}

function inOrder(context: ClusterSinkContext, names: readonly string[]): readonly string[] {
  return context.clusters.filter(cluster => names.includes(cluster));
}

function otherReady(context: ClusterSinkContext): boolean {
  return context.ready.some(cluster => cluster !== context.active);
}

function clusterOf(event: ClusterSinkEvent): string {
  return 'cluster' in event ? event.cluster : '';
}

function reasonOf(event: ClusterSinkEvent): string | undefined {
  if (event.type === 'cluster.lost') return event.reason;
  return event.type === 'produce.failed' ? event.failure.message : undefined;
}
