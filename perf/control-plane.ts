import type { BenchmarkOptions, Measured } from './support/benchmark.ts';
import { type BidContender, runBids } from './support/bid-contender.ts';
import { loadBids } from './support/bid-topic.ts';
import { startClusters } from './support/clusters.ts';
import { ContenderProcess, type RunCost } from './support/contender-process.ts';
import { median, medianCase } from './support/measure.ts';

export const description =
  "events that a job's machines handle per million records, and what it costs to watch them: pairs of runs with inspect$ subscribed and not";

/**
 * Pairs are interleaved, and each is compared in itself: a machine that is slower for a while is so for both. Watching
 * begins when the job runs: the events of its start are not counted.
 */
export async function run({ smoke }: BenchmarkOptions): Promise<Measured> {
  const records = smoke ? 20_000 : 1_000_000;
  const pairs = smoke ? 1 : 15;
  const clusters = await startClusters();
  const contender: BidContender = await ContenderProcess.start('braid-bids');
  try {
    await loadBids(clusters.addresses, 'bids', records);
    const costs: { watched: RunCost[]; unwatched: RunCost[] } = { watched: [], unwatched: [] };
    const events: number[] = [];
    for (let pair = 0; pair <= pairs; pair++) {
      // Each is first as often as the other.
      const order = pair % 2 === 0 ? (['watched', 'unwatched'] as const) : (['unwatched', 'watched'] as const);
      for (const name of order) {
        const watch = name === 'watched';
        const { result, cost } = await runBids(
          contender,
          { clusters: clusters.addresses, input: 'bids', output: `${name}-${pair}`, watch },
          records,
        );
        if (pair === 0) continue;
        costs[name].push(cost);
        if (watch) events.push(result.machineEvents!);
      }
    }
    const perPair = (of: (cost: RunCost) => number): number =>
      median(costs.watched.map((watched, i) => of(costs.unwatched[i]!) / of(watched)));
    return {
      cases: [medianCase('unwatched', costs.unwatched), medianCase('watched', costs.watched)],
      ratios: {
        'machine events per million records': (median(events) * 1e6) / records,
        'watched/unwatched': perPair(cost => cost.seconds),
        'watched/unwatched per cpu-second': perPair(cost => cost.cpuSeconds),
      },
    };
  } finally {
    await contender.close();
    await clusters.close();
  }
}
