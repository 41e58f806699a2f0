import type { Fragment, FragmentResult, FragmentTask } from '../kernels/fragment.ts';

/**
 * The port to whoever runs fragments: inline (this thread) or a Piscina pool. Results come in any order; callers
 * re-sequence. A task whose worker crashed is retried once by the pool; a second crash rejects with WORKER_CRASHED.
 */
export interface FragmentPool {
  readonly threads: number;
  /** Makes a fragment known to all workers and compiles it there (warm-up). */
  register(fragment: Fragment): Promise<void>;
  /** `place` names topic, partition and offsets, for the error of a task that crashes its worker twice. */
  run(fragmentId: string, task: FragmentTask, place: string): Promise<FragmentResult>;
  /** Tasks that run or wait. */
  readonly pending: number;
  /** Told of each crash: the workerPool chart counts them. */
  onCrash: ((place: string, error: Error) => void) | undefined;
  destroy(): Promise<void>;
}
