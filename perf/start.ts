import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { extname, join } from 'node:path';
import { assert } from '../lib/base/errors.ts';
import type { BidRun } from './contenders/bid-run.ts';
import type { StartResult } from './contenders/job-start.ts';
import type { BenchmarkOptions, Measured } from './support/benchmark.ts';
import { loadBids, makeTopic } from './support/bid-topic.ts';
import { type ClusterAddress, startClusters } from './support/clusters.ts';
import { ContenderProcess, type RunCost } from './support/contender-process.ts';
import { type CaseResult, median, medianCase } from './support/measure.ts';

export const description =
  'braid --help, the import of the library, and a job from start() to its first written row, cold and warm, phase by phase';

const lib = join(import.meta.dirname, '../lib');
const extension = extname(import.meta.filename);

/** Cases are starts a second; the milliseconds stand among the ratios. */
export async function run({ smoke }: BenchmarkOptions): Promise<Measured> {
  const rounds = smoke ? 1 : 9;
  const node = [...process.execArgv];
  const processes = new Map([
    ['node alone', [...node, '--eval', '0']],
    ['braid --help', [...node, join(lib, `cli/main${extension}`), '--help']],
    ['import braidstream', [...node, '--eval', `import(${JSON.stringify(join(lib, `index${extension}`))})`]],
  ]);
  const costs = new Map<string, RunCost[]>(Array.from(processes.keys(), name => [name, []]));
  for (let round = 0; round <= rounds; round++)
    for (const [name, args] of processes) {
      const cost = await timeProcess(args);
      if (round > 0) costs.get(name)!.push(cost);
    }
  const cases = Array.from(costs, ([name, of]) => medianCase(name, of));
  const starts = await startJobs(smoke ? 1 : 5, smoke ? 2 : 8);
  return {
    cases: [...cases, ...starts.cases],
    ratios: {
      ...Object.fromEntries(
        Array.from(costs, ([name, of]) => [`${name}: ms`, median(of.map(cost => cost.seconds * 1000))]),
      ),
      ...starts.ratios,
    },
  };
}

async function timeProcess(args: readonly string[]): Promise<RunCost> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, args, { stdio: 'ignore' });
  const [code] = (await once(child, 'exit')) as [number | null];
  assert(code === 0, `${args.at(-1)} ended with exit code ${code}`);
  const seconds = (performance.now() - startedAt) / 1000;
  // What a child used is not told to its parent by name: its wall time stands for it.
  return { records: 1, seconds, cpuSeconds: seconds, rssBytesMax: 0 };
}

/** Cold: the first job of a process. Warm: the later ones. */
async function startJobs(coldStarts: number, warmStarts: number): Promise<Measured> {
  const clusters = await startClusters();
  const cold: StartResult[] = [];
  const warm: StartResult[] = [];
  const costs = { cold: [] as RunCost[], warm: [] as RunCost[] };
  try {
    const records = 20_000;
    await loadBids(clusters.addresses, 'bids', records);
    for (let i = 0; i < coldStarts; i++) {
      const contender = await ContenderProcess.start<BidRun, StartResult>('job-start');
      try {
        for (let start = 0; start <= warmStarts / coldStarts; start++) {
          const { result, cost } = await oneStart(contender, clusters.addresses, `started-${i}-${start}`);
          assert(result.records === records, `${result.records} of ${records} records were read`);
          (start === 0 ? cold : warm).push(result);
          costs[start === 0 ? 'cold' : 'warm'].push({ ...cost, records: 1 });
        }
      } finally {
        await contender.close();
      }
    }
  } finally {
    await clusters.close();
  }
  const cases: CaseResult[] = [
    medianCase('job of 20,000 records, cold', costs.cold),
    medianCase('job of 20,000 records, warm', costs.warm),
  ];
  return { cases, ratios: { ...timeline('cold', cold), ...timeline('warm', warm) } };
}

async function oneStart(
  contender: ContenderProcess<BidRun, StartResult>,
  clusters: readonly ClusterAddress[],
  output: string,
): Promise<{ readonly result: StartResult; readonly cost: RunCost }> {
  await makeTopic(clusters, output);
  return contender.run({ clusters, input: 'bids', output });
}

function timeline(name: string, starts: readonly StartResult[]): Record<string, number> {
  const ends = new Map<string, number[]>();
  for (const { phases, firstRowMs } of starts) {
    for (const phase of phases)
      ends.set(phase.name, [...(ends.get(phase.name) ?? []), phase.startMs + phase.durationMs]);
    ends.set('first row written', [...(ends.get('first row written') ?? []), firstRowMs]);
  }
  return Object.fromEntries(Array.from(ends, ([phase, ms]) => [`${name}: ${phase} after ms`, median(ms)]));
}
