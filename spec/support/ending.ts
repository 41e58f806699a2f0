import * as assert from 'uvu/assert';
import { BraidError, type BraidErrorCode } from '../../lib/base/errors.ts';
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

/** A job that has not ended after so long hangs. */
const msMax = 9_000;

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
    let hung = false;
    const timer = setTimeout(() => {
      hung = true;
      void run.stop();
    }, msMax);
    const done = await run.done
      .catch(error => {
        metrics = run.metrics();
        throw error;
      })
      .finally(() => clearTimeout(timer));
    if (hung) throw new Error(`the job did not end within ${msMax} ms: ${JSON.stringify(done.metrics)}`);
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

/** What an error must say. A place is always wanted: where it is not given here, any will do. */
export interface ErrorWanted {
  readonly code: BraidErrorCode;
  readonly sentence: RegExp;
  readonly place?: RegExp;
  readonly hint?: RegExp;
}

/** One code, one sentence, one place, and nothing that only a developer of Braid would understand. */
export function assertError(error: BraidError | undefined, wanted: ErrorWanted): void {
  assert.ok(error !== undefined, 'it should have failed');
  const described = error.describe();
  assert.is(error.code, wanted.code, described);
  assert.match(error.message, wanted.sentence);
  assert.match(error.place ?? '', wanted.place ?? /./, described);
  if (wanted.hint !== undefined) assert.match(error.hint ?? '', wanted.hint, described);
  assert.not.match(described, /\n\s+at |\bundefined\b|\[object |NaN/);
}

function braidError(thrown: unknown): BraidError {
  if (thrown instanceof BraidError) return thrown;
  if (thrown instanceof Error && thrown.message.startsWith('the job did not end')) throw thrown;
  throw new Error(`this is no BraidError: ${thrown instanceof Error ? thrown.stack : String(thrown)}`);
}
