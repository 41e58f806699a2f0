import type { ClusterState } from '../../lib/plan/job-report.ts';
import type { Observed } from './trips.ts';

/** A cluster as the job under observation sees it. */
const seen = (run: Observed, cluster: string) => run.job.metrics().clusters.find(({ name }) => name === cluster)!;

export const stateOf = (run: Observed, cluster: string): ClusterState => seen(run, cluster).state;
export const readFrom = (run: Observed, cluster: string): number => seen(run, cluster).recordsIn;
export const isDown = (run: Observed, cluster: string) => (): boolean =>
  ['down', 'probing', 'recovering'].includes(stateOf(run, cluster));
