import { assign, raise, setup } from 'xstate';
import { type Failure, failureOf } from './failure.ts';
import { notImplemented } from './not-implemented.ts';

export interface WorkerPoolInput {
  readonly threads: number;
  /** Crashes within `crashWindow` that are borne; one more fails the pool. */
  readonly crashesMax: number;
}

export interface WorkerPoolContext {
  readonly threads: number;
  readonly crashesMax: number;
  /** Crashes within the window just past. */
  readonly crashes: number;
  /** Crashes since the start. */
  readonly crashesTotal: number;
  /** Places (topic, partition, offsets) whose task is being run again. */
  readonly retrying: readonly string[];
  readonly failure: Failure | null;
}

export type WorkerPoolEvent =
  /** Every thread has compiled every fragment. */
  | { readonly type: 'fragments.compiled' }
  /** A worker died with the task of `place`; the pool runs the task once more. */
  | { readonly type: 'worker.crashed'; readonly place: string; readonly reason: string }
  /** The second run of the task of `place` went well. */
  | { readonly type: 'task.recovered'; readonly place: string }
  /** Compiling failed, or a task crashed its worker twice. */
  | { readonly type: 'pool.broken'; readonly failure: Failure }
  | { readonly type: 'crash.forgiven' }
  | { readonly type: 'pool.drain' }
  | { readonly type: 'tasks.drained' }
  | { readonly type: 'pool.abort' };

/**
 * The threads that run fragments. Workers restart alone within a budget of crashes in a sliding window; a task that
 * crashes twice fails the pool at once, since a third run would crash as well.
 */
export const workerPoolMachine = setup({
  types: {} as { context: WorkerPoolContext; events: WorkerPoolEvent; input: WorkerPoolInput },
  actions: {
    startWorkers: () => notImplemented('workerPool.startWorkers'),
    awaitTasks: () => notImplemented('workerPool.awaitTasks'),
    destroyWorkers: () => notImplemented('workerPool.destroyWorkers'),
    announceReady: () => notImplemented('workerPool.announceReady'),
    reportStopped: () => notImplemented('workerPool.reportStopped'),
    reportFailed: () => notImplemented('workerPool.reportFailed'),
    countCrash: assign({
      crashes: ({ context }) => context.crashes + 1,
      crashesTotal: ({ context }) => context.crashesTotal + 1,
    }),
    noteRetry: assign({
      retrying: ({ context, event }) =>
        event.type === 'worker.crashed'
          ? [...context.retrying.filter(place => place !== event.place), event.place]
          : context.retrying,
    }),
    noteRecovery: assign({
      retrying: ({ context, event }) =>
        event.type === 'task.recovered' ? context.retrying.filter(place => place !== event.place) : context.retrying,
    }),
    scheduleForgiveness: raise({ type: 'crash.forgiven' }, { delay: 'crashWindow' }),
    forgiveCrash: assign({ crashes: ({ context }) => Math.max(0, context.crashes - 1) }),
    noteFailure: assign({ failure: ({ event }) => (event.type === 'pool.broken' ? failureOf(event.failure) : null) }),
    noteBudgetSpent: assign({
      failure: ({ context, event }) =>
        event.type === 'worker.crashed'
          ? {
              code: 'RESTARTS_EXHAUSTED',
              message: `more than ${context.crashesMax} crashes of workers within the window of the budget, the last with: ${event.reason}`,
              place: event.place,
            }
          : null,
    }),
  },
  guards: {
    budgetSpent: ({ context }) => context.crashes >= context.crashesMax,
    nothingRetrying: ({ context }) => context.retrying.length === 0,
  },
  delays: {
    crashWindow: () => notImplemented('workerPool.crashWindow'),
  },
}).createMachine({
  id: 'workerPool',
  context: ({ input }) => ({
    threads: input.threads,
    crashesMax: input.crashesMax,
    crashes: 0,
    crashesTotal: 0,
    retrying: [],
    failure: null,
  }),
  initial: 'starting',
  on: {
    'pool.broken': { target: '.failed', actions: 'noteFailure' },
    'pool.abort': '.stopped',
    'crash.forgiven': { actions: 'forgiveCrash' },
  },
  states: {
    starting: {
      entry: 'startWorkers',
      on: {
        'fragments.compiled': [
          { guard: 'nothingRetrying', target: 'ready', actions: 'announceReady' },
          { target: 'degraded', actions: 'announceReady' },
        ],
        // A thread that is warm already takes tasks while another one still compiles.
        'worker.crashed': [
          { guard: 'budgetSpent', target: 'failed', actions: 'noteBudgetSpent' },
          { actions: ['countCrash', 'noteRetry', 'scheduleForgiveness'] },
        ],
        'task.recovered': { actions: 'noteRecovery' },
      },
    },
    ready: {
      on: {
        'worker.crashed': [
          { guard: 'budgetSpent', target: 'failed', actions: 'noteBudgetSpent' },
          { target: 'degraded', actions: ['countCrash', 'noteRetry', 'scheduleForgiveness'] },
        ],
        'pool.drain': 'draining',
      },
    },
    degraded: {
      on: {
        'worker.crashed': [
          { guard: 'budgetSpent', target: 'failed', actions: 'noteBudgetSpent' },
          { actions: ['countCrash', 'noteRetry', 'scheduleForgiveness'] },
        ],
        'task.recovered': { actions: 'noteRecovery' },
        'pool.drain': 'draining',
      },
      always: { guard: 'nothingRetrying', target: 'ready' },
    },
    draining: {
      entry: 'awaitTasks',
      on: {
        'worker.crashed': [
          { guard: 'budgetSpent', target: 'failed', actions: 'noteBudgetSpent' },
          { actions: ['countCrash', 'noteRetry', 'scheduleForgiveness'] },
        ],
        'task.recovered': { actions: 'noteRecovery' },
        'tasks.drained': 'stopped',
      },
    },
    stopped: {
      type: 'final',
      entry: ['destroyWorkers', 'reportStopped'],
    },
    failed: {
      type: 'final',
      entry: ['destroyWorkers', 'reportFailed'],
    },
  },
});
