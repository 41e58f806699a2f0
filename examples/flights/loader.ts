import { createClientFactory } from '../../lib/kafka/client.ts';
import { partitionOfKey } from '../../lib/kafka/murmur2.ts';
import { TopicWriter } from '../../lib/kafka/topic-writer.ts';
import type { ClusterClient } from '../../lib/kafka/transport.ts';
import { FlightJson } from './flight-json.ts';
import { readFlights } from './parquet.ts';
import { serveParent } from './side-process.ts';
import { type ClusterAddress, delaysTopic, flightsTopic, partitionsOfTopic } from './topics.ts';

/**
 * A process that makes the topics of both clusters and loads the flights: flight i goes to the first cluster if i is
 * even, else to the second, so that each airport lives in both. Key = origin, timestamp = the flight's own date.
 */
export interface LoadInput {
  /** Two clusters: the one of the even flights first. */
  readonly clusters: readonly ClusterAddress[];
  readonly records: number;
}

/** Small enough for the pacing of the job to be smooth, large enough for the loader to be fast: about 2,700 flights. */
const batchBytesMax = 256 << 10;
const rowsPerTurn = 16_384;

serveParent<LoadInput, number, number>(async ({ clusters, records }, tell) => {
  const clients = clusters.map(cluster => createClientFactory(cluster)(1));
  try {
    const writers = await Promise.all(clients.map(openWriter));
    const [even, odd] = writers as [TopicWriter, TopicWriter];
    const json = new FlightJson();
    const partitions: number[] = [];
    const loaded = () => even.acknowledged + odd.acknowledged;
    for await (const flights of readFlights(records)) {
      for (const airport of flights.airports.slice(partitions.length))
        partitions.push(partitionOfKey(airport, partitionsOfTopic));
      for (let row = 0; row < flights.rows; row++) {
        const origin = flights.origin[row]!;
        const airport = flights.airports[origin]!;
        const length = json.write(flights, row);
        const writer = (flights.firstRow + row) % 2 === 0 ? even : odd;
        const date = flights.date[row]!;
        writer.appendSlices(partitions[origin]!, airport, 0, airport.length, json.bytes, 0, length, date);
        if (row % rowsPerTurn !== 0) continue;
        // The sockets get a turn even while there is room.
        await new Promise(setImmediate);
        await Promise.all(writers.map(each => each.drained()));
        tell(loaded());
      }
    }
    await Promise.all(writers.map(writer => writer.flush()));
    tell(loaded());
    return loaded();
  } finally {
    for (const client of clients) client.destroy();
  }
});

async function openWriter(client: ClusterClient): Promise<TopicWriter> {
  await client.connect();
  // Records of 2001 are past every default retention of a real broker.
  const config = { 'retention.ms': '-1' };
  const topics = [flightsTopic, delaysTopic];
  await client.createTopics(
    topics.map(topic => ({ topic, partitions: partitionsOfTopic, replicationFactor: 1, config })),
  );
  return TopicWriter.open(client, flightsTopic, { batchBytesMax });
}
