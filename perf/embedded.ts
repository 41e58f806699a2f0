import { assert } from '../lib/base/errors.ts';
import { RecordBatchEncoder } from '../lib/formats/record-batch/encode.ts';
import { nextBatch } from '../lib/formats/record-batch/header.ts';
import { createClientFactory } from '../lib/kafka/client.ts';
import type { ClusterClient } from '../lib/kafka/transport.ts';
import type { BenchmarkOptions, Measured } from './support/benchmark.ts';
import { startClusters } from './support/clusters.ts';
import { type RunCost, startCost } from './support/contender-process.ts';
import { median, medianCase } from './support/measure.ts';

export const description =
  'what one broker of an embedded cluster, in a process of its own, takes and gives: raw Produce and Fetch requests of 4 partitions, batches of 1 MB';

const topic = 'bytes';
const partitions = [0, 1, 2, 3];
const batchBytes = 1_000_000;
const valueBytes = 200;

/** A batch of about a megabyte; the client sends the same one over and over. */
function makeBatch(): { readonly batch: Uint8Array; readonly records: number } {
  const encoder = new RecordBatchEncoder();
  const value = new Uint8Array(valueBytes).fill(120);
  while (encoder.byteLength < batchBytes) encoder.append(0, null, 0, 0, value, 0, valueBytes);
  const { records } = encoder;
  return { batch: encoder.finish()!, records };
}

export async function run({ smoke }: BenchmarkOptions): Promise<Measured> {
  const requests = smoke ? 2 : 64;
  const rounds = smoke ? 1 : 5;
  const clusters = await startClusters(['embedded']);
  const client = createClientFactory(clusters.addresses[0]!)(1);
  try {
    await client.connect();
    const { batch, records } = makeBatch();
    const costs = { produce: [] as RunCost[], fetch: [] as RunCost[] };
    const clusterCpu = { produce: [] as number[], fetch: [] as number[] };
    for (let round = 0; round <= rounds; round++) {
      const name = `${topic}-${round}`;
      await client.createTopics([{ topic: name, partitions: partitions.length, replicationFactor: 1 }]);
      const before = await clusters.cpuSeconds();
      const stopProduce = startCost();
      await produceAll(client, name, batch, requests);
      const produced = stopProduce(requests * partitions.length * records);
      const between = await clusters.cpuSeconds();
      const stopFetch = startCost();
      const bytes = await fetchAll(client, name, requests * records);
      const fetched = stopFetch(requests * partitions.length * records);
      const after = await clusters.cpuSeconds();
      assert(bytes === requests * partitions.length * batch.length, `${bytes} bytes came back`);
      if (round === 0) continue;
      costs.produce.push(produced);
      costs.fetch.push(fetched);
      clusterCpu.produce.push(between - before);
      clusterCpu.fetch.push(after - between);
    }
    const cases = [medianCase('produce', costs.produce), medianCase('fetch', costs.fetch)];
    const megabytesOfRound = (requests * partitions.length * batch.length) / 1e6;
    const megabytes = (recordsPerSecond: number): number => (recordsPerSecond * batch.length) / records / 1e6;
    return {
      cases,
      ratios: {
        'produce MB/s': megabytes(cases[0]!.recordsPerSecond),
        'fetch MB/s': megabytes(cases[1]!.recordsPerSecond),
        'produce MB per CPU-second of the cluster': megabytesOfRound / median(clusterCpu.produce),
        'fetch MB per CPU-second of the cluster': megabytesOfRound / median(clusterCpu.fetch),
      },
    };
  } finally {
    client.destroy();
    await clusters.close();
  }
}

async function produceAll(client: ClusterClient, name: string, batch: Uint8Array, requests: number): Promise<void> {
  const [metadata] = await client.metadata([name]);
  const node = metadata!.partitions[0]!.leader;
  for (let i = 0; i < requests; i++) {
    const all = partitions.map(partition => ({ partition, batch }));
    const answers = await client.produce(node, { topic: name, timeoutMs: 30_000, partitions: all });
    assert(
      answers.every(({ error }) => error === 0),
      'every batch is taken',
    );
  }
}

/** Reads all partitions to their end and steps over the headers of the batches, as a reader must. Returns their bytes. */
async function fetchAll(client: ClusterClient, name: string, until: number): Promise<number> {
  const [metadata] = await client.metadata([name]);
  const node = metadata!.partitions[0]!.leader;
  const offsets = new Map(partitions.map(partition => [partition, 0]));
  let bytes = 0;
  for (;;) {
    const open = [...offsets].filter(([, offset]) => offset < until);
    if (open.length === 0) return bytes;
    const answer = await client.fetch(node, {
      topic: name,
      partitions: open.map(([partition, offset]) => ({ partition, offset, bytesMax: 2 << 20 })),
      waitMsMax: 500,
      bytesMin: 1,
      bytesMax: 8 << 20,
    });
    for (const { partition, records } of answer.partitions) {
      for (let h = nextBatch(records, 0, records.length); h; h = nextBatch(records, h.end, records.length)) {
        offsets.set(partition, h.nextOffset);
        bytes += h.end - h.start;
      }
    }
  }
}
