import type { CaseResult } from './measure.ts';

/** What a file `perf/NAME.ts` exports, besides `description`, a sentence: `run`, which measures. */
export interface Benchmark {
  readonly description: string;
  run(options: BenchmarkOptions): Promise<Measured>;
}

export interface BenchmarkOptions {
  /** Tiny sizes: everything runs and every check is made, in seconds; the figures mean nothing. For CI. */
  readonly smoke: boolean;
}

export interface Measured {
  readonly cases: readonly CaseResult[];
  /** `a/b` -> how many times as fast a is. */
  readonly ratios: Readonly<Record<string, number>>;
}

/** What `--json FILE` writes. */
export interface Report extends Measured {
  readonly name: string;
  readonly node: string;
  readonly cores: number;
}
