import { count, job, kafka, kafkaSink, max } from '../../lib/index.ts';
import { serveContender } from '../support/contender-process.ts';
import type { BidRun, BidRunResult } from './bid-run.ts';
import { bid } from './bid-schema.ts';

/** Count and highest price per auction and ten seconds, out of two clusters into the first, as one would write it. */
serveContender<BidRun, BidRunResult>(async ({ clusters, input, output, threads, watch }) => {
  const run = await job('bid-counts')
    .from(kafka({ topic: input, clusters, schema: bid, bounded: true }))
    .watermark('dateTime')
    .groupBy('auction')
    .tumble({ seconds: 10 })
    .aggregate(b => ({ bids: count(), maxPrice: max(b.price) }))
    .select(({ auction, windowStart, bids, maxPrice }) => ({ auction: auction.toText(), windowStart, bids, maxPrice }))
    .to(kafkaSink({ topic: output, clusters, key: 'auction' }))
    .start(threads === undefined ? {} : { threads });
  let machineEvents = 0;
  const watcher = watch
    ? run.inspect$.subscribe(event => {
        if (event.type === 'event') machineEvents++;
      })
    : undefined;
  const { metrics } = await run.done;
  watcher?.unsubscribe();
  return { records: metrics.recordsIn, rows: metrics.sink.acknowledged, machineEvents };
});
