import { setTimeout as pause } from 'node:timers/promises';
import { assert } from '../base/errors.ts';
import { nextBatch, rangeOfBatches } from '../formats/record-batch/header.ts';
import { RecordWalker } from '../formats/record-batch/walk.ts';
import { brokerError, brokerErrorCode } from './error-codes.ts';
import type { ClusterClient } from './transport.ts';

/** A record as a reader of a whole topic sees it; all bytes are views on memory of its own. */
export interface TopicRecord {
  readonly partition: number;
  readonly offset: number;
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  /** The encoded headers section: see `readTag` and `decodeHeaders`. */
  readonly headers: Uint8Array;
}

const fetchBytesMax = 16 << 20;
const partitionBytesMax = 4 << 20;
const waitMsMax = 500;
const retryPauseMs = 100;
const retriesMax = 100;

/**
 * Reads a topic from its earliest offsets to the end offsets it has now, partition by partition in order, partitions
 * interleaved. For verifiers, specs and tools: rows of a job come from the cluster source. CRCs are checked; control
 * records are left out; uncommitted records are not.
 *
 *     for await (const { key, value, headers } of readTopic(client, 'delays')) ...
 */
export async function* readTopic(client: ClusterClient, topic: string): AsyncGenerator<TopicRecord, void, undefined> {
  let leaders = await leadersOf(client, topic);
  const partitions = [...leaders.keys()];
  const ends = await client.listOffsets(topic, partitions, 'latest');
  const positions = new Map(await client.listOffsets(topic, partitions, 'earliest'));
  const walker = new RecordWalker();
  let open = partitions.filter(p => positions.get(p)! < ends.get(p)!);
  let retries = 0;
  while (open.length > 0) {
    // The first partition's leader serves all that it leads. A broker promises a whole batch for the first partition of a
    // request only, so that partitions take turns.
    const node = leaders.get(open[0]!)!;
    const asked = open.filter(p => leaders.get(p) === node);
    const answer = await client.fetch(node, {
      topic,
      waitMsMax,
      bytesMin: 1,
      bytesMax: fetchBytesMax,
      partitions: asked.map(p => ({ partition: p, offset: positions.get(p)!, bytesMax: partitionBytesMax })),
    });
    // The answer's memory is the connection's: what is yielded outlives it.
    const fetched = answer.partitions.map(part => ({ ...part, records: part.records.slice() }));
    let stale = false;
    for (const { partition, error, records: bytes } of fetched) {
      const place = `${topic}/${partition} in ${client.cluster}`;
      if (error !== 0) {
        if (brokerErrorCode(error).kind !== 'retriable' || ++retries > retriesMax)
          throw brokerError(error, 'Fetch', place);
        stale = true;
        continue;
      }
      const range = rangeOfBatches(bytes, 0, bytes.length, place);
      if (range === undefined) continue;
      const from = positions.get(partition)!;
      const until = ends.get(partition)!;
      for (let at = 0; at < range.end; ) {
        const header = nextBatch(bytes, at, range.end, place);
        assert(header !== undefined, 'a batch that was counted is gone');
        walker.walk(bytes, header, { place });
        const { bytes: memory, keyStarts, keyEnds, valueStarts, valueEnds, headersStarts, headersEnds } = walker;
        // A consumer may run its own reads between two records, but the walker is ours alone.
        for (let i = 0; i < walker.count; i++) {
          const offset = walker.offsets[i]!;
          if (offset < from || offset >= until) continue;
          yield {
            partition,
            offset,
            timestamp: walker.timestamps[i]!,
            key: keyStarts[i]! < 0 ? null : memory.subarray(keyStarts[i]!, keyEnds[i]!),
            value: valueStarts[i]! < 0 ? null : memory.subarray(valueStarts[i]!, valueEnds[i]!),
            headers: memory.subarray(headersStarts[i]!, headersEnds[i]!),
          };
        }
        at = header.end;
      }
      positions.set(partition, range.nextOffset);
    }
    if (stale) {
      await pause(retryPauseMs);
      leaders = await leadersOf(client, topic);
    }
    open = [...open.slice(1), open[0]!].filter(p => positions.get(p)! < ends.get(p)!);
  }
}

async function leadersOf(client: ClusterClient, topic: string): Promise<Map<number, number>> {
  const [found] = await client.metadata([topic]);
  return new Map(found?.partitions.map(({ partition, leader }) => [partition, leader]));
}
