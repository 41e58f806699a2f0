import { type ClusterProcess, startClusterProcess } from '../../lib/embedded/index.ts';

/** Where a cluster can be reached, as it travels between processes. */
export interface ClusterAddress {
  readonly name: string;
  readonly brokers: readonly string[];
}

export interface PerfClusters {
  readonly processes: readonly ClusterProcess[];
  readonly addresses: readonly ClusterAddress[];
  /** User and system time of all their processes so far: it is never the job's, and is stated apart. */
  cpuSeconds(): Promise<number>;
  close(): Promise<void>;
}

/** Embedded clusters, each in a process of its own, so that their work is not counted as the job's. */
export async function startClusters(names: readonly string[] = ['east', 'west']): Promise<PerfClusters> {
  const processes = await Promise.all(names.map(name => startClusterProcess({ name })));
  return {
    processes,
    addresses: processes.map(({ name, bootstrap }) => ({ name, brokers: [...bootstrap] })),
    cpuSeconds: async () => {
      const usages = await Promise.all(processes.map(each => each.usage()));
      return usages.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
    },
    close: async () => {
      await Promise.all(processes.map(each => each.close()));
    },
  };
}
