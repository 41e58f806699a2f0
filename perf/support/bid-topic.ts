import { assert } from '../../lib/base/errors.ts';
import { createClientFactory } from '../../lib/kafka/client.ts';
import { partitionOfKey } from '../../lib/kafka/murmur2.ts';
import { readTopic } from '../../lib/kafka/read-topic.ts';
import { readTag, tagIdentity } from '../../lib/kafka/tag.ts';
import { TopicWriter } from '../../lib/kafka/topic-writer.ts';
import type { ClusterClient } from '../../lib/kafka/transport.ts';
import type { ClusterAddress } from './clusters.ts';

/**
 * Seeded bids, as those of `raw-path`: some 165 bytes of JSON with seven fields, of which three are used. Bid i goes to the
 * first cluster if i is even, else to the second; key = auction, so that an auction lives in one partition of each cluster.
 */
const partitionsOfTopic = 4;
const startMs = 1_700_000_000_000;
/** Event time between two bids. */
const everyMs = 2;
const auctions = 997;
const firstAuction = 1000;
/** An auction that may get more than its share. */
export const hotAuction = firstAuction;
const batchBytesMax = 256 << 10;
const bidsPerTurn = 8192;

const uniform = (id: number): number => firstAuction + ((id * 7919) % auctions);
/** Nine bids of ten are for one auction. */
export const mostlyHot = (id: number): number => (id % 10 === 0 ? uniform(id / 10) : hotAuction);
const priceOf = (id: number): number => (id * 17) % 10_000;
const timeOf = (id: number): number => startMs + id * everyMs;

function bidJson(id: number, auction: number): string {
  return `{"auction":${auction},"bidder":${2000 + (id % 555)},"price":${priceOf(id)},"channel":"Google","url":"https://www.nexmark.com/abc/def/item.htm?query=1","dateTime":${timeOf(id)},"extra":"abcdefghijklmnop"}`;
}

/** Makes a topic in both clusters and loads bids 1 to `records`. */
export async function loadBids(
  clusters: readonly ClusterAddress[],
  topic: string,
  records: number,
  auctionOf = uniform,
): Promise<void> {
  const clients = await connectAll(clusters);
  try {
    await createTopic(clients, topic);
    const writers = await Promise.all(clients.map(client => TopicWriter.open(client, topic, { batchBytesMax })));
    const keys = Array.from({ length: auctions }, (_, i) => Buffer.from(String(firstAuction + i)));
    const partitions = keys.map(key => partitionOfKey(key, partitionsOfTopic));
    const value = Buffer.alloc(512);
    for (let id = 1; id <= records; id++) {
      const auction = auctionOf(id);
      const length = value.write(bidJson(id, auction), 0, 'latin1');
      const at = auction - firstAuction;
      const key = keys[at]!;
      writers[id % 2]!.appendSlices(partitions[at]!, key, 0, key.length, value, 0, length, timeOf(id));
      if (id % bidsPerTurn !== 0) continue;
      // The sockets get a turn even while there is room.
      await new Promise(setImmediate);
      await Promise.all(writers.map(writer => writer.drained()));
    }
    await Promise.all(writers.map(writer => writer.flush()));
  } finally {
    for (const client of clients) client.destroy();
  }
}

/** Makes an empty topic in all clusters. */
export async function makeTopic(clusters: readonly ClusterAddress[], topic: string): Promise<void> {
  const clients = await connectAll(clusters);
  try {
    await createTopic(clients, topic);
  } finally {
    for (const client of clients) client.destroy();
  }
}

export interface CountsCheck {
  /** Size of the windows. Default 10,000. */
  readonly windowMs?: number;
  /** Whether a row may be there twice, with the same tag: after a cluster was lost. Default: no. */
  readonly mayRepeat?: boolean;
}

/**
 * Reads the results of a run back and compares each of them with what follows from the seed: count and highest price per
 * auction and window, each exactly once. Throws on the first difference. Returns the number of rows.
 */
export async function checkCounts(
  clusters: readonly ClusterAddress[],
  topic: string,
  records: number,
  { windowMs = 10_000, mayRepeat = false }: CountsCheck = {},
): Promise<number> {
  const windowOf = (timeMs: number): number => Math.floor(timeMs / windowMs) - Math.floor(startMs / windowMs);
  const groupOf = (timeMs: number, auction: number): number => windowOf(timeMs) * auctions + auction - firstAuction;
  const groups = (windowOf(timeOf(records)) + 1) * auctions;
  const counts = new Int32Array(groups);
  const maxima = new Int32Array(groups);
  let expected = 0;
  for (let id = 1; id <= records; id++) {
    const group = groupOf(timeOf(id), uniform(id));
    if (counts[group]!++ === 0) expected++;
    maxima[group] = Math.max(maxima[group]!, priceOf(id));
  }
  const text = new TextDecoder();
  const seen = new Set<string>();
  let rows = 0;
  const clients = await connectAll(clusters);
  try {
    for (const client of clients) {
      for await (const { key, value, headers } of readTopic(client, topic)) {
        const row = JSON.parse(text.decode(value!)) as Record<string, unknown>;
        if (mayRepeat) {
          const tag = readTag(headers, 0, headers.length);
          assert(tag !== undefined, `${JSON.stringify(row)} has no tag`);
          const identity = tagIdentity(tag);
          if (seen.has(identity)) continue;
          seen.add(identity);
        }
        const { auction, windowStart, bids, maxPrice } = row;
        const group = groupOf(Date.parse(`${windowStart}Z`), Number(auction));
        assert(text.decode(key!) === auction, `the key of ${JSON.stringify(row)} is not its auction`);
        assert(
          counts[group] === bids && maxima[group] === maxPrice,
          `${topic} says ${JSON.stringify(row)}, and the seed says ${counts[group]} bids, at most ${maxima[group]}`,
        );
        // A second row of the same group finds no bids.
        counts[group] = 0;
        rows++;
      }
    }
  } finally {
    for (const client of clients) client.destroy();
  }
  assert(rows === expected, `${topic} holds ${rows} rows, and the seed gives ${expected}`);
  return rows;
}

async function connectAll(clusters: readonly ClusterAddress[]): Promise<ClusterClient[]> {
  const clients = clusters.map(cluster => createClientFactory(cluster)(1));
  await Promise.all(clients.map(client => client.connect()));
  return clients;
}

async function createTopic(clients: readonly ClusterClient[], topic: string): Promise<void> {
  const config = { 'retention.ms': '-1' };
  for (const client of clients)
    await client.createTopics([{ topic, partitions: partitionsOfTopic, replicationFactor: 1, config }]);
}
