import type { BenchmarkOptions, Measured } from './support/benchmark.ts';
import { type BidContender, runBids } from './support/bid-contender.ts';
import { loadBids } from './support/bid-topic.ts';
import { startClusters } from './support/clusters.ts';
import { ContenderProcess, type RunCost } from './support/contender-process.ts';
import { medianCase, ratioOf } from './support/measure.ts';

export const description =
  'the job of kafka-json with its kernels on its own thread, and on pools of one and of two threads';

const contenders = new Map([
  ['inline', 0],
  ['pool of 1', 1],
  ['pool of 2', 2],
]);

export async function run({ smoke }: BenchmarkOptions): Promise<Measured> {
  const records = smoke ? 20_000 : 2_000_000;
  const rounds = smoke ? 1 : 5;
  const clusters = await startClusters();
  const process: BidContender = await ContenderProcess.start('braid-bids');
  try {
    await loadBids(clusters.addresses, 'bids', records);
    const costs = new Map<string, RunCost[]>(Array.from(contenders.keys(), name => [name, []]));
    for (let round = 0; round <= rounds; round++) {
      for (const [name, threads] of contenders) {
        const output = `pool-of-${threads}-${round}`;
        const { cost } = await runBids(
          process,
          { clusters: clusters.addresses, input: 'bids', output, threads },
          records,
        );
        if (round > 0) costs.get(name)!.push(cost);
      }
    }
    const cases = Array.from(costs, ([name, of]) => medianCase(name, of));
    return {
      cases,
      ratios: {
        'pool of 1/inline': ratioOf(cases, 'pool of 1', 'inline'),
        'pool of 2/inline': ratioOf(cases, 'pool of 2', 'inline'),
      },
    };
  } finally {
    await process.close();
    await clusters.close();
  }
}
