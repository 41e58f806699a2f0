import type { Backoff } from '../lib/base/backoff.ts';

/**
 * Who is restarted when a part fails, as data. `alone`: the part is made anew while everything else goes on, after a
 * back-off, at most `restartsMax` times within `windowMs`. `job`: the part keeps state that nobody else has, so until there
 * are checkpoints its crash ends the job. `spent`: what the next failure leads to once the budget is spent.
 */
export interface SupervisionRule {
  readonly restarts: 'alone' | 'job';
  readonly backoff: Backoff;
  readonly restartsMax: number;
  readonly windowMs: number;
  readonly spent: 'jobFails' | 'sinkSwitches';
}

const minute = 60_000;

export const supervision = {
  /** A lost cluster is waited for, for ever: the chart probes it. */
  connection: {
    restarts: 'alone',
    backoff: { firstMs: 200, maxMs: 200 },
    restartsMax: Infinity,
    windowMs: minute,
    spent: 'jobFails',
  },
  reader: {
    restarts: 'alone',
    backoff: { firstMs: 50, maxMs: 5_000 },
    restartsMax: 10,
    windowMs: minute,
    spent: 'jobFails',
  },
  /** A writer without another cluster to switch to goes on trying: what it holds must not be lost. */
  writer: {
    restarts: 'alone',
    backoff: { firstMs: 50, maxMs: 1_000 },
    restartsMax: 10,
    windowMs: minute,
    spent: 'sinkSwitches',
  },
  /** The pool runs the task of a dead worker again at once, alone; a task that kills two of them ends the job by itself. */
  worker: {
    restarts: 'alone',
    backoff: { firstMs: 0, maxMs: 0 },
    restartsMax: 5,
    windowMs: minute,
    spent: 'jobFails',
  },
  operator: {
    restarts: 'job',
    backoff: { firstMs: 0, maxMs: 0 },
    restartsMax: 0,
    windowMs: minute,
    spent: 'jobFails',
  },
} as const satisfies Record<string, SupervisionRule>;
