import kafkajs, { type Consumer, type Kafka as KafkaClient } from 'kafkajs';
import * as assert from 'uvu/assert';
import { type EmbeddedCluster, startCluster } from '../../lib/embedded/index.ts';
import { suite } from '../support/suite.ts';

const { CompressionTypes, Kafka, Partitioners, logLevel } = kafkajs;

const test = suite("embedded: kafkajs's public API works against it");

async function withKafka(
  body: (kafka: KafkaClient, cluster: EmbeddedCluster) => Promise<void>,
  options: Parameters<typeof startCluster>[0] = {},
): Promise<void> {
  const cluster = await startCluster(options);
  const kafka = new Kafka({
    clientId: 'spec',
    brokers: [...cluster.bootstrap],
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 20, retries: 8 },
  });
  try {
    await body(kafka, cluster);
  } finally {
    await cluster.close();
  }
}
const producerOf = (kafka: KafkaClient, idempotent = false) =>
  kafka.producer({
    createPartitioner: Partitioners.DefaultPartitioner,
    idempotent,
    ...(idempotent ? { maxInFlightRequests: 1 } : {}),
  });

/** Stopping a kafkajs consumer waits for its long poll, so the poll is kept short. */
const consumerOf = (kafka: KafkaClient) =>
  kafka.consumer({ groupId: 'g', heartbeatInterval: 50, maxWaitTimeInMs: 100 });

/** Runs a consumer until it has seen `count` records; they come in the order in which they were seen. */
async function consume(consumer: Consumer, topic: string, count: number): Promise<string[]> {
  const seen: string[] = [];
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
    consumer
      .run({
        eachMessage: async ({ partition, message }) => {
          seen.push(`${partition}:${message.offset}:${message.key}:${message.value}`);
          if (seen.length === count) resolve();
        },
      })
      .catch(reject);
  });
  return seen;
}

test('admin: topics, partitions, configs, offsets and the cluster itself', () =>
  withKafka(
    async kafka => {
      const admin = kafka.admin();
      await admin.connect();
      const cluster = await admin.describeCluster();
      assert.is(cluster.brokers.length, 3);
      const made = await admin.createTopics({
        waitForLeaders: true,
        topics: [
          {
            topic: 't',
            numPartitions: 4,
            replicationFactor: 3,
            configEntries: [{ name: 'retention.ms', value: '-1' }],
          },
        ],
      });
      assert.is(made, true);
      assert.is(await admin.createTopics({ topics: [{ topic: 't' }] }), false, 'it exists');
      const { topics } = await admin.fetchTopicMetadata({ topics: ['t'] });
      assert.equal(topics[0]!.partitions.map(p => p.partitionId).sort(), [0, 1, 2, 3]);
      assert.is(new Set(topics[0]!.partitions.map(p => p.leader)).size, 3, 'leaders are spread over the brokers');
      const configs = await admin.describeConfigs({
        includeSynonyms: false,
        resources: [{ type: 2, name: 't', configNames: ['retention.ms', 'max.message.bytes'] }],
      });
      assert.equal(
        configs.resources[0]!.configEntries.map(entry => [entry.configName, entry.configValue]),
        [
          ['max.message.bytes', '1048588'],
          ['retention.ms', '-1'],
        ],
      );
      await admin.createPartitions({ topicPartitions: [{ topic: 't', count: 6 }] });
      assert.is((await admin.fetchTopicOffsets('t')).length, 6);

      const producer = producerOf(kafka);
      await producer.connect();
      await producer.send({ topic: 't', messages: [0, 1, 2].map(n => ({ partition: 5, value: `${n}` })) });
      await producer.disconnect();
      await admin.deleteTopicRecords({ topic: 't', partitions: [{ partition: 5, offset: '2' }] });
      const offsets = await admin.fetchTopicOffsets('t');
      assert.equal(
        offsets.find(o => o.partition === 5),
        { partition: 5, offset: '3', high: '3', low: '2' },
      );

      await admin.deleteTopics({ topics: ['t'] });
      assert.equal(await admin.listTopics(), []);
      await admin.disconnect();
    },
    { brokers: 3 },
  ));

test('producer and one consumer of a group: plain, gzip and idempotent batches, read in order from the beginning', () =>
  withKafka(
    async kafka => {
      const producer = producerOf(kafka);
      await producer.connect();
      await producer.send({ topic: 't', messages: [{ partition: 0, key: 'k', value: 'plain' }] });
      const compression = CompressionTypes.GZIP;
      await producer.send({ topic: 't', compression, messages: [{ partition: 0, key: 'k', value: 'gzip' }] });
      await producer.disconnect();
      const idempotent = producerOf(kafka, true);
      await idempotent.connect();
      for (const value of ['one', 'two'])
        await idempotent.send({ topic: 't', messages: [{ partition: 1, key: 'k', value }] });
      await idempotent.disconnect();

      const consumer = consumerOf(kafka);
      const seen = await consume(consumer, 't', 4);
      assert.equal(
        seen.filter(record => record.startsWith('0')),
        ['0:0:k:plain', '0:1:k:gzip'],
      );
      assert.equal(
        seen.filter(record => record.startsWith('1')),
        ['1:0:k:one', '1:1:k:two'],
      );
      await consumer.disconnect();
    },
    { brokers: 2, topics: [{ topic: 't', partitions: 2 }] },
  ));

