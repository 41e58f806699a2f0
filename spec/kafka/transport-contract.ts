import { Kafka, logLevel } from 'kafkajs';
import * as assert from 'uvu/assert';
import { BraidError, type BraidErrorCode } from '../../lib/base/errors.ts';
import { RecordBatchEncoder } from '../../lib/formats/record-batch/encode.ts';
import { nextBatch, rangeOfBatches, sealCrc } from '../../lib/formats/record-batch/header.ts';
import { encodeHeaders } from '../../lib/formats/record-batch/headers.ts';
import type { ClusterAddress } from '../../lib/kafka/address.ts';
import { createClientFactory } from '../../lib/kafka/client.ts';
import { brokerErrorOf } from '../../lib/kafka/error-codes.ts';
import { partitionOfKey } from '../../lib/kafka/murmur2.ts';
import { readTopic } from '../../lib/kafka/read-topic.ts';
import { readTag, TagEncoder } from '../../lib/kafka/tag.ts';
import { TopicWriter } from '../../lib/kafka/topic-writer.ts';
import type { ClusterClient, FetchRequest, TopicMetadata } from '../../lib/kafka/transport.ts';
import { suite } from '../support/suite.ts';

export interface TransportSubject {
  readonly address: ClusterAddress;
  stop(): Promise<void>;
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const show = (bytes: Uint8Array | null): string | null => bytes && new TextDecoder().decode(bytes);

/** What every cluster that Braid talks to must do: the same for the embedded cluster and for Apache Kafka. */
export function transportContract(suiteName: string, startSubject: () => Promise<TransportSubject>): void {
  const spec = suite(suiteName);
  let subject: TransportSubject;
  let client: ClusterClient;
  let generation = 0;
  let topics = 0;

  spec.before(async () => {
    subject = await startSubject();
    client = createClientFactory(subject.address)(++generation);
    await client.connect();
  });
  spec.after(async () => {
    client?.destroy();
    await subject?.stop();
  });

  async function newTopic(partitions = 1, config?: Record<string, string>): Promise<TopicMetadata> {
    const topic = `contract-${++topics}`;
    await client.createTopics([{ topic, partitions, replicationFactor: 1, ...(config ? { config } : {}) }]);
    const [metadata] = await client.metadata([topic]);
    assert.ok(metadata);
    return metadata;
  }

  function batchOf(values: readonly string[], timestamp = Date.now(), batchBytesMax = 64 << 20): Uint8Array {
    const encoder = new RecordBatchEncoder({ batchBytesMax });
    for (const value of values) {
      const bytes = text(value);
      encoder.append(timestamp, null, 0, 0, bytes, 0, bytes.length);
    }
    return encoder.finish()!;
  }

  async function produce(topic: TopicMetadata, batch: Uint8Array, partition = 0) {
    const leader = topic.partitions.find(p => p.partition === partition)!.leader;
    const [answer] = await client.produce(leader, {
      topic: topic.topic,
      timeoutMs: 5000,
      partitions: [{ partition, batch }],
    });
    assert.ok(answer);
    return answer;
  }

  function fetchOf(topic: TopicMetadata, offset: number, more: Partial<FetchRequest> = {}): FetchRequest {
    return {
      topic: topic.topic,
      partitions: [{ partition: 0, offset, bytesMax: 1 << 20 }],
      waitMsMax: 100,
      bytesMin: 1,
      bytesMax: 8 << 20,
      ...more,
    };
  }

  async function fetchOne(topic: TopicMetadata, offset: number, more: Partial<FetchRequest> = {}) {
    const answer = await client.fetch(topic.partitions[0]!.leader, fetchOf(topic, offset, more));
    return answer.partitions[0]!;
  }

  /** A heartbeat goes to every broker and resolves with the first answer: waits until the others have answered too. */
  async function unanswered(count: number): Promise<void> {
    while (client.traffic.inFlight !== count) await new Promise(resolve => setImmediate(resolve));
  }

  async function failure(call: Promise<unknown>): Promise<BraidError> {
    try {
      await call;
    } catch (error) {
      if (error instanceof BraidError) return error;
      throw error;
    }
    throw new Error('it did not fail');
  }

  async function failsWith(code: BraidErrorCode, call: Promise<unknown>): Promise<BraidError> {
    const error = await failure(call);
    assert.is(error.code, code, error.describe());
    return error;
  }

  spec('a new topic has all its partitions, each with a leader', async () => {
    const { partitions } = await newTopic(4);
    assert.equal(
      partitions.map(({ partition, error }) => ({ partition, error })),
      [0, 1, 2, 3].map(partition => ({ partition, error: 0 })),
    );
    assert.ok(partitions.every(({ leader }) => leader >= 0));
  });

  spec('a topic that does not exist is unknown, and asking does not create it', async () => {
    for (let i = 0; i < 2; i++) {
      const error = await failsWith('TOPIC_UNKNOWN', client.metadata(['no-such-topic']));
      assert.match(error.place ?? '', 'no-such-topic');
    }
    await failsWith('TOPIC_UNKNOWN', client.listOffsets('no-such-topic', [0], 'latest'));
  });

  spec('names that no topic may have are refused', async () => {
    for (const topic of ['__proto__', 'constructor', 'prototype', '', '.', '..', 'a b', 'ä', 'x'.repeat(250)]) {
      await failsWith('TOPIC_NAME_INVALID', client.metadata([topic]));
      await failsWith('TOPIC_NAME_INVALID', client.createTopics([{ topic, partitions: 1, replicationFactor: 1 }]));
    }
  });

  spec('creating a topic twice says that it exists', async () => {
    const { topic } = await newTopic();
    const error = await failsWith(
      'BROKER_ERROR',
      client.createTopics([{ topic, partitions: 1, replicationFactor: 1 }]),
    );
    assert.is(brokerErrorOf(error)?.name, 'TOPIC_ALREADY_EXISTS');
  });

  spec('what was produced is fetched byte for byte, but for the offset and the leader epoch', async () => {
    const topic = await newTopic();
    const first = batchOf(['a', 'b', 'c']);
    const second = batchOf(['d']);
    assert.is((await produce(topic, first)).baseOffset, 0);
    assert.is((await produce(topic, second)).baseOffset, 3);
    const { error, records, highWatermark, logStart } = await fetchOne(topic, 0);
    assert.equal({ error, highWatermark, logStart }, { error: 0, highWatermark: 4, logStart: 0 });
    assert.is(records.length, first.length + second.length);
    assert.equal(rangeOfBatches(records, 0, records.length), {
      end: records.length,
      baseOffset: 0,
      nextOffset: 4,
      batches: 2,
      records: 4,
    });
    assert.equal([...records.subarray(16, first.length)], [...first.subarray(16)]);
  });

  spec('an offset inside a batch gets the whole batch', async () => {
    const topic = await newTopic();
    await produce(topic, batchOf(['a', 'b', 'c']));
    const { records } = await fetchOne(topic, 2);
    assert.is(nextBatch(records, 0, records.length)?.baseOffset, 0);
  });

  spec('offsets are listed: earliest, latest, by timestamp', async () => {
    const topic = await newTopic(2);
    const now = Date.now() - 60_000;
    await produce(topic, batchOf(['a', 'b'], now), 1);
    await produce(topic, batchOf(['c'], now + 1000), 1);
    const list = async (at: 'earliest' | 'latest' | number) =>
      [...(await client.listOffsets(topic.topic, [0, 1], at)).entries()].sort();
    assert.equal(await list('earliest'), [
      [0, 0],
      [1, 0],
    ]);
    assert.equal(await list('latest'), [
      [0, 0],
      [1, 3],
    ]);
    assert.equal(await list(now + 500), [
      [0, 0],
      [1, 2],
    ]);
    assert.equal(await list(now + 2000), [
      [0, 0],
      [1, 3],
    ]);
  });

  spec('one request writes, and one fetches, several partitions of a leader', async () => {
    const topic = await newTopic(3);
    const leader = topic.partitions[0]!.leader;
    const led = topic.partitions.filter(p => p.leader === leader).map(p => p.partition);
    const answers = await client.produce(leader, {
      topic: topic.topic,
      timeoutMs: 5000,
      partitions: led.map(partition => ({ partition, batch: batchOf([`in ${partition}`]) })),
    });
    assert.equal(answers.map(a => a.partition).sort(), led);
    assert.ok(answers.every(a => a.error === 0 && a.baseOffset === 0));
    const { partitions } = await client.fetch(leader, {
      ...fetchOf(topic, 0),
      partitions: led.map(partition => ({ partition, offset: 0, bytesMax: 1 << 20 })),
    });
    assert.equal(partitions.map(p => p.partition).sort(), led);
    assert.ok(partitions.every(p => p.highWatermark === 1 && p.records.length > 0));
  });

  spec('an error of one partition is data and leaves the others alone', async () => {
    const topic = await newTopic(1);
    const { leader } = topic.partitions[0]!;
    const answers = await client.produce(leader, {
      topic: topic.topic,
      timeoutMs: 5000,
      partitions: [
        { partition: 0, batch: batchOf(['good']) },
        { partition: 7, batch: batchOf(['nowhere']) },
      ],
    });
    assert.equal(answers.map(a => [a.partition, a.error]).sort(), [
      [0, 0],
      [7, 3],
    ]);
    const { partitions } = await client.fetch(leader, {
      ...fetchOf(topic, 0),
      partitions: [0, 7].map(partition => ({ partition, offset: 0, bytesMax: 1 << 20 })),
    });
    assert.equal(partitions.map(p => [p.partition, p.error]).sort(), [
      [0, 0],
      [7, 3],
    ]);
  });

  spec('a batch with a wrong CRC is refused', async () => {
    const topic = await newTopic();
    const batch = batchOf(['a']);
    batch[batch.length - 2]! ^= 1;
    assert.is((await produce(topic, batch)).error, 2);
    assert.is((await client.listOffsets(topic.topic, [0], 'latest')).get(0), 0);
  });

  spec('a batch whose count is wrong is refused', async () => {
    const topic = await newTopic();
    const batch = batchOf(['a', 'b']);
    new DataView(batch.buffer).setInt32(57, 3);
    sealCrc(batch, 0, batch.length);
    assert.ok([2, 87].includes((await produce(topic, batch)).error));
  });

  spec('a batch larger than max.message.bytes is refused, and the topic may allow more', async () => {
    const small = await newTopic(1, { 'max.message.bytes': '1000' });
    assert.is((await produce(small, batchOf(['x'.repeat(2000)]))).error, 10);
    assert.is((await produce(small, batchOf(['x'.repeat(200)]))).error, 0);
    const large = await newTopic(1, { 'max.message.bytes': String(8 << 20) });
    const batch = batchOf(['x'.repeat(4 << 20)]);
    assert.is((await produce(large, batch)).error, 0);
    // The first batch comes whole, however little was asked for.
    const { records } = await fetchOne(large, 0, { partitions: [{ partition: 0, offset: 0, bytesMax: 1000 }] });
    assert.is(records.length, batch.length);
  });

  spec('a fetch stays within its bytes and cuts the last batch', async () => {
    const topic = await newTopic();
    const size = batchOf(['x'.repeat(10_000)]).length;
    for (let i = 0; i < 4; i++) await produce(topic, batchOf(['x'.repeat(10_000)]));
    const bytesMax = Math.floor(size * 2.5);
    const { records } = await fetchOne(topic, 0, { partitions: [{ partition: 0, offset: 0, bytesMax }] });
    assert.ok(records.length <= bytesMax, `${records.length} bytes`);
    assert.is(rangeOfBatches(records, 0, records.length)?.nextOffset, 2);
  });

  spec('partitions that take turns all get on, whatever the size of their batches', async () => {
    const topic = await newTopic(2);
    for (const { partition } of topic.partitions)
      for (let i = 0; i < 3; i++) await produce(topic, batchOf(['y'.repeat(50_000)]), partition);
    const positions = new Map([
      [0, 0],
      [1, 0],
    ]);
    for (let round = 0; round < 12; round++) {
      const order = round % 2 === 0 ? [0, 1] : [1, 0];
      for (const { partition, leader } of order.map(p => topic.partitions[p]!)) {
        const { partitions } = await client.fetch(leader, {
          ...fetchOf(topic, 0),
          bytesMax: 1000,
          partitions: order
            .filter(p => topic.partitions[p]!.leader === leader)
            .map(p => ({ partition: p, offset: positions.get(p)!, bytesMax: 1000 })),
        });
        for (const fetched of partitions) {
          // Never a piece of a batch alone: that would be refetched for ever.
          const range = rangeOfBatches(fetched.records, 0, fetched.records.length);
          if (range !== undefined) positions.set(fetched.partition, range.nextOffset);
        }
        assert.ok(positions.get(partition)! <= 3);
      }
    }
    assert.equal([...positions.values()], [3, 3]);
  });

  spec('an offset out of range is an error of the partition, before and behind the log', async () => {
    const topic = await newTopic();
    await produce(topic, batchOf(['a']));
    assert.is((await fetchOne(topic, 99)).error, 1);
  });

  spec('a fetch at the end waits as long as it may, then says that there is nothing', async () => {
    const topic = await newTopic();
    const started = performance.now();
    const { error, records } = await fetchOne(topic, 0, { waitMsMax: 150 });
    assert.equal([error, records.length], [0, 0]);
    const took = performance.now() - started;
    assert.ok(took >= 140, `${took} ms`);
  });

  spec(
    'a long poll is answered by the record it waits for, and delays neither the produce nor a heartbeat',
    async () => {
      const topic = await newTopic();
      const polled = fetchOne(topic, 0, { waitMsMax: 20_000 });
      await client.heartbeat();
      await unanswered(1);
      await produce(topic, batchOf(['wake']));
      const { records } = await polled;
      assert.is(rangeOfBatches(records, 0, records.length)?.records, 1);
    },
  );

  spec('every answer counts as a sign of life', async () => {
    const before = client.traffic.answers;
    await client.heartbeat();
    assert.ok(client.traffic.answers > before);
    await unanswered(0);
  });

  spec('destroy rejects what is pending at once and everything after, and may be repeated', async () => {
    const topic = await newTopic();
    const other = createClientFactory(subject.address)(++generation);
    await other.connect();
    assert.is(other.generation, generation);
    let closed = 0;
    other.traffic.onClosed = () => closed++;
    await other.heartbeat();
    const polled = other.fetch(topic.partitions[0]!.leader, fetchOf(topic, 0, { waitMsMax: 20_000 }));
    await other.metadata([topic.topic]);
    other.destroy();
    other.destroy();
    await failsWith('CONNECTION_LOST', polled);
    await failsWith('CONNECTION_LOST', other.metadata([topic.topic]));
    await failsWith('CONNECTION_LOST', other.heartbeat());
    await failsWith('CONNECTION_LOST', other.connect());
    assert.is(other.traffic.inFlight, 0);
    assert.is(closed, 0, 'what was destroyed is no loss');
  });

  spec('a broker that the cluster does not have is an error, and retriable', async () => {
    const topic = await newTopic();
    const error = await failsWith('BROKER_ERROR', client.fetch(4711, fetchOf(topic, 0)));
    assert.ok(error.retriable);
  });

  spec('a writer loads a topic and a reader gets all of it, in order, with keys and headers', async () => {
    const topic = await newTopic(3);
    const writer = await TopicWriter.open(client, topic.topic, { batchBytesMax: 20_000, pendingBytesMax: 200_000 });
    const records = 20_000;
    const headers = encodeHeaders([['n', text('1')]]);
    const written: string[][] = [[], [], []];
    for (let i = 0; i < records; i++) {
      const key = text(`key ${i % 100}`);
      const partition = partitionOfKey(key, writer.partitions);
      const value = `{"i":${i},"pad":"${'.'.repeat(i % 50)}"}`;
      writer.append(partition, key, text(value), 1_000_000_000_000 + i, headers);
      written[partition]!.push(`key ${i % 100} ${value} ${1_000_000_000_000 + i}`);
      if (!writer.writable) await writer.drained();
    }
    await writer.flush();
    assert.is(writer.acknowledged, records);
    const read: string[][] = [[], [], []];
    for await (const record of readTopic(client, topic.topic)) {
      const { partition, offset, key, value, timestamp } = record;
      assert.is(offset, read[partition]!.length);
      assert.equal([...record.headers], [...headers]);
      read[partition]!.push(`${show(key)} ${show(value)} ${timestamp}`);
    }
    assert.equal(read, written);
  });

  spec('a writer that is refused says why, and is over', async () => {
    const { topic } = await newTopic(1, { 'max.message.bytes': '1000' });
    const writer = await TopicWriter.open(client, topic);
    writer.append(0, null, text('x'.repeat(5000)));
    await failsWith('BATCH_TOO_LARGE', writer.flush());
    await failsWith('BATCH_TOO_LARGE', writer.drained());
    assert.throws(
      () => writer.append(0, null, text('y')),
      (error: BraidError) => error.code === 'BATCH_TOO_LARGE',
    );
  });

  spec('an empty topic is read as empty', async () => {
    const { topic } = await newTopic(2);
    for await (const record of readTopic(client, topic)) assert.unreachable(String(record.offset));
  });

  spec('tags survive the way through a cluster', async () => {
    const { topic } = await newTopic();
    const writer = await TopicWriter.open(client, topic);
    const common = { job: 'flights', sink: 'delays', writer: 0, home: { cluster: 'east', term: 0 }, epoch: 0 };
    const encoder = new TagEncoder(common);
    for (const seq of [0, 127, 128, 424_258]) writer.append(0, null, text('v'), 1, encoder.headers(seq, 0));
    await writer.flush();
    const seqs: (number | undefined)[] = [];
    for await (const { headers } of readTopic(client, topic)) seqs.push(readTag(headers, 0, headers.length)?.seq);
    assert.equal(seqs, [0, 127, 128, 424_258]);
  });

  spec('what kafkajs writes, plain and gzip, is read, and what we write kafkajs reads', async () => {
    const { topic } = await newTopic();
    const kafka = new Kafka({ brokers: [...subject.address.brokers], logLevel: logLevel.NOTHING });
    const producer = kafka.producer();
    await producer.connect();
    const messages = (from: number) =>
      Array.from({ length: 50 }, (_, i) => ({ key: `k${from + i}`, value: `v${from + i}`, headers: { h: 'x' } }));
    await producer.send({ topic, messages: messages(0), compression: 1 });
    await producer.send({ topic, messages: messages(50) });
    await producer.disconnect();
    const read: string[] = [];
    for await (const { key, value } of readTopic(client, topic)) read.push(`${show(key)} ${show(value)}`);
    assert.equal(
      read,
      Array.from({ length: 100 }, (_, i) => `k${i} v${i}`),
    );
  });

  spec.run();
}
