/**
 * What travels through the channels between actors, in order: data, and the marks that have to keep their place among
 * the data. A watermark may ride on the data that it comes after, which saves an item a batch.
 */
export type StreamItem<T> =
  | {
      readonly kind: 'data';
      readonly data: T;
      /** Weight in the channel. */
      readonly rows: number;
      /** Combined watermark in force after this data; undefined where it did not advance. */
      readonly watermark: number | undefined;
    }
  | { readonly kind: 'watermark'; readonly watermark: number }
  /** Cut between two epochs: forwarded in its place, so that everything before it belongs to the epoch that it closes. */
  | { readonly kind: 'barrier'; readonly epoch: number }
  /** Nothing follows. `drained`: the job was stopped, so open windows stay unemitted; else the input was read to its end. */
  | { readonly kind: 'end'; readonly drained: boolean };

/** Weight of an item in a channel: its rows, and one for what carries none. */
export function weighItem(item: StreamItem<unknown>): number {
  return item.kind === 'data' ? Math.max(1, item.rows) : 1;
}
