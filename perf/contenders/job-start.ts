import type { StartPhase } from '../../lib/index.ts';
import { count, job, kafka, kafkaSink } from '../../lib/index.ts';
import { serveContender } from '../support/contender-process.ts';
import type { BidRun } from './bid-run.ts';
import { bid } from './bid-schema.ts';

export interface StartResult {
  readonly records: number;
  /** Phase after phase: when it was over, in ms from the call of `start()`. */
  readonly phases: readonly StartPhase[];
  /** When the first result was written, by the same clock. */
  readonly firstRowMs: number;
}

/** A small job from its start to its first written row; the first run in a process is a cold one. */
serveContender<BidRun, StartResult>(async ({ clusters, input, output }) => {
  const startedAt = performance.now();
  const run = await job('start')
    .from(kafka({ topic: input, clusters, schema: bid, bounded: true }))
    .watermark('dateTime')
    .groupBy('auction')
    .tumble({ seconds: 10 })
    .aggregate(() => ({ bids: count() }))
    .select(({ auction, bids }) => ({ auction: auction.toText(), bids }))
    .to(kafkaSink({ topic: output, clusters, key: 'auction', lingerMs: 1 }))
    .start();
  let firstRowMs = Number.NaN;
  const timer = setInterval(() => {
    if (Number.isNaN(firstRowMs) && run.metrics().sink.acknowledged > 0) firstRowMs = performance.now() - startedAt;
  }, 1);
  const { metrics, startPhases } = await run.done;
  clearInterval(timer);
  if (Number.isNaN(firstRowMs)) firstRowMs = performance.now() - startedAt;
  return { records: metrics.recordsIn, phases: startPhases, firstRowMs };
});
