import { runSideProcess } from '../examples/flights/side-process.ts';
import { assert } from '../lib/base/errors.ts';
import type { BenchmarkOptions, Measured } from './support/benchmark.ts';
import { type BidContender, runBids } from './support/bid-contender.ts';
import { loadBids } from './support/bid-topic.ts';
import { type ClusterAddress, startClusters } from './support/clusters.ts';
import { ContenderProcess, type RunCost } from './support/contender-process.ts';
import { type CaseResult, medianCase } from './support/measure.ts';

export const description =
  'two Kafka clusters -> JSON bids, 3 of 7 fields -> tumbling count and max per auction -> Kafka, flat out; against a hand-written kafkajs loop';

/**
 * Both sides read the same topics of the same clusters, write to the same cluster and find the same rows, which is checked
 * after every run. Each lives in a process of its own, in which a small run warms it up; what a job costs to start is part
 * of every run. CPU-seconds are those of that process with all its threads, not the clusters'.
 */
export async function run({ smoke }: BenchmarkOptions): Promise<Measured> {
  const records = smoke ? 50_000 : 4_000_000;
  const warmUpRecords = smoke ? 5_000 : 300_000;
  const rounds = smoke ? 1 : 2;
  const clusters = await startClusters();
  const contenders: BidContender[] = [];
  try {
    await loadBids(clusters.addresses, 'warm-up', warmUpRecords);
    await loadBids(clusters.addresses, 'bids', records);
    const costs = new Map<BidContender, RunCost[]>();
    for (const name of ['braid-bids', 'kafkajs-bids']) {
      const contender: BidContender = await ContenderProcess.start(name);
      contenders.push(contender);
      costs.set(contender, []);
      const warmUp = { clusters: clusters.addresses, input: 'warm-up', output: `${name}-0` };
      await runBids(contender, warmUp, warmUpRecords);
    }
    // The loop takes so long that the job has its turn before and after it.
    const [braidProcess, loopProcess] = contenders as [BidContender, BidContender];
    const turns = Array.from({ length: rounds }, () => [braidProcess, loopProcess, braidProcess]).flat();
    for (const [turn, contender] of turns.entries()) {
      const run = { clusters: clusters.addresses, input: 'bids', output: `${contender.name}-${turn + 1}` };
      costs.get(contender)!.push((await runBids(contender, run, records)).cost);
    }
    const [braid, loop] = [...costs].map(([{ name }, of]) => medianCase(name, of)) as [CaseResult, CaseResult];
    return {
      cases: [
        { ...braid, name: 'braid' },
        { ...loop, name: 'kafkajs-loop' },
        await runFlights(clusters.addresses, smoke ? 20_000 : 1_000_000, smoke ? 1 : 3),
      ],
      ratios: {
        'braid/kafkajs-loop per cpu-second': braid.recordsPerCpuSecond / loop.recordsPerCpuSecond,
        'braid/kafkajs-loop': braid.recordsPerSecond / loop.recordsPerSecond,
      },
    };
  } finally {
    await Promise.all(contenders.map(contender => contender.close()));
    await clusters.close();
  }
}

/** The main job beside: narrower windows, text keys, five aggregates. Its rows are checked by `npm start`. */
async function runFlights(clusters: readonly ClusterAddress[], records: number, rounds: number): Promise<CaseResult> {
  await runSideProcess('loader', { clusters, records }, () => {}, new AbortController().signal);
  const contender = await ContenderProcess.start<{ clusters: readonly ClusterAddress[] }, { records: number }>(
    'braid-flights',
  );
  try {
    const costs: RunCost[] = [];
    for (let round = 0; round <= rounds; round++) {
      const { cost } = await contender.run({ clusters });
      assert(cost.records === records, `${cost.records} flights were read, not ${records}`);
      if (round > 0) costs.push(cost);
    }
    return medianCase('braid, flights', costs);
  } finally {
    await contender.close();
  }
}
