import type { BidRun, BidRunResult } from './contenders/bid-run.ts';
import type { BenchmarkOptions, Measured } from './support/benchmark.ts';
import { bidsTopic, checkCounts, loadBids, makeTopic } from './support/bid-topic.ts';
import { startClusters } from './support/clusters.ts';
import { ContenderProcess, type RunCost } from './support/contender-process.ts';
import { type CaseResult, medianCase } from './support/measure.ts';

export const description =
  'two Kafka clusters -> JSON bids, 3 of 7 fields -> tumbling count and max per auction -> Kafka, flat out; against a hand-written kafkajs loop';

export async function run({ smoke }: BenchmarkOptions): Promise<Measured> {
  const records = smoke ? 50_000 : 3_000_000;
  const rounds = smoke ? 1 : 3;
  const clusters = await startClusters();
  const contenders: ContenderProcess<BidRun, BidRunResult>[] = [];
  try {
    await loadBids(clusters.addresses, records);
    for (const name of ['braid-bids', 'kafkajs-bids']) contenders.push(await ContenderProcess.start(name));
    const costs = new Map<ContenderProcess<BidRun, BidRunResult>, RunCost[]>();
    for (const contender of contenders) costs.set(contender, []);
    for (let round = 0; round <= rounds; round++) {
      for (const contender of contenders) {
        const output = `${contender.name}-${round}`;
        await makeTopic(clusters.addresses, output);
        const { result, cost } = await contender.run({ clusters: clusters.addresses, input: bidsTopic, output });
        const rows = await checkCounts(clusters.addresses, output, records);
        if (result.records !== records || result.rows !== rows)
          throw new Error(
            `${contender.name} counts ${result.records} records and ${result.rows} rows: ${records}, ${rows}`,
          );
        console.log(
          `  ${output}: ${records} records, ${rows} rows as they should be, ${cost.seconds.toFixed(2)} s, ${cost.cpuSeconds.toFixed(2)} CPU-s`,
        );
        if (round > 0) costs.get(contender)!.push(cost);
      }
    }
    const [braid, loop] = contenders.map(contender => medianCase(contender.name, costs.get(contender)!)) as [
      CaseResult,
      CaseResult,
    ];
    return {
      cases: [
        { ...braid, name: 'braid' },
        { ...loop, name: 'kafkajs-loop' },
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
