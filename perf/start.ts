import { execFile } from 'node:child_process';
import { extname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { assert } from '../lib/base/errors.ts';
import type { StartResult, StartRun } from './contenders/braid-start.ts';
import type { BenchmarkOptions, Measured } from './support/benchmark.ts';
import { loadBids } from './support/bid-topic.ts';
import { type ClusterAddress, startClusters } from './support/clusters.ts';
import { ContenderProcess } from './support/contender-process.ts';
import { median } from './support/measure.ts';

export const description =
  'what it takes to begin: `braid --help`, the import of the library, and the start of a job, cold in a new process and warm in a used one, phase by phase';

const extension = extname(import.meta.filename);
const execFileAsync = promisify(execFile);

export async function run({ smoke }: BenchmarkOptions): Promise<Measured> {
  const rounds = smoke ? 1 : 15;
  const ms = new Map<string, number[]>();
  const took = (name: string, value: number): void => {
    ms.set(name, [...(ms.get(name) ?? []), value]);
  };
  const main = join(import.meta.dirname, `../lib/cli/main${extension}`);
  const entry = pathToFileURL(join(import.meta.dirname, `../lib/index${extension}`)).href;
  const clusters = await startClusters();
  try {
    const records = 1000;
    await loadBids(clusters.addresses, 'bids', records);
    for (let round = 0; round <= rounds; round++) {
      const bare = await timeNode(['--input-type=module', '--eval', '']);
      const help = await timeNode([main, '--help']);
      const imported = await timeNode(['--input-type=module', '--eval', `await import(${JSON.stringify(entry)})`]);
      const [cold, warm] = await coldAndWarm(clusters.addresses, records);
      // The first round brings the files into the page cache.
      if (round === 0 && !smoke) continue;
      took('a bare Node process', bare);
      took('braid --help', help);
      took('a process that imports the library', imported);
      for (const [name, { importMs, handleMs, phases }] of [
        ['cold', cold],
        ['warm', warm],
      ] as const) {
        if (name === 'cold') took('cold start: import', importMs);
        took(`${name} start: handle`, handleMs);
        for (const { name: phase, startMs, durationMs } of phases)
          took(`${name} start: ${phase}`, startMs + durationMs);
      }
    }
  } finally {
    await clusters.close();
  }
  console.log('  medians; phases of a start run side by side, and the figure is when each of them had ended');
  return {
    cases: [],
    ratios: Object.fromEntries(Array.from(ms, ([name, values]) => [`${name} / 1 s`, median(values) / 1000])),
  };
}

/** A job in a new process, and the same once more: what is loaded and compiled by then stays. */
async function coldAndWarm(clusters: readonly ClusterAddress[], records: number): Promise<[StartResult, StartResult]> {
  const contender = await ContenderProcess.start<StartRun, StartResult>('braid-start');
  try {
    const start = async (): Promise<StartResult> => {
      const { result } = await contender.run({ clusters, input: 'bids' });
      assert(result.records === records, `${result.records} records were read, not ${records}`);
      return result;
    };
    return [await start(), await start()];
  } finally {
    await contender.close();
  }
}

/** A whole process, from its start to its end, ms; it rejects where it does not end well. */
async function timeNode(args: readonly string[]): Promise<number> {
  const startedAt = performance.now();
  await execFileAsync(process.execPath, extension === '.ts' ? ['--import', import.meta.resolve('tsx'), ...args] : args);
  return performance.now() - startedAt;
}
