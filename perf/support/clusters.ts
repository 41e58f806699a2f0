import { type ClusterProcess, startClusterProcess } from '../../lib/embedded/index.ts';

/** Where a cluster can be reached, as it travels between processes. */
export interface ClusterAddress {
  readonly name: string;
  readonly brokers: readonly string[];
}

export interface PerfClusters {
  readonly processes: readonly ClusterProcess[];
  readonly addresses: readonly ClusterAddress[];
  close(): Promise<void>;
}

/** Embedded clusters, each in a process of its own, so that their work is not counted as the job's. */
export async function startClusters(names: readonly string[] = ['east', 'west']): Promise<PerfClusters> {
  const processes = await Promise.all(names.map(name => startClusterProcess({ name })));
  return {
    processes,
    addresses: processes.map(({ name, bootstrap }) => ({ name, brokers: [...bootstrap] })),
    close: async () => {
      await Promise.all(processes.map(each => each.close()));
    },
  };
}
