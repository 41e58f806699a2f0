import * as assert from 'uvu/assert';
import { BraidError } from '../../lib/base/errors.ts';
import { RecordBatchEncoder } from '../../lib/formats/record-batch/encode.ts';
import { nextBatch } from '../../lib/formats/record-batch/header.ts';
import { readTopic } from '../../lib/kafka/read-topic.ts';
import { TopicWriter } from '../../lib/kafka/topic-writer.ts';
import type { ClusterClient, FetchRequest, FetchResponse, ProduceRequest } from '../../lib/kafka/transport.ts';
import { suite } from '../support/suite.ts';

const spec = suite('topic writer and reader');
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** Two brokers in memory that answer as a spec scripts them; partition p is led by broker `leaders[p]`. */
class ScriptedCluster implements ClusterClient {
  readonly cluster = 'scripted';
  readonly generation = 1;
  readonly traffic = { inFlight: 0, answers: 0, onClosed: undefined };
  leaders = [1, 2, 1];
  /** Error of the n-th answer for a partition; 0 by default. */
  produceErrors: (partition: number, attempt: number) => number = () => 0;
  fetchErrors: (partition: number, attempt: number) => number = () => 0;
  readonly logs: Uint8Array[][] = [[], [], []];
  readonly ends = [0, 0, 0];
  readonly inFlight = new Map<number, number>();
  inFlightMax = 0;
  readonly requests: number[][] = [];
  readonly #attempts = new Map<string, number>();

  async connect(): Promise<void> {}
  async heartbeat(): Promise<void> {}
  async createTopics(): Promise<void> {}
  destroy(): void {}

  async metadata(topics: readonly string[]) {
    const partitions = this.leaders.map((leader, partition) => ({ partition, leader, error: 0 }));
    return topics.map(topic => ({ topic, partitions }));
  }
  async listOffsets(_: string, partitions: readonly number[], at: 'earliest' | 'latest' | number) {
    return new Map(partitions.map(p => [p, at === 'latest' ? this.ends[p]! : 0]));
  }

  async produce(node: number, request: ProduceRequest) {
    this.inFlight.set(node, (this.inFlight.get(node) ?? 0) + 1);
    this.inFlightMax = Math.max(this.inFlightMax, this.inFlight.get(node)!);
    this.requests.push(request.partitions.map(p => p.partition));
    await new Promise(resolve => setImmediate(resolve));
    this.inFlight.set(node, this.inFlight.get(node)! - 1);
    return request.partitions.map(({ partition, batch }) => {
      const wrong = this.leaders[partition] !== node ? 6 : 0;
      const error = wrong || this.produceErrors(partition, this.#attempt(`produce ${partition}`));
      const baseOffset = this.ends[partition]!;
      if (error === 0) this.append(partition, batch);
      return { partition, error, baseOffset };
    });
  }

  append(partition: number, batch: Uint8Array): void {
    const stored = batch.slice();
    new DataView(stored.buffer).setBigInt64(0, BigInt(this.ends[partition]!));
    this.logs[partition]!.push(stored);
    this.ends[partition]! += nextBatch(batch, 0, batch.length)!.records;
  }

  /** One batch a partition and request, and only for the first partition: the least that a broker promises. */
  async fetch(node: number, request: FetchRequest): Promise<FetchResponse> {
    const none = { logStart: 0, records: new Uint8Array(0) };
    return {
      throttleMs: 0,
      partitions: request.partitions.map(({ partition, offset }, i) => {
        const highWatermark = this.ends[partition]!;
        const wrong = this.leaders[partition] !== node ? 6 : 0;
        const error = wrong || this.fetchErrors(partition, this.#attempt(`fetch ${partition}`));
        if (error !== 0 || i > 0) return { ...none, partition, error, highWatermark };
        const records = this.logs[partition]!.find(b => nextBatch(b, 0, b.length)!.nextOffset > offset)!;
        return { ...none, partition, error, highWatermark, records };
      }),
    };
  }

  #attempt(what: string): number {
    const attempt = this.#attempts.get(what) ?? 0;
    this.#attempts.set(what, attempt + 1);
    return attempt;
  }
}

async function load(cluster: ScriptedCluster, records: number): Promise<TopicWriter> {
  const writer = await TopicWriter.open(cluster, 't', { batchBytesMax: 300, pendingBytesMax: 2000 });
  for (let i = 0; i < records; i++) {
    writer.append(i % 3, null, text(`record ${i}`), 1);
    if (!writer.writable) await writer.drained();
  }
  await writer.flush();
  return writer;
}

async function read(cluster: ScriptedCluster): Promise<string[][]> {
  const out: string[][] = [[], [], []];
  for await (const { partition, value } of readTopic(cluster, 't'))
    out[partition]!.push(new TextDecoder().decode(value!));
  return out;
}

const expected = (records: number): string[][] =>
  [0, 1, 2].map(p => Array.from({ length: Math.ceil((records - p) / 3) }, (_, i) => `record ${i * 3 + p}`));

spec('one request in flight a broker, several partitions in it, and all records once, in order', async () => {
  const cluster = new ScriptedCluster();
  const writer = await load(cluster, 600);
  assert.is(writer.acknowledged, 600);
  assert.is(cluster.inFlightMax, 1);
  assert.ok(cluster.requests.some(partitions => partitions.length === 2));
  assert.equal(await read(cluster), expected(600));
});

spec('a leader that has moved is followed, and the order kept', async () => {
  const cluster = new ScriptedCluster();
  cluster.produceErrors = (partition, attempt) => (partition === 2 && attempt < 3 ? 6 : 0);
  const loading = load(cluster, 300);
  cluster.leaders = [2, 1, 1];
  await loading;
  cluster.fetchErrors = (partition, attempt) => (partition === 1 && attempt === 0 ? 5 : 0);
  assert.equal(await read(cluster), expected(300));
});

spec('an error that waiting does not mend ends the writer and the reader, naming the place', async () => {
  const cluster = new ScriptedCluster();
  await load(cluster, 30);
  cluster.produceErrors = partition => (partition === 1 ? 29 : 0);
  await load(cluster, 30).then(
    () => assert.unreachable(),
    (error: BraidError) => assert.match(error.describe(), /TOPIC_AUTHORIZATION_FAILED.*t\/1 in scripted/),
  );
  cluster.fetchErrors = () => 1;
  await read(cluster).then(
    () => assert.unreachable(),
    (error: BraidError) => assert.is(error.code, 'OFFSET_OUT_OF_RANGE'),
  );
});

spec('a lost connection ends the writer: what was in flight is nobody’s to send again', async () => {
  const cluster = new ScriptedCluster();
  cluster.produce = async () => {
    throw new BraidError('CONNECTION_LOST', 'gone');
  };
  const writer = await TopicWriter.open(cluster, 't');
  writer.append(0, null, text('x'));
  const flushed = await writer.flush().catch((error: BraidError) => error.code);
  assert.is(flushed, 'CONNECTION_LOST');
});

spec('a corrupt batch stops a reader, naming partition and offset', async () => {
  const cluster = new ScriptedCluster();
  const encoder = new RecordBatchEncoder();
  encoder.append(1, null, 0, 0, text('whole'), 0, 5);
  const batch = encoder.finish()!;
  cluster.append(1, batch);
  cluster.append(1, batch);
  cluster.logs[1]![1]![70]! ^= 1;
  await read(cluster).then(
    () => assert.unreachable(),
    (error: BraidError) => assert.match(error.describe(), /BATCH_CORRUPT.*offset 1.*t\/1 in scripted/),
  );
});

spec.run();
