import type { Fragment, FragmentResult, FragmentTask } from '../kernels/fragment.ts';

/**
 * The port to whoever runs fragments: this thread (inline-pool.ts) or Piscina's workers (piscina-pool.ts). Results
 * come in any order; callers re-sequence them. All fragments of a job are known when its pool is made, so that the
 * workers compile them while the clusters are being dialled.
 */
export interface FragmentPool {
  /** Worker threads; 0 = inline. */
  readonly threads: number;
  /** Resolves when every worker has loaded the engine and compiled the fragments. */
  ready(): Promise<void>;
  /**
   * Runs one task. `place` names topic, partition and offsets, for the error of a task that crashes its worker. A
   * task whose worker crashed is run once more, alone; a second crash rejects with WORKER_CRASHED at `place`.
   */
  run(fragmentId: string, task: FragmentTask, place: string): Promise<FragmentResult>;
  destroy(): Promise<void>;
}

export interface FragmentPoolOptions {
  readonly threads: number;
  readonly fragments: readonly Fragment[];
  /** Told of each crash of a worker, before the retry. */
  readonly onCrash?: ((place: string, error: Error) => void) | undefined;
  /** Told when the task that crashed its worker has succeeded in another one. */
  readonly onRecovered?: ((place: string) => void) | undefined;
}
