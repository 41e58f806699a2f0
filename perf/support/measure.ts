import type { RunCost } from './contender-process.ts';

/** One way to do the work of a benchmark. `run` does it once and returns the number of records it handled. */
export interface Contender {
  readonly name: string;
  /** Untimed: whatever a run uses up, such as fresh buffers. */
  prepare?(): void | Promise<void>;
  run(): number | Promise<number>;
}

export interface CaseResult {
  readonly name: string;
  readonly recordsPerSecond: number;
  /** Over user and system time of this process with all its threads. */
  readonly recordsPerCpuSecond: number;
  readonly rssBytesMax: number;
}

/**
 * Runs the contenders in turn, `rounds` times after `warmUps` rounds that do not count, and takes the median of each: a
 * machine that is slower for a while is so for all of them.
 */
export async function interleaved(
  contenders: readonly Contender[],
  rounds: number,
  warmUps: number,
): Promise<CaseResult[]> {
  const samples = contenders.map(() => ({ perSecond: [] as number[], perCpuSecond: [] as number[], rss: 0 }));
  for (let round = -warmUps; round < rounds; round++) {
    for (const [i, contender] of contenders.entries()) {
      await contender.prepare?.();
      const cpu = process.cpuUsage();
      const started = process.hrtime.bigint();
      const records = await contender.run();
      const seconds = Number(process.hrtime.bigint() - started) / 1e9;
      const used = process.cpuUsage(cpu);
      const sample = samples[i]!;
      sample.rss = Math.max(sample.rss, process.memoryUsage().rss);
      if (round < 0) continue;
      sample.perSecond.push(records / seconds);
      sample.perCpuSecond.push(records / ((used.user + used.system) / 1e6));
    }
  }
  return contenders.map(({ name }, i) => ({
    name,
    recordsPerSecond: Math.round(median(samples[i]!.perSecond)),
    recordsPerCpuSecond: Math.round(median(samples[i]!.perCpuSecond)),
    rssBytesMax: samples[i]!.rss,
  }));
}

/** A contender that ran in a process of its own: medians of its runs. */
export function medianCase(name: string, costs: readonly RunCost[]): CaseResult {
  return {
    name,
    recordsPerSecond: rounded(median(costs.map(cost => cost.records / cost.seconds))),
    recordsPerCpuSecond: rounded(median(costs.map(cost => cost.records / cost.cpuSeconds))),
    rssBytesMax: Math.max(...costs.map(cost => cost.rssBytesMax)),
  };
}

/** Whole records, and two digits where they are few. */
function rounded(value: number): number {
  return value < 1000 ? Math.round(value * 100) / 100 : Math.round(value);
}

/** How many times as many records a second case `a` handles as case `b`. */
export function ratioOf(cases: readonly CaseResult[], a: string, b: string): number {
  const rate = (name: string): number => cases.find(one => one.name === name)!.recordsPerSecond;
  return rate(a) / rate(b);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The smallest value that at least `q` of the values do not exceed. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)]!;
}
