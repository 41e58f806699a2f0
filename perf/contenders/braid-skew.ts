import { count, job, kafka, max, toArray } from '../../lib/index.ts';
import type { ClusterAddress } from '../support/clusters.ts';
import { serveContender } from '../support/contender-process.ts';
import { bid } from './bid-schema.ts';

export interface SkewRun {
  readonly clusters: readonly ClusterAddress[];
  readonly input: string;
  readonly hotAuction: number;
}

export interface SkewResult {
  readonly records: number;
  /** Bids for the hot auction. */
  readonly hot: number;
}

/** Windows of an hour, so that hardly any row comes out: what is measured is how rows get into groups. */
serveContender<SkewRun, SkewResult>(async ({ clusters, input, hotAuction }) => {
  const run = await job('skew')
    .from(kafka({ topic: input, clusters, schema: bid, bounded: true }))
    .watermark('dateTime')
    .groupBy('auction')
    .tumble({ hours: 1 })
    .aggregate(b => ({ bids: count(), maxPrice: max(b.price) }))
    .to(toArray())
    .start();
  const { output } = await run.done;
  let records = 0;
  let hot = 0;
  for (const { auction, bids } of output) {
    records += Number(bids);
    if (Number(auction) === hotAuction) hot += Number(bids);
  }
  return { records, hot };
});
