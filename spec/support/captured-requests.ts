import { Kafka, logLevel } from 'kafkajs';
import { ByteWriter } from '../../lib/base/byte-writer.ts';
import { startCluster } from '../../lib/embedded/index.ts';

/**
 * Requests as a real client makes them, one of each API and version, without their size field: what kafkajs sends in the
 * course of a day to an embedded cluster.
 */
export async function capturedRequests(): Promise<readonly Uint8Array[]> {
  const cluster = await startCluster({ autoCreateTopics: true });
  const seen = new Map<string, Uint8Array>();
  cluster.faults.intercept('*', ({ apiKey, apiVersion, correlationId, clientId, body }) => {
    const header = new ByteWriter().int16(apiKey).int16(apiVersion).int32(correlationId).nullableString(clientId);
    seen.set(`${apiKey} ${apiVersion}`, header.raw(body).take().slice());
    return undefined;
  });
  const kafka = new Kafka({ brokers: [...cluster.bootstrap], clientId: 'fuzz', logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({
    topics: [{ topic: 't', numPartitions: 2, configEntries: [{ name: 'retention.ms', value: '-1' }] }],
  });
  await admin.createPartitions({ topicPartitions: [{ topic: 't', count: 3 }] });
  await admin.describeConfigs({ includeSynonyms: false, resources: [{ type: 2, name: 't' }] });
  const producer = kafka.producer({ idempotent: true });
  await producer.connect();
  await producer.send({ topic: 't', messages: [{ key: 'k', value: '{"n":1}', headers: { h: 'x' } }] });
  const consumer = kafka.consumer({ groupId: 'g', maxWaitTimeInMs: 10 });
  await consumer.connect();
  await consumer.subscribe({ topic: 't', fromBeginning: true });
  let got = (): void => {};
  const message = new Promise<void>(resolve => {
    got = resolve;
  });
  await consumer.run({ eachMessage: async () => got() });
  await message;
  await consumer.commitOffsets([{ topic: 't', partition: 0, offset: '1' }]);
  await admin.listGroups();
  await admin.describeGroups(['g']);
  await admin.fetchOffsets({ groupId: 'g', topics: ['t'] });
  await admin.fetchTopicOffsets('t');
  await consumer.disconnect();
  await admin.deleteGroups(['g']);
  await admin.deleteTopicRecords({ topic: 't', partitions: [{ partition: 0, offset: '-1' }] });
  await admin.deleteTopics({ topics: ['t'] });
  await producer.disconnect();
  await admin.disconnect();
  await cluster.close();
  return [...seen.values()];
}
