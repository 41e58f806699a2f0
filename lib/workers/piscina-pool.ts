import { fileURLToPath } from 'node:url';
import { FixedQueue, Piscina } from 'piscina';
import { BraidError } from '../base/errors.ts';
import type { FragmentResult, FragmentTask } from '../kernels/fragment.ts';
import { unpackError, type WorkerAnswer, type WorkerRequest, type WorkerSetup } from './messages.ts';
import type { FragmentPool, FragmentPoolOptions } from './pool.ts';

/** Workers run the built JavaScript also where the caller runs from source, so that no loader is needed in them. */
function workerEntry(): string {
  const fromSource = import.meta.url.endsWith('.ts');
  return fileURLToPath(
    new URL(fromSource ? '../../dist/lib/workers/worker-entry.js' : './worker-entry.js', import.meta.url),
  );
}

/**
 * Workers get these options and no others. A loader that the program runs under (tsx, say) would cost each of them a second
 * and has nothing to load there, and Node refuses a list that names one of V8's options, which hold for the whole process
 * anyway. The one that is here keeps Piscina from loading the entry by `require`: a thread that is ended in the middle of
 * that takes the process down with it (Node 20.20: "IsGraphAsync must be used on an instantiated module"); amid an
 * `import`, which Piscina then falls back to, it does not.
 */
const workerOptions = ['--no-experimental-require-module'];

export interface PiscinaPoolOptions extends FragmentPoolOptions {
  /** Another entry than the built one: for specs that crash a worker on purpose. */
  readonly entry?: string | undefined;
}

/**
 * Runs tasks on `threads` Piscina workers. Bytes reach them through shared memory and results come back by transfer.
 *
 * One task a worker at a time: with more, one bad task would take its neighbours down with it, and a crash could not
 * be laid at the right door. Crashed tasks are run again one after the other, for the same reason.
 */
export function createPiscinaPool(options: PiscinaPoolOptions): FragmentPool {
  const pool = new Piscina<WorkerRequest, WorkerAnswer>({
    filename: options.entry ?? workerEntry(),
    minThreads: options.threads,
    maxThreads: options.threads,
    concurrentTasksPerWorker: 1,
    taskQueue: new FixedQueue(),
    recordTiming: false,
    workerData: { fragments: options.fragments } satisfies WorkerSetup,
    execArgv: workerOptions,
  });
  // A worker that dies between two tasks hurts nobody: Piscina replaces it and says so here.
  pool.on('error', error => {
    options.onCrash?.('between two tasks', error as Error);
    options.onRecovered?.('between two tasks');
  });
  const schemas = new Map(options.fragments.map(fragment => [fragment.id, fragment.output.schema]));
  let retries: Promise<unknown> = Promise.resolve();

  const attempt = async (fragmentId: string, task: FragmentTask, place: string): Promise<FragmentResult> => {
    const answer = await pool.run({ fragmentId, task });
    if (!answer.ok) throw unpackError(answer.error, place);
    return {
      ...answer.result,
      batch: { schema: schemas.get(fragmentId)!, rows: answer.rows, columns: answer.columns },
    };
  };

  const retry = (fragmentId: string, task: FragmentTask, place: string): Promise<FragmentResult> => {
    const run = retries.then(async () => {
      try {
        const result = await attempt(fragmentId, task, place);
        options.onRecovered?.(place);
        return result;
      } catch (error) {
        if (error instanceof BraidError) throw error;
        options.onCrash?.(place, error as Error);
        throw new BraidError('WORKER_CRASHED', `two workers died over the same input: ${(error as Error).message}`, {
          place,
          cause: error,
          hint: 'look at the records of these offsets; a worker that runs out of memory dies like this too',
        });
      }
    });
    retries = run.catch(() => {});
    return run;
  };

  return {
    threads: options.threads,
    async ready() {
      await Promise.all(
        Array.from({ length: options.threads }, () => pool.run({ fragmentId: '', task: { kind: 'warmUp' } })),
      );
    },
    async run(fragmentId, task, place) {
      try {
        return await attempt(fragmentId, task, place);
      } catch (error) {
        // The task's own error is an answer; anything else means that the worker is gone.
        if (error instanceof BraidError) throw error;
        options.onCrash?.(place, error as Error);
        return retry(fragmentId, task, place);
      }
    },
    async destroy() {
      await pool.destroy();
    },
  };
}
