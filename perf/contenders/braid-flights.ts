import { flightDelays } from '../../examples/flights/job.ts';
import type { ClusterAddress } from '../support/clusters.ts';
import { serveContender } from '../support/contender-process.ts';

/** The main job, flat out. */
serveContender<{ readonly clusters: readonly ClusterAddress[] }, { readonly records: number }>(async ({ clusters }) => {
  const run = await flightDelays(clusters, Number.POSITIVE_INFINITY).start();
  return { records: (await run.done).metrics.recordsIn };
});
