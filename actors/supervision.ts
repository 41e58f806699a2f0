import type { Backoff } from '../lib/base/backoff.ts';

/**
 * Who is restarted when a part fails, as data. `alone`: the part is made anew while everything else goes on, after a
 * back-off, at most `restartsMax` times within `windowMs`; the next failure ends the job. `job`: the part keeps state that
 * nobody else has, so until there are checkpoints its crash ends the job.
 */
export interface SupervisionRule {
  readonly restarts: 'alone' | 'job';
  readonly backoff: Backoff;
  readonly restartsMax: number;
  readonly windowMs: number;
}

const minute = 60_000;

export const supervision = {
  /** A lost cluster is waited for, for ever: the chart probes it. */
  connection: { restarts: 'alone', backoff: { firstMs: 200, maxMs: 200 }, restartsMax: Infinity, windowMs: minute },
  reader: { restarts: 'alone', backoff: { firstMs: 50, maxMs: 5_000 }, restartsMax: 10, windowMs: minute },
  writer: { restarts: 'alone', backoff: { firstMs: 50, maxMs: 1_000 }, restartsMax: 10, windowMs: minute },
  worker: { restarts: 'alone', backoff: { firstMs: 0, maxMs: 0 }, restartsMax: 5, windowMs: minute },
  operator: { restarts: 'job', backoff: { firstMs: 0, maxMs: 0 }, restartsMax: 0, windowMs: minute },
} as const satisfies Record<string, SupervisionRule>;
