import { type Batch, Kafka, logLevel, type Producer } from 'kafkajs';
import { serveContender } from '../support/contender-process.ts';
import type { BidRun, BidRunResult } from './bid-run.ts';

/**
 * What a good engineer writes today: kafkajs with eachBatch and large fetches, JSON.parse, Maps, a watermark of one number
 * a partition, a producer that gets thousands of rows at a time and several requests in flight. No commits: neither side
 * has checkpoints.
 */
interface Bid {
  readonly auction: number;
  readonly price: number;
  readonly dateTime: number;
}

const windowMs = 10_000;
const rowsPerSend = 5000;
const sendsInFlightMax = 4;

/** Windows of one stream of bids, and the rows of those that have closed. */
class BidCounts {
  readonly #windows = new Map<number, Map<number, { bids: number; maxPrice: number }>>();
  readonly #times: number[];
  #lastStart = Number.NaN;
  #last = new Map<number, { bids: number; maxPrice: number }>();

  constructor(partitions: number) {
    this.#times = new Array<number>(partitions).fill(Number.NEGATIVE_INFINITY);
  }

  add({ auction, price, dateTime }: Bid): void {
    const start = dateTime - (dateTime % windowMs);
    if (start !== this.#lastStart) {
      let window = this.#windows.get(start);
      if (window === undefined) {
        window = new Map();
        this.#windows.set(start, window);
      }
      this.#lastStart = start;
      this.#last = window;
    }
    const group = this.#last.get(auction);
    if (group === undefined) {
      this.#last.set(auction, { bids: 1, maxPrice: price });
    } else {
      group.bids++;
      if (price > group.maxPrice) group.maxPrice = price;
    }
  }

  /** Event time of a partition; Infinity when it was read to its end. */
  reached(partition: number, time: number): void {
    if (time > this.#times[partition]!) this.#times[partition] = time;
  }

  /** Rows of the windows that no partition can add to any more. */
  *closed(): Generator<{ key: string; value: string }> {
    const watermark = Math.min(...this.#times);
    for (const [start, window] of this.#windows) {
      if (start + windowMs > watermark) continue;
      this.#windows.delete(start);
      this.#lastStart = Number.NaN;
      const windowStart = new Date(start).toISOString().slice(0, -1);
      for (const [auction, { bids, maxPrice }] of window) {
        const key = String(auction);
        yield { key, value: JSON.stringify({ auction: key, windowStart, bids, maxPrice }) };
      }
    }
  }
}

class RowWriter {
  readonly #producer: Producer;
  readonly #topic: string;
  readonly #sends = new Set<Promise<unknown>>();
  #rows: { key: string; value: string }[] = [];
  sent = 0;

  constructor(producer: Producer, topic: string) {
    this.#producer = producer;
    this.#topic = topic;
  }

  add(row: { key: string; value: string }): void {
    this.#rows.push(row);
  }

  async pump(all = false): Promise<void> {
    while (this.#rows.length >= (all ? 1 : rowsPerSend)) {
      if (this.#sends.size >= sendsInFlightMax) {
        await Promise.race(this.#sends);
        continue;
      }
      const messages = this.#rows.splice(0, rowsPerSend);
      const send = this.#producer.send({ topic: this.#topic, acks: -1, messages }).then(() => {
        this.sent += messages.length;
        this.#sends.delete(send);
      });
      this.#sends.add(send);
    }
    if (all) await Promise.all(this.#sends);
  }
}

let runs = 0;

serveContender<BidRun, BidRunResult>(async ({ clusters, input, output }) => {
  const kafkas = clusters.map(
    ({ name, brokers }) => new Kafka({ clientId: `loop-${name}`, brokers: [...brokers], logLevel: logLevel.ERROR }),
  );
  const ends = await Promise.all(kafkas.map(kafka => endOffsets(kafka, input)));
  const partitions = Math.max(...ends.map(each => each.length));
  const counts = new BidCounts(kafkas.length * partitions);
  const producer = kafkas[0]!.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  const writer = new RowWriter(producer, output);
  const groupId = `loop-${process.pid}-${++runs}`;
  let records = 0;
  let open = ends.flat().filter(end => end > 0).length;
  let finish = (): void => {};
  let fail = (_error: unknown): void => {};
  const finished = new Promise<void>((resolve, reject) => {
    finish = resolve;
    fail = reject;
  });
  for (const [cluster, each] of ends.entries())
    for (const [partition, end] of each.entries())
      if (end === 0) counts.reached(cluster * partitions + partition, Number.POSITIVE_INFINITY);

  const onBatch = async (cluster: number, batch: Batch): Promise<void> => {
    let last = 0;
    for (const { value } of batch.messages) {
      const bid = JSON.parse(value!.toString()) as Bid;
      counts.add(bid);
      last = bid.dateTime;
    }
    records += batch.messages.length;
    const done = Number(batch.lastOffset()) + 1 >= ends[cluster]![batch.partition]!;
    counts.reached(cluster * partitions + batch.partition, done ? Number.POSITIVE_INFINITY : last);
    for (const row of counts.closed()) writer.add(row);
    // Batches of several partitions are under way at once: the one that ends the input waits for all rows.
    const ended = done && --open === 0;
    await writer.pump(ended);
    if (ended) finish();
  };

  const consumers = kafkas.map(kafka =>
    kafka.consumer({ groupId, maxBytesPerPartition: 4 << 20, maxBytes: 32 << 20, maxWaitTimeInMs: 100 }),
  );
  await Promise.all(
    consumers.map(async (consumer, cluster) => {
      await consumer.connect();
      await consumer.subscribe({ topics: [input], fromBeginning: true });
      consumer.on(consumer.events.CRASH, ({ payload }) => fail(payload.error));
      await consumer.run({
        autoCommit: false,
        partitionsConsumedConcurrently: 4,
        eachBatch: ({ batch }) => onBatch(cluster, batch),
      });
    }),
  );
  await finished;
  await Promise.all([producer.disconnect(), ...consumers.map(consumer => consumer.disconnect())]);
  return { records, rows: writer.sent };
});

async function endOffsets(kafka: Kafka, topic: string): Promise<number[]> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const offsets = await admin.fetchTopicOffsets(topic);
    return offsets.sort((a, b) => a.partition - b.partition).map(({ high }) => Number(high));
  } finally {
    await admin.disconnect();
  }
}
