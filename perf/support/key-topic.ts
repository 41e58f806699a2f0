import { createClientFactory } from '../../lib/kafka/client.ts';
import { TopicWriter } from '../../lib/kafka/topic-writer.ts';
import type { ClusterAddress } from './clusters.ts';

/** Every key below this comes once before any comes twice; a prime stride scatters them. */
export const keysMax = 10_000_000;
const stride = 6_180_343;
const startMs = 1_700_006_400_000;
const partitions = 4;
const recordsPerTurn = 8192;

/** Loads small records with keys from 0 to 10^7, of half an hour within one day, to both clusters and all partitions in turn. */
export async function loadKeys(clusters: readonly ClusterAddress[], topic: string, records: number): Promise<void> {
  const clients = clusters.map(cluster => createClientFactory(cluster)(1));
  try {
    const writers: TopicWriter[] = [];
    for (const client of clients) {
      await client.connect();
      await client.createTopics([{ topic, partitions, replicationFactor: 1, config: { 'retention.ms': '-1' } }]);
      writers.push(await TopicWriter.open(client, topic, { batchBytesMax: 256 << 10 }));
    }
    const value = Buffer.alloc(128);
    for (let i = 0; i < records; i++) {
      const at = startMs + Math.floor((i / records) * 1_800_000);
      const length = value.write(`{"key":${(i * stride) % keysMax},"value":${i % 1000},"at":${at}}`, 0, 'latin1');
      const turn = i % (writers.length * partitions);
      const writer = writers[turn % writers.length]!;
      writer.appendSlices(Math.floor(turn / writers.length), null, 0, 0, value, 0, length, at);
      if (i % recordsPerTurn !== 0) continue;
      await new Promise(setImmediate);
      await Promise.all(writers.map(each => each.drained()));
    }
    await Promise.all(writers.map(writer => writer.flush()));
  } finally {
    for (const client of clients) client.destroy();
  }
}
