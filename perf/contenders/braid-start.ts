import type { StartPhase } from '../../lib/index.ts';
import type { ClusterAddress } from '../support/clusters.ts';
import { serveContender } from '../support/contender-process.ts';

export interface StartRun {
  readonly clusters: readonly ClusterAddress[];
  readonly input: string;
}

export interface StartResult {
  readonly records: number;
  /** The entry of the library and all that it imports, ms; next to nothing when it is there already. */
  readonly importMs: number;
  /** From the call of `start()` until it gives the handle, ms. */
  readonly handleMs: number;
  readonly phases: readonly StartPhase[];
}

/** A job over a small topic. The library is loaded by the first run, so that its cost can be told. */
serveContender<StartRun, StartResult>(async ({ clusters, input }) => {
  const importAt = performance.now();
  const { count, job, kafka, schema, t, toArray } = await import('../../lib/index.ts');
  const importMs = performance.now() - importAt;
  const described = job('start')
    .from(
      kafka({
        topic: input,
        clusters,
        schema: schema({ auction: t.bigint().notNull(), dateTime: t.timestamp().notNull() }),
        bounded: true,
      }),
    )
    .watermark('dateTime')
    .groupBy('auction')
    .tumble({ seconds: 10 })
    .aggregate(() => ({ bids: count() }))
    .to(toArray());
  const startAt = performance.now();
  const run = await described.start();
  const handleMs = performance.now() - startAt;
  const { metrics, startPhases } = await run.done;
  return { records: metrics.recordsIn, importMs, handleMs, phases: startPhases };
});
