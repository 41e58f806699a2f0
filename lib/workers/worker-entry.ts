/**
 * Entry of a pool worker: compiles the fragments it is given at its start, then runs tasks over shared bytes. Errors
 * of a task are answers; what escapes from here is a crash, and the pool treats it as one.
 */
import { workerData } from 'node:worker_threads';
import { move, transferableSymbol, valueSymbol } from 'piscina';
import { compileFragment } from '../kernels/compile.ts';
import { packError, transferables, type WorkerAnswer, type WorkerRequest, type WorkerSetup } from './messages.ts';

const setup = workerData as WorkerSetup;
const compiled = new Map(setup.fragments.map(fragment => [fragment.id, compileFragment(fragment)]));

export default function runTask(request: WorkerRequest): unknown {
  if (request.task.kind === 'warmUp') return { ok: true };
  try {
    const fragment = compiled.get(request.fragmentId);
    if (fragment === undefined) throw new Error(`the fragment ${request.fragmentId} is not known to the worker`);
    const result = fragment.run(request.task);
    const { batch, ...rest } = result;
    const answer: WorkerAnswer = { ok: true, result: rest, rows: batch.rows, columns: batch.columns };
    return moved(answer, transferables(result));
  } catch (thrown) {
    return { ok: false, error: packError(thrown) } satisfies WorkerAnswer;
  }
}

/** Piscina's transferable protocol for a value that carries several buffers. */
function moved(answer: WorkerAnswer, buffers: ArrayBuffer[]): unknown {
  return move({
    get [transferableSymbol]() {
      return buffers;
    },
    get [valueSymbol]() {
      return answer;
    },
  } as never);
}
