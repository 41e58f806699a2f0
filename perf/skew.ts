import { assert } from '../lib/base/errors.ts';
import type { SkewResult, SkewRun } from './contenders/braid-skew.ts';
import type { BenchmarkOptions, Measured } from './support/benchmark.ts';
import { hotAuction, loadBids, mostlyHot } from './support/bid-topic.ts';
import { startClusters } from './support/clusters.ts';
import { ContenderProcess, type RunCost } from './support/contender-process.ts';
import { medianCase, ratioOf } from './support/measure.ts';

export const description =
  'keys that are as frequent as each other, and 90 % of the rows on one key; the topics are keyed, so one partition of each cluster holds most of the hot one';

export async function run({ smoke }: BenchmarkOptions): Promise<Measured> {
  const records = smoke ? 20_000 : 3_000_000;
  const rounds = smoke ? 1 : 7;
  const clusters = await startClusters();
  const contender = await ContenderProcess.start<SkewRun, SkewResult>('braid-skew');
  try {
    await loadBids(clusters.addresses, 'uniform', records);
    await loadBids(clusters.addresses, 'hot', records, mostlyHot);
    const costs = { uniform: [] as RunCost[], hot: [] as RunCost[] };
    for (let round = 0; round <= rounds; round++) {
      for (const input of ['uniform', 'hot'] as const) {
        const { result, cost } = await contender.run({ clusters: clusters.addresses, input, hotAuction });
        assert(result.records === records, `${result.records} of ${records} bids were counted`);
        assert(result.hot > records * 0.9 === (input === 'hot'), `${result.hot} of ${records} bids are hot`);
        if (round > 0) costs[input].push(cost);
      }
    }
    const cases = [medianCase('uniform', costs.uniform), medianCase('hot', costs.hot)];
    return { cases, ratios: { 'hot/uniform': ratioOf(cases, 'hot', 'uniform') } };
  } finally {
    await contender.close();
    await clusters.close();
  }
}
