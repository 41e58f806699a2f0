import { assert } from '../lib/base/errors.ts';
import type { KeysResult, KeysRun } from './contenders/braid-keys.ts';
import type { BenchmarkOptions, Measured } from './support/benchmark.ts';
import { startClusters } from './support/clusters.ts';
import { ContenderProcess } from './support/contender-process.ts';
import { keysMax, loadKeys } from './support/key-topic.ts';
import { type CaseResult, medianCase } from './support/measure.ts';

export const description =
  'one job over 10^3, 10^5, 10^6 and 10^7 keys of the same records: cost of a record while they gather, of a row while they come out, bytes per key and aggregate';

/** The job has two aggregates: count and maximum. */
const aggregates = 2;

/** Each number of keys has a process of its own, in which a small run warms it up. */
export async function run({ smoke }: BenchmarkOptions): Promise<Measured> {
  const records = smoke ? 50_000 : 12_000_000;
  const keyCounts = smoke ? [1e3, 1e4] : [1e3, 1e5, 1e6, keysMax];
  const clusters = await startClusters();
  try {
    await loadKeys(clusters.addresses, 'warm-up', smoke ? 5_000 : 500_000);
    await loadKeys(clusters.addresses, 'keys', records);
    const results = new Map<number, KeysResult>();
    const cases: CaseResult[] = [];
    for (const keys of keyCounts) {
      const contender = await ContenderProcess.start<KeysRun, KeysResult>('braid-keys');
      try {
        await contender.run({ clusters: clusters.addresses, input: 'warm-up', keys });
        const { result } = await contender.run({ clusters: clusters.addresses, input: 'keys', keys });
        assert(
          result.records === records && result.rows === keys,
          `${result.records} of ${records} records in ${result.rows} of ${keys} groups`,
        );
        results.set(keys, result);
        cases.push(medianCase(`${power(keys)} keys, reading`, [result.reading]));
        cases.push(medianCase(`${power(keys)} keys, emission`, [result.emission]));
      } finally {
        await contender.close();
      }
    }
    return { cases, ratios: compare(results) };
  } finally {
    await clusters.close();
  }
}

/** Everything beside the fewest keys, which cost next to nothing. */
function compare(results: ReadonlyMap<number, KeysResult>): Record<string, number> {
  const nanoseconds = ({ reading }: KeysResult): number => (reading.cpuSeconds / reading.records) * 1e9;
  const [[fewest, least], ...others] = [...results] as [[number, KeysResult], ...[number, KeysResult][]];
  return Object.fromEntries(
    others.flatMap(([keys, result]) => [
      [`CPU-ns a record, ${power(keys)} over ${power(fewest)} keys`, nanoseconds(result) - nanoseconds(least)],
      [`bytes per key and aggregate, ${power(keys)} keys`, (result.bytes - least.bytes) / (keys - fewest) / aggregates],
    ]),
  );
}

function power(keys: number): string {
  return `10^${Math.log10(keys)}`;
}