test('a group keeps its offsets: the next consumer goes on where the last one committed', () =>
  withKafka(
    async kafka => {
      const producer = producerOf(kafka);
      await producer.connect();
      const send = (value: string) => producer.send({ topic: 't', messages: [{ partition: 0, value }] });
      await send('a');
      const first = consumerOf(kafka);
      assert.equal(await consume(first, 't', 1), ['0:0:null:a']);
      const admin = kafka.admin();
      await admin.connect();
      const [described] = (await admin.describeGroups(['g'])).groups;
      assert.equal(
        [described!.state, described!.members.length, described!.members[0]!.clientId],
        ['Stable', 1, 'spec'],
      );
      assert.equal((await admin.listGroups()).groups, [{ groupId: 'g', protocolType: 'consumer' }]);
      await first.disconnect();
      assert.is((await admin.describeGroups(['g'])).groups[0]!.state, 'Empty');
      const committed = await admin.fetchOffsets({ groupId: 'g', topics: ['t'] });
      assert.is(committed[0]!.partitions[0]!.offset, '1');

      await send('b');
      const second = consumerOf(kafka);
      assert.equal(await consume(second, 't', 1), ['0:1:null:b']);
      await second.disconnect();
      await admin.deleteGroups(['g']);
      assert.equal((await admin.listGroups()).groups, []);
      await admin.disconnect();
      await producer.disconnect();
    },
    { topics: [{ topic: 't' }] },
  ));

test('two consumers of a group share the partitions, and the one that stays takes over from the one that leaves', () =>
  withKafka(
    async (kafka, cluster) => {
      const consumers = [0, 1].map(() => consumerOf(kafka));
      const owned = consumers.map(() => 0);
      const settled = (wanted: string) =>
        new Promise<void>(resolve => {
          const look = () => (owned.join() === wanted ? resolve() : setImmediate(look));
          look();
        });
      for (const [at, consumer] of consumers.entries()) {
        consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
          owned[at] = payload.memberAssignment.t?.length ?? 0;
        });
        await consumer.connect();
        await consumer.subscribe({ topic: 't' });
        await consumer.run({ eachMessage: async () => undefined });
      }
      await settled('2,2');
      await consumers[0]!.disconnect();
      owned[0] = 0;
      await settled('0,4');
      await consumers[1]!.disconnect();
      assert.equal(cluster.refusals, []);
    },
    { topics: [{ topic: 't', partitions: 4 }] },
  ));

test('a consumer survives a black hole of its broker and a restart, and misses nothing', () =>
  withKafka(
    async (kafka, cluster) => {
      const producer = producerOf(kafka);
      await producer.connect();
      const consumer = consumerOf(kafka);
      const seen: string[] = [];
      let arrived: (() => void) | undefined;
      await consumer.connect();
      await consumer.subscribe({ topic: 't', fromBeginning: true });
      await consumer.run({
        eachMessage: async ({ message }) => {
          seen.push(String(message.value));
          arrived?.();
        },
      });
      const until = async (count: number) => {
        while (seen.length < count) {
          await new Promise<void>(resolve => {
            arrived = resolve;
          });
        }
      };
      const send = (value: string) => producer.send({ topic: 't', messages: [{ partition: 0, value }] });
      await send('a');
      await until(1);
      await cluster.faults.blackHole();
      const held = send('b');
      await cluster.faults.heal();
      await held;
      await until(2);
      await cluster.faults.down();
      await cluster.faults.up();
      await send('c');
      await until(3);
      assert.equal(seen, ['a', 'b', 'c']);
      await consumer.disconnect();
      await producer.disconnect();
    },
    { topics: [{ topic: 't' }] },
  ));

test('a topic is made on first use where the cluster allows it, and is unknown where it does not', async () => {
  await withKafka(
    async (kafka, cluster) => {
      const producer = producerOf(kafka);
      await producer.connect();
      await producer.send({ topic: 'fresh', messages: [{ value: 'x' }] });
      await producer.disconnect();
      const ends = await Promise.all([0, 1, 2].map(partition => cluster.endOffset('fresh', partition)));
      assert.is(
        ends.reduce((sum, end) => sum + end),
        1,
      );
    },
    { autoCreateTopics: true, defaultPartitions: 3 },
  );
  await withKafka(async kafka => {
    const producer = kafka.producer({ retry: { retries: 0 }, createPartitioner: Partitioners.DefaultPartitioner });
    await producer.connect();
    await producer.send({ topic: 'fresh', messages: [{ value: 'x' }] }).then(
      () => assert.unreachable(),
      error => assert.match(error.message, /does not host this topic-partition/),
    );
    await producer.disconnect();
  });
});

test('a transactional producer is told at once that there are no transactions', () =>
  withKafka(async kafka => {
    const producer = kafka.producer({
      transactionalId: 'x',
      maxInFlightRequests: 1,
      idempotent: true,
      createPartitioner: Partitioners.DefaultPartitioner,
    });
    await producer.connect();
    await producer.transaction().then(
      () => assert.unreachable(),
      error => assert.is(error.type, 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED', error.message),
    );
    await producer.disconnect();
  }));

test.run();
