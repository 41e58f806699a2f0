import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { extname, join } from 'node:path';
import { assert } from '../../lib/base/errors.ts';

/** What one run of a contender cost: its own process with all its threads, from the order to the end of the work. */
export interface RunCost {
  readonly records: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** Of the process so far. */
  readonly rssBytesMax: number;
}

type Answer<Result> =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly result: Result; readonly cost: RunCost }
  | { readonly kind: 'failed'; readonly error: string };

/**
 * A contender in a process of its own, so that what it costs is not mixed up with loading, judging and its rivals. It
 * lives over several runs, as a job does: the first one is its warm-up.
 */
export class ContenderProcess<Input, Result extends { readonly records: number }> {
  readonly name: string;
  readonly #child: ChildProcess;

  private constructor(name: string, child: ChildProcess) {
    this.name = name;
    this.#child = child;
  }

  /** Starts `perf/contenders/NAME`. */
  static async start<Input, Result extends { readonly records: number }>(
    name: string,
  ): Promise<ContenderProcess<Input, Result>> {
    const file = join(import.meta.dirname, '../contenders', name + extname(import.meta.filename));
    const child = fork(file, [], { serialization: 'advanced', stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const process = new ContenderProcess<Input, Result>(name, child);
    const answer = await process.#answer();
    assert(answer.kind === 'ready', `${name} answers before it is asked`);
    return process;
  }

  async run(input: Input): Promise<{ readonly result: Result; readonly cost: RunCost }> {
    const answer = this.#answer();
    this.#child.send({ input });
    const settled = await answer;
    if (settled.kind !== 'done')
      throw new Error(`${this.name}: ${settled.kind === 'failed' ? settled.error : 'no answer'}`);
    return settled;
  }

  /** Ends it, and resolves when it is gone. */
  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.disconnect();
    await exited;
  }

  #answer(): Promise<Answer<Result>> {
    return new Promise((resolve, reject) => {
      const onMessage = (answer: Answer<Result>): void => {
        this.#child.off('exit', onExit);
        resolve(answer);
      };
      const onExit = (code: number | null): void => {
        this.#child.off('message', onMessage);
        reject(new Error(`${this.name} ended with exit code ${code}`));
      };
      this.#child.once('message', onMessage);
      this.#child.once('exit', onExit);
    });
  }
}

/** The other end, called once by the file of a contender. The process ends when its parent lets go of it or dies. */
export function serveContender<Input, Result extends { readonly records: number }>(
  run: (input: Input) => Promise<Result>,
): void {
  const send = (answer: Answer<Result>): void => void process.send?.(answer);
  // Not `exit` at once: a profiler writes when the event loop has run dry.
  process.on('disconnect', () => setTimeout(() => process.exit(0), 2000).unref());
  process.on('message', ({ input }: { readonly input: Input }) => {
    const stop = startCost();
    run(input).then(
      result => send({ kind: 'done', result, cost: stop(result.records) }),
      thrown =>
        send({ kind: 'failed', error: thrown instanceof Error ? (thrown.stack ?? thrown.message) : `${thrown}` }),
    );
  });
  send({ kind: 'ready' });
}

/** Begins to measure this process; the returned function ends that. */
export function startCost(): (records: number) => RunCost {
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  return records => {
    const { user, system } = process.cpuUsage(cpu);
    return {
      records,
      seconds: (performance.now() - startedAt) / 1000,
      cpuSeconds: (user + system) / 1e6,
      rssBytesMax: process.resourceUsage().maxRSS * 1024,
    };
  };
}
