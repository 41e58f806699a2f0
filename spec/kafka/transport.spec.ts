import { startCluster } from '../../lib/embedded/index.ts';
import { transportContract } from './transport-contract.ts';

/** Three brokers: leaders differ, which the single node of the Apache Kafka run cannot show. */
transportContract('transport on the embedded cluster', async () => {
  const cluster = await startCluster({ brokers: 3 });
  return { address: { name: 'embedded', brokers: cluster.bootstrap }, stop: () => cluster.close() };
});
