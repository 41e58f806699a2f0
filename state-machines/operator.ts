import { assign, setup } from 'xstate';
import { type Failure, failureOf } from './failure.ts';
import { notImplemented } from './not-implemented.ts';

export interface OperatorInput {
  /** Name of the operator in the plan. */
  readonly operator: string;
}

export interface OperatorContext {
  readonly operator: string;
  /** Times that the outbox was full. */
  readonly stalls: number;
  readonly failure: Failure | null;
}

export type OperatorEvent =
  | { readonly type: 'operator.start' }
  | { readonly type: 'outbox.filled' }
  | { readonly type: 'outbox.freed' }
  /** The input channel was closed and is empty, whether by the end of the data or by an order to stop. */
  | { readonly type: 'input.ended' }
  /** Everything that was produced has been taken over by the next channel. */
  | { readonly type: 'output.drained' }
  | { readonly type: 'operator.crashed'; readonly failure: Failure }
  | { readonly type: 'operator.abort' };

/**
 * One operator. Rows, watermarks and the end of the input travel in the channel; the chart hears of stalls, of the end
 * and of faults alone. Whether open windows are emitted at the end is told by the channel (a final watermark or none).
 */
export const operatorMachine = setup({
  types: {} as { context: OperatorContext; events: OperatorEvent; input: OperatorInput },
  actions: {
    startPump: () => notImplemented('operator.startPump'),
    stopPump: () => notImplemented('operator.stopPump'),
    closeOutput: () => notImplemented('operator.closeOutput'),
    reportStopped: () => notImplemented('operator.reportStopped'),
    reportFaulted: () => notImplemented('operator.reportFaulted'),
    countStall: assign({ stalls: ({ context }) => context.stalls + 1 }),
    noteFailure: assign({
      failure: ({ event }) => (event.type === 'operator.crashed' ? failureOf(event.failure) : null),
    }),
  },
}).createMachine({
  id: 'operator',
  context: ({ input }) => ({ operator: input.operator, stalls: 0, failure: null }),
  initial: 'created',
  on: {
    'operator.crashed': { target: '.faulted', actions: 'noteFailure' },
    'operator.abort': '.stopped',
  },
  states: {
    created: {
      on: {
        'operator.start': 'running',
      },
    },
    running: {
      entry: 'startPump',
      initial: 'flowing',
      on: {
        'input.ended': 'draining',
      },
      states: {
        flowing: {
          on: {
            'outbox.filled': 'stalled',
          },
        },
        stalled: {
          entry: 'countStall',
          on: {
            'outbox.freed': 'flowing',
          },
        },
      },
    },
    draining: {
      entry: 'closeOutput',
      on: {
        'output.drained': 'stopped',
      },
    },
    stopped: {
      type: 'final',
      entry: ['stopPump', 'reportStopped'],
    },
    faulted: {
      type: 'final',
      entry: ['stopPump', 'reportFaulted'],
    },
  },
});
