import { BraidError } from '../../lib/base/errors.ts';
import type { DeadLetter, Job, JobEvent, JobMetrics, StartOptions } from '../../lib/index.ts';

/** How a job ended, and all that it said meanwhile. */
export interface Ending<Out> {
  readonly error: BraidError | undefined;
  /** What its sink gathered; undefined where it failed. */
  readonly output: Out | undefined;
  readonly metrics: JobMetrics | undefined;
  readonly letters: readonly DeadLetter[];
  readonly events: readonly JobEvent[];
  readonly ms: number;
}

/** Runs a job to its end, whatever that is. What is thrown must be a BraidError: anything else fails the spec. */
export async function endingOf<Out>(job: Job<Out>, options: StartOptions = {}): Promise<Ending<Out>> {
  const letters: DeadLetter[] = [];
  const events: JobEvent[] = [];
  const started = performance.now();
  const end = (rest: Pick<Ending<Out>, 'error' | 'output' | 'metrics'>): Ending<Out> => ({
    ...rest,
    letters,
    events,
    ms: performance.now() - started,
  });
  let metrics: JobMetrics | undefined;
  try {
    const run = await job.start({ threads: 0, onDeadLetter: letter => letters.push(letter), ...options });
    run.events$.subscribe(event => events.push(event));
    const done = await run.done.catch(error => {
      metrics = run.metrics();
      throw error;
    });
    return end({ error: undefined, output: done.output, metrics: done.metrics });
  } catch (thrown) {
    return end({ error: braidError(thrown), output: undefined, metrics });
  }
}

/** What a call throws, at once or as a promise; that it throws nothing, or something else, fails the spec. */
export async function errorOf(call: () => unknown): Promise<BraidError> {
  let value: unknown;
  try {
    value = await call();
  } catch (thrown) {
    return braidError(thrown);
  }
  throw new Error(`nothing was thrown; it returned ${typeof value}`);
}

function braidError(thrown: unknown): BraidError {
  if (thrown instanceof BraidError) return thrown;
  throw new Error(`this is no BraidError: ${thrown instanceof Error ? thrown.stack : String(thrown)}`);
}
