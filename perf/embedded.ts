import { assert } from '../lib/base/errors.ts';
import type { ClusterProcess } from '../lib/embedded/index.ts';
import { createClientFactory } from '../lib/kafka/client.ts';
import type { ClusterClient } from '../lib/kafka/transport.ts';
import type { BenchmarkOptions, Measured } from './support/benchmark.ts';
import { bidBatches } from './support/bids.ts';
import { startClusters } from './support/clusters.ts';
import { type RunCost, startCost } from './support/contender-process.ts';
import { median, medianCase } from './support/measure.ts';

export const description =
  'the embedded cluster alone, in a process of its own: batches of 1 MB produced to four partitions and fetched again, by a client that does not look into them';

const partitions = [0, 1, 2, 3];
const recordsPerBatch = 5000;
const batch = bidBatches(1, recordsPerBatch);
/** The bids are of 1970: nothing is deleted for its age. */
const config = { 'retention.ms': '-1' };
/** As a job reads: a few whole batches of each partition in an answer. */
const bytesMaxOfPartition = 4 << 20;

/** What one pass over a topic cost on both sides of the wire. */
interface Pass {
  readonly client: RunCost;
  readonly bytes: number;
  /** CPU-seconds of the cluster's process. */
  readonly clusterCpuSeconds: number;
}

/** Requests go one after the other, so a pass is bound by the client's turn and the cluster's in sum. */
export async function run({ smoke }: BenchmarkOptions): Promise<Measured> {
  const requests = smoke ? 2 : 64;
  const rounds = smoke ? 1 : 7;
  const clusters = await startClusters(['east']);
  const client = createClientFactory(clusters.addresses[0]!)(1);
  const passes: Record<'produce' | 'fetch', Pass[]> = { produce: [], fetch: [] };
  try {
    const [cluster] = clusters.processes as [ClusterProcess];
    await client.connect();
    for (let round = 0; round <= rounds; round++) {
      const topic = `bytes-${round}`;
      await client.createTopics([{ topic, partitions: partitions.length, replicationFactor: 1, config }]);
      const leader = await leaderOf(client, topic);
      const produced = await pass(cluster, () => produce(client, leader, topic, requests));
      const fetched = await pass(cluster, () => fetchAll(client, leader, topic, requests * recordsPerBatch));
      assert(fetched.bytes === produced.bytes, `${fetched.bytes} bytes came back of ${produced.bytes}`);
      // The first round warms both sides up.
      if (round === 0) continue;
      passes.produce.push(produced);
      passes.fetch.push(fetched);
    }
  } finally {
    client.destroy();
    await clusters.close();
  }
  const both = ['produce', 'fetch'] as const;
  return {
    cases: both.map(name =>
      medianCase(
        name,
        passes[name].map(each => each.client),
      ),
    ),
    ratios: Object.fromEntries(
      both.flatMap(name => [
        [`${name} MB/s`, median(passes[name].map(({ bytes, client: cost }) => bytes / 1e6 / cost.seconds))],
        [
          `${name} MB per CPU-second of the cluster`,
          median(passes[name].map(({ bytes, clusterCpuSeconds }) => bytes / 1e6 / clusterCpuSeconds)),
        ],
      ]),
    ),
  };
}

async function leaderOf(client: ClusterClient, topic: string): Promise<number> {
  const [found] = await client.metadata([topic]);
  const leaders = new Set(found!.partitions.map(({ leader }) => leader));
  assert(leaders.size === 1, 'one broker leads all partitions');
  return [...leaders][0]!;
}

async function pass(cluster: ClusterProcess, work: () => Promise<number>): Promise<Pass> {
  const before = await cluster.usage();
  const stop = startCost();
  const bytes = await work();
  const client = stop((bytes / batch.length) * recordsPerBatch);
  const after = await cluster.usage();
  return { client, bytes, clusterCpuSeconds: after.cpuSeconds - before.cpuSeconds };
}

async function produce(client: ClusterClient, leader: number, topic: string, requests: number): Promise<number> {
  for (let i = 0; i < requests; i++) {
    const answers = await client.produce(leader, {
      topic,
      timeoutMs: 30_000,
      partitions: partitions.map(partition => ({ partition, batch })),
    });
    for (const { partition, error, baseOffset } of answers)
      assert(error === 0 && baseOffset === i * recordsPerBatch, `batch ${i} of partition ${partition}: error ${error}`);
  }
  return requests * partitions.length * batch.length;
}

async function fetchAll(client: ClusterClient, leader: number, topic: string, end: number): Promise<number> {
  const offsets = new Map(partitions.map(partition => [partition, 0]));
  let bytes = 0;
  for (;;) {
    const open = partitions.filter(partition => offsets.get(partition)! < end);
    if (open.length === 0) return bytes;
    const answer = await client.fetch(leader, {
      topic,
      waitMsMax: 1000,
      bytesMin: 1,
      bytesMax: bytesMaxOfPartition * partitions.length,
      partitions: open.map(partition => ({
        partition,
        offset: offsets.get(partition)!,
        bytesMax: bytesMaxOfPartition,
      })),
    });
    for (const { partition, error, records } of answer.partitions) {
      assert(error === 0, `partition ${partition}: error ${error}`);
      // What is cut short at the end is fetched once more.
      const whole = Math.floor(records.length / batch.length);
      bytes += whole * batch.length;
      offsets.set(partition, offsets.get(partition)! + whole * recordsPerBatch);
    }
  }
}
