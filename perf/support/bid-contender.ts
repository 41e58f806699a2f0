import { assert } from '../../lib/base/errors.ts';
import type { BidRun, BidRunResult } from '../contenders/bid-run.ts';
import { checkCounts, makeTopic } from './bid-topic.ts';
import type { ContenderProcess, RunCost } from './contender-process.ts';

export type BidContender = ContenderProcess<BidRun, BidRunResult>;

/** Makes the topic of the results, has the contender fill it, and compares every row with what the seed gives. */
export async function runBids(
  contender: BidContender,
  run: BidRun,
  records: number,
): Promise<{ readonly result: BidRunResult; readonly cost: RunCost }> {
  await makeTopic(run.clusters, run.output);
  const { result, cost } = await contender.run(run);
  const rows = await checkCounts(run.clusters, run.output, records);
  assert(
    result.records === records && result.rows === rows,
    `${contender.name} counts ${result.records} records and ${result.rows} rows, not ${records} and ${rows}`,
  );
  console.log(
    `  ${run.output.padEnd(20)} ${records} records, ${rows} rows as they should be, ${cost.seconds.toFixed(2)} s, ${cost.cpuSeconds.toFixed(2)} CPU-s`,
  );
  return { result, cost };
}
