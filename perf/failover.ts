import { assert } from '../lib/base/errors.ts';
import { count, type JobHandle, job, kafka, kafkaSink, max } from '../lib/index.ts';
import { bid } from './contenders/bid-schema.ts';
import type { BenchmarkOptions, Measured } from './support/benchmark.ts';
import { checkCounts, loadBids, makeTopic } from './support/bid-topic.ts';
import { type PerfClusters, startClusters } from './support/clusters.ts';
import { startCost } from './support/contender-process.ts';
import { type Fault, type FaultKind, FaultRun } from './support/fault-run.ts';
import { medianCase, quantile } from './support/measure.ts';

export const description =
  'the cluster that is written to goes away, as a black hole and by closing its ports, at half of the flat-out rate: time to detect, to switch, to resume; what the other one does meanwhile; nothing lost or doubled';

const windowMs = 60_000;

/** Sink and source share the clusters, so that each fault takes a source and the active sink away at once. */
function startJob(clusters: PerfClusters, output: string, recordsPerSecondMax: number): Promise<JobHandle> {
  const { addresses } = clusters;
  return job('failover')
    .from(
      kafka({
        topic: 'bids',
        clusters: addresses,
        schema: bid,
        bounded: true,
        recordsPerSecondMax,
        holdWatermarkMs: 600_000,
        // So little that what was fetched before a fault is used up while it lasts: what is read after it was fetched after it.
        prefetchBytesMax: 16 << 20,
      }),
    )
    .watermark('dateTime')
    .groupBy('auction')
    .tumble({ minutes: 1 })
    .aggregate(b => ({ bids: count(), maxPrice: max(b.price) }))
    .select(({ auction, windowStart, bids, maxPrice }) => ({ auction: auction.toText(), windowStart, bids, maxPrice }))
    .to(kafkaSink({ topic: output, clusters: addresses, key: 'auction' }))
    .start();
}

/**
 * Several jobs one after the other read the same bids; each is struck about once a second until its input is nearly used up,
 * and what it has written to both clusters is compared with the seed, row by row, copies left out by their tags.
 */
export async function run({ smoke }: BenchmarkOptions): Promise<Measured> {
  const records = smoke ? 500_000 : 6_000_000;
  const faultsMin = smoke ? 2 : 100;
  const clusters = await startClusters();
  const faultsOf = (name: string) => clusters.processes.find(cluster => cluster.name === name)!.faults;
  const kinds: readonly FaultKind[] = [
    { name: 'black hole', begin: name => faultsOf(name).blackHole(), end: name => faultsOf(name).heal() },
    { name: 'closed port', begin: name => faultsOf(name).down(), end: name => faultsOf(name).up() },
  ];
  try {
    await loadBids(clusters.addresses, 'bids', records);
    const flatOut = await measureFlatOut(clusters, records);
    const rate = smoke ? 50_000 : Math.round(flatOut.recordsPerSecond / 2);
    const faults = new Map<string, Fault[]>();
    let episodes = 0;
    for (const kind of kinds) {
      const found: Fault[] = [];
      faults.set(kind.name, found);
      while (found.length < faultsMin) {
        const before = found.length;
        await strike(clusters, `failover-${++episodes}`, rate, records, kind, found, faultsMin);
        assert(found.length > before, 'a job lasts for one fault at least');
      }
    }
    const all = [...faults.values()].flat();
    return {
      cases: [flatOut],
      ratios: {
        ...Object.fromEntries([...faults].flatMap(([name, of]) => distribution(name, of))),
        'switch p99 / 1 s':
          Math.max(
            ...[...faults.values()].map(of =>
              quantile(
                of.map(f => f.switch),
                0.99,
              ),
            ),
          ) / 1000,
        'healthy during/before': quantile(
          all.map(fault => fault.healthyDuringBefore),
          0.5,
        ),
      },
    };
  } finally {
    await clusters.close();
  }
}

async function measureFlatOut(clusters: PerfClusters, records: number): Promise<ReturnType<typeof medianCase>> {
  const costs = [];
  for (let round = 0; round < 3; round++) {
    const output = `flat-out-${round}`;
    await makeTopic(clusters.addresses, output);
    const stop = startCost();
    const started = await startJob(clusters, output, Number.POSITIVE_INFINITY);
    await started.done;
    if (round > 0) costs.push(stop(records));
  }
  return medianCase('flat out', costs);
}

/** One job from its start to its end, struck again and again. */
async function strike(
  clusters: PerfClusters,
  output: string,
  rate: number,
  records: number,
  kind: FaultKind,
  faults: Fault[],
  faultsMin: number,
): Promise<void> {
  await makeTopic(clusters.addresses, output);
  const started = await startJob(clusters, output, rate);
  const script = new FaultRun(started);
  let done: Awaited<JobHandle['done']>;
  try {
    // A fault takes up to two seconds in all, in which the cluster that is left has to last.
    while (faults.length < faultsMin && (await script.calm(rate * 1.8))) faults.push(await script.fault(kind));
    done = await started.done;
  } finally {
    script.close();
    await started.stop();
  }
  const { recordsIn, lateRows } = done.metrics;
  assert(recordsIn === records && lateRows === 0, `${recordsIn} of ${records} records were read, ${lateRows} late`);
  const rows = await checkCounts(clusters.addresses, output, records, { windowMs, mayRepeat: true });
  console.log(`  ${output} at ${rate} records/s: ${faults.length} times ${kind.name}; ${rows} rows as they should be`);
}

function distribution(name: string, faults: readonly Fault[]): [string, number][] {
  return (['detect', 'switch', 'resume'] as const).flatMap(what =>
    [0.5, 0.99].map((q): [string, number] => [
      `${name}: ${what} p${q * 100} / 1 s`,
      quantile(
        faults.map(fault => fault[what]),
        q,
      ) / 1000,
    ]),
  );
}
