import type { KafkaSourceNode } from '../lib/plan/logical.ts';
import type { SplitReaderLimits } from './split-reader.ts';

/** Memory is shared out evenly over the splits; a paced source queues half a second of its rate at most. */
export function readerLimits(node: KafkaSourceNode, splits: number): SplitReaderLimits {
  const { options } = node;
  const perSplit = Math.max(1, splits);
  const partitionBytesMax = 1 << 20;
  const rate = options.recordsPerSecondMax;
  return {
    waitMsMax: Math.max(1, Math.floor(options.suspectAfterMs * 0.4)),
    partitionBytesMax,
    // A quarter for all clusters, so that long polls of idle ones do not keep the busy ones from fetching.
    inFlightBytesMax: options.prefetchBytesMax / 4 / node.clusters.length,
    queuedBytesMax: Math.max(partitionBytesMax / 4, options.prefetchBytesMax / perSplit - partitionBytesMax),
    queuedRecordsMax:
      rate === Number.POSITIVE_INFINITY ? Number.POSITIVE_INFINITY : Math.max(1, (rate * 0.5) / perSplit),
    pieceRecordsMax: rate === Number.POSITIVE_INFINITY ? Number.POSITIVE_INFINITY : Math.max(1, rate * 0.02),
    retryDelayMs: 100,
  };
}
