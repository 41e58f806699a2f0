import { startClusterProcess } from '../../lib/embedded/index.ts';

/** A Kafka cluster of the main job, in a process of its own: embedded or Apache Kafka. */
export interface FlightCluster {
  readonly name: string;
  readonly brokers: readonly string[];
  /** Falls silent as a black hole does: connections stay open, nothing is answered. */
  goDark(): Promise<void>;
  comeBack(): Promise<void>;
  usage(): Promise<{ readonly cpuSeconds: number; readonly rssBytesMax: number }>;
  /** Resolves when its process is gone, also where it is dark. */
  stop(): Promise<void>;
}

export const clusterNames = ['east', 'west'] as const;

/** Starts both clusters on free ports. If one cannot start, none is left. */
export async function startClusters(kafka: boolean, signal: AbortSignal): Promise<FlightCluster[]> {
  const start: (name: string) => Promise<FlightCluster> = kafka ? startApache : startEmbedded;
  const starts = await Promise.allSettled(clusterNames.map(start));
  const started = starts.flatMap(outcome => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  const failed = starts.find(outcome => outcome.status === 'rejected');
  if (failed === undefined && !signal.aborted) return started;
  await stopClusters(started);
  signal.throwIfAborted();
  throw (failed as PromiseRejectedResult).reason;
}

export async function stopClusters(clusters: readonly FlightCluster[]): Promise<void> {
  await Promise.all(clusters.map(cluster => cluster.stop()));
}

async function startEmbedded(name: string): Promise<FlightCluster> {
  const cluster = await startClusterProcess({ name });
  return {
    name,
    brokers: cluster.bootstrap,
    goDark: () => cluster.faults.blackHole(),
    comeBack: () => cluster.faults.heal(),
    usage: () => cluster.usage(),
    stop: () => cluster.close(),
  };
}

/** A single Apache Kafka broker; to go dark it is stopped by a signal, which is what a hung machine looks like. */
async function startApache(name: string): Promise<FlightCluster> {
  const { startApacheKafka } = await import('../support/apache-kafka.ts');
  const broker = await startApacheKafka({ name });
  return {
    name,
    brokers: [broker.broker],
    goDark: async () => broker.pause(),
    comeBack: async () => broker.resume(),
    usage: async () => {
      const { cpuSeconds, rssBytes } = broker.usage() ?? { cpuSeconds: 0, rssBytes: 0 };
      return { cpuSeconds, rssBytesMax: rssBytes };
    },
    stop: () => broker.stop(),
  };
}
