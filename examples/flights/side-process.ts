import { fork } from 'node:child_process';
import { once } from 'node:events';
import { extname, join } from 'node:path';
import { BraidError, type BraidErrorCode, toBraidError } from '../../lib/base/errors.ts';

/**
 * Work that is not the job's runs in processes of its own, so that the job's CPU time and memory are the job's alone.
 * A side process gets one input, tells its progress, and ends with one result or error.
 */
type Message<Progress, Result> =
  | { readonly kind: 'ready' }
  | { readonly kind: 'progress'; readonly progress: Progress }
  | { readonly kind: 'result'; readonly result: Result }
  | {
      readonly kind: 'error';
      readonly code: BraidErrorCode;
      readonly sentence: string;
      readonly place?: string;
      readonly hint?: string;
    };

/** Runs `name` (a file of this folder, without its ending). When `signal` is aborted the process is killed, and the promise rejects with the signal's reason. */
export async function runSideProcess<Input extends object, Progress, Result>(
  name: string,
  input: Input,
  onProgress: (progress: Progress) => void,
  signal: AbortSignal,
): Promise<Result> {
  signal.throwIfAborted();
  // From the sources (in specs) the child inherits the loader of this process; the build is plain JavaScript.
  const file = join(import.meta.dirname, name + extname(import.meta.filename));
  const child = fork(file, [], { serialization: 'advanced', stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const kill = () => child.kill('SIGKILL');
  signal.addEventListener('abort', kill);
  let outcome: Message<Progress, Result> | undefined;
  child.on('message', (message: Message<Progress, Result>) => {
    if (message.kind === 'ready') child.send(input);
    else if (message.kind === 'progress') onProgress(message.progress);
    else {
      outcome = message;
      child.disconnect();
    }
  });
  try {
    const [code, killedBy] = (await once(child, 'exit')) as [number | null, string | null];
    signal.throwIfAborted();
    if (outcome?.kind === 'result') return outcome.result;
    if (outcome?.kind === 'error') throw new BraidError(outcome.code, outcome.sentence, outcome);
    throw new BraidError('WORKER_CRASHED', `the process of ${name} ended with ${killedBy ?? `exit code ${code}`}`, {
      place: file,
    });
  } finally {
    signal.removeEventListener('abort', kill);
  }
}

/**
 * The other end, called once by the file that is run. The process ignores SIGINT, which a terminal sends to the whole
 * group and which is the parent's to answer, and ends when its parent is gone.
 */
export function serveParent<Input, Progress, Result>(
  work: (input: Input, tell: (progress: Progress) => void) => Promise<Result>,
): void {
  const send = (message: Message<Progress, Result>) => process.send?.(message);
  process.on('SIGINT', () => undefined);
  process.on('disconnect', () => process.exit(0));
  process.once('message', (input: Input) => {
    work(input, progress => send({ kind: 'progress', progress })).then(
      result => send({ kind: 'result', result }),
      thrown => {
        const { code, message, place, hint } = toBraidError(thrown);
        send({ kind: 'error', code, sentence: message, ...(place && { place }), ...(hint && { hint }) });
      },
    );
  });
  send({ kind: 'ready' });
}
