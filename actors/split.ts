import type { Slab } from '../lib/data/slab.ts';

/**
 * One partition of the source in one cluster. It owns its offsets:
 * - `fetchOffset`: what to ask the broker for next. Bytes before it are in memory or done.
 * - `ownedOffset`: the one after the last piece that was handed to the channel: where a restart would go on.
 */
export interface Split {
  /** Index of the split within the source; the watermark keeps its state under it. */
  readonly id: number;
  readonly cluster: string;
  readonly topic: string;
  readonly partition: number;
  /** Bounded: the offset to stop at. Unbounded: Infinity. */
  readonly endOffset: number;
  fetchOffset: number;
  ownedOffset: number;
  /** End of the log as last heard. */
  highWatermark: number;
  /** Broker that leads the partition, by the newest metadata. */
  leader: number;
  /** Pieces that were fetched and not yet dispatched, oldest first. */
  readonly pieces: Piece[];
  /** Records and bytes of `pieces`. */
  queuedRecords: number;
  queuedBytes: number;
  /** Since when its broker has answered "nothing new" at the end of the log; undefined while it had news. */
  emptySince: number | undefined;
  recordsIn: number;
}

/** Whole record batches of one split in a slab: the unit of pacing, of the pool and of the channel. */
export interface Piece {
  readonly split: Split;
  readonly slab: Slab;
  readonly start: number;
  readonly end: number;
  readonly fromOffset: number;
  readonly nextOffset: number;
  readonly records: number;
}

/** Everything up to the end offset was fetched. An empty split is read from the start. */
export function isFetched(split: Split): boolean {
  return split.fetchOffset >= split.endOffset;
}

/** Everything was handed to the channel. */
export function isDone(split: Split): boolean {
  return split.ownedOffset >= split.endOffset;
}

export function nameOf(split: Split): string {
  return `${split.topic}-${split.partition} of ${split.cluster}`;
}

export function placeOf(piece: Piece): string {
  return `${nameOf(piece.split)}, offsets ${piece.fromOffset} to ${piece.nextOffset - 1}`;
}
