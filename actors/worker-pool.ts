import type { Actor } from 'xstate';
import { type BraidError, toBraidError } from '../lib/base/errors.ts';
import type { Fragment } from '../lib/kernels/fragment.ts';
import { createInlinePool } from '../lib/workers/inline-pool.ts';
import { createPiscinaPool } from '../lib/workers/piscina-pool.ts';
import type { FragmentPool, FragmentPoolOptions } from '../lib/workers/pool.ts';
import { workerPoolMachine } from '../state-machines/worker-pool.ts';
import { type ActorSystemPorts, chartActor, errorOf } from './chart-actor.ts';
import type { Reports } from './reports.ts';
import { supervision } from './supervision.ts';

export interface WorkerPoolHandlers {
  onReady(): void;
  onFailed(error: BraidError): void;
}

/**
 * The actor of the threads that run fragments. The pool itself replaces a dead worker and runs its task once more; the
 * chart counts, and ends the job when workers die faster than the budget allows.
 */
export class WorkerPool {
  readonly pool: FragmentPool;
  readonly #actor: Actor<typeof workerPoolMachine>;
  #error: BraidError | undefined;
  /** Piscina would replace the threads that a second `destroy` finds on their way out. */
  #gone: Promise<void> | undefined;

  constructor(
    threads: number,
    fragments: readonly Fragment[],
    makePool: ((options: FragmentPoolOptions) => FragmentPool) | undefined,
    handlers: WorkerPoolHandlers,
    reports: Reports,
    ports: ActorSystemPorts,
  ) {
    const onCrash = (place: string, error: Error): void => {
      // Threads that we end ourselves take their tasks with them: that is no crash.
      if (this.#gone !== undefined) return;
      reports.event({ type: 'worker.crashed', place, reason: error.message });
      this.#actor.send({ type: 'worker.crashed', place, reason: error.message });
    };
    const onRecovered = (place: string): void => this.#actor.send({ type: 'task.recovered', place });
    const make = makePool ?? (threads === 0 ? createInlinePool : createPiscinaPool);
    this.pool = make({ threads, fragments, onCrash, onRecovered });
    const machine = workerPoolMachine.provide({
      actions: {
        startWorkers: ({ self }) => {
          this.pool.ready().then(
            () => self.send({ type: 'fragments.compiled' }),
            thrown => {
              this.#error = toBraidError(thrown, 'WORKER_CRASHED', 'start of the worker threads');
              self.send({ type: 'pool.broken', failure: this.#error });
            },
          );
        },
        // Whoever ends the job has seen the last result come out before it drains the pool.
        awaitTasks: ({ self }) => queueMicrotask(() => self.send({ type: 'tasks.drained' })),
        destroyWorkers: () => void this.#destroy().catch(() => {}),
        announceReady: () => handlers.onReady(),
        reportStopped: () => {},
        reportFailed: ({ context }) => handlers.onFailed(this.#error ?? errorOf(context.failure, 'WORKER_CRASHED')),
      },
      delays: { crashWindow: supervision.worker.windowMs },
    });
    this.#actor = chartActor(machine, 'pool', { threads, crashesMax: supervision.worker.restartsMax }, ports);
  }

  start(): void {
    this.#actor.start();
  }

  /** Ends the threads. Resolves when they are gone. */
  async close(): Promise<void> {
    this.#actor.send({ type: 'pool.abort' });
    this.#actor.stop();
    await this.#destroy();
  }

  #destroy(): Promise<void> {
    this.#gone ??= this.pool.destroy();
    return this.#gone;
  }
}
