import { transportContract } from '../kafka/transport-contract.ts';
import { startApacheKafka } from '../support/apache-kafka.ts';

transportContract('transport on Apache Kafka', async () => {
  const cluster = await startApacheKafka({ name: 'transport' });
  return { address: { name: 'real', brokers: [cluster.broker] }, stop: () => cluster.stop() };
});
