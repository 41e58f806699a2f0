import type { Batch } from '../lib/data/batch.ts';
import type { FragmentResult } from '../lib/kernels/fragment.ts';

/** Rows or partials under way between two actors. */
export interface Flow {
  readonly batch: Batch;
  /** Key hashes and window range: present where the rows are partials. */
  readonly hashes: FragmentResult['hashes'];
  readonly windows: FragmentResult['windows'];
  /** Where partials came from; whoever takes the flow over releases it. */
  readonly origin: FlowOrigin | undefined;
}

/** The input behind partials, kept until they are merged, because late rows have to be read from it again. */
export interface FlowOrigin {
  readonly cluster: string;
  /** Input rows whose window has closed at this watermark (ms), in the source's own columns. */
  lateRows(watermark: number): Batch;
  /** The memory may be used again. */
  release(): void;
}

export function flowOf(batch: Batch): Flow {
  return { batch, hashes: undefined, windows: undefined, origin: undefined };
}

/**
 * What travels through the channels between actors, in order: data, and the marks that have to keep their place among
 * the data. A watermark may ride on the data that it comes after, which saves an item a batch.
 */
export type StreamItem =
  | {
      readonly kind: 'data';
      readonly flow: Flow;
      /** Combined watermark in force after this data; undefined where it did not advance. */
      readonly watermark: number | undefined;
    }
  | { readonly kind: 'watermark'; readonly watermark: number }
  /** Cut between two epochs: forwarded in its place, so that everything before it belongs to the epoch that it closes. */
  | { readonly kind: 'barrier'; readonly epoch: number }
  /** Nothing follows. `complete`: the input was read to its end, so every window is final; else the job was stopped and open windows stay unemitted. */
  | { readonly kind: 'end'; readonly complete: boolean };

/** Weight of an item in a channel: its rows, and one for what carries none. */
export function weighItem(item: StreamItem): number {
  return item.kind === 'data' ? Math.max(1, item.flow.batch.rows) : 1;
}
