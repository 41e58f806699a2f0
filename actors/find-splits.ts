import { BraidError } from '../lib/base/errors.ts';
import type { ClusterClient } from '../lib/kafka/transport.ts';
import type { KafkaSourceNode } from '../lib/plan/logical.ts';
import type { Split } from './split.ts';

/**
 * The partitions that a topic has in one cluster, with the offsets to start at and, for a bounded source, to stop at.
 * `sinceMs`: wall clock of the job's start, for a cluster that was out of reach then; `latest` means that moment, and the
 * records' timestamps come closest to it. TOPIC_UNKNOWN, and whatever the client rejects with.
 */
export async function findSplits(
  { topic, options }: KafkaSourceNode,
  client: ClusterClient,
  sinceMs: number | undefined,
  nextId: () => number,
): Promise<Split[]> {
  const { cluster } = client;
  const [metadata] = await client.metadata([topic]);
  if (metadata === undefined || metadata.partitions.length === 0)
    throw new BraidError('TOPIC_UNKNOWN', `the cluster has no topic ${topic}`, { place: cluster });
  const partitions = metadata.partitions.map(each => each.partition);
  const startFrom = options.startFrom === 'latest' && sinceMs !== undefined ? sinceMs : options.startFrom;
  const starts = await client.listOffsets(topic, partitions, startFrom);
  const ends = await client.listOffsets(topic, partitions, 'latest');
  return metadata.partitions.map(({ partition, leader }): Split => {
    const start = starts.get(partition) ?? 0;
    const end = ends.get(partition) ?? start;
    return {
      id: nextId(),
      cluster,
      topic,
      partition,
      endOffset: options.bounded ? end : Number.POSITIVE_INFINITY,
      fetchOffset: start,
      ownedOffset: start,
      highWatermark: end,
      leader,
      pieces: [],
      queuedRecords: 0,
      queuedBytes: 0,
      emptySince: undefined,
      recordsIn: 0,
    };
  });
}
