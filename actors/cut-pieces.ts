import { BraidError } from '../lib/base/errors.ts';
import type { SlabPool } from '../lib/data/slab.ts';
import { nextBatch } from '../lib/formats/record-batch/header.ts';
import { nameOf, type Piece, type Split } from './split.ts';

interface Range {
  readonly start: number;
  readonly end: number;
  readonly nextOffset: number;
  readonly records: number;
}

/**
 * Copies fetched batches into a slab, once, and cuts them into pieces at batch borders: of at most `recordsMax` records,
 * one batch at least. What lies behind the end offset of a bounded split is left out, since no piece may follow the one
 * that ends it. Nothing is held where there is no whole batch; BATCH_CORRUPT where the broker had promised one (`first`).
 */
export function cutPieces(
  split: Split,
  records: Uint8Array,
  first: boolean,
  recordsMax: number,
  slabs: SlabPool,
): readonly Piece[] {
  const ranges = rangesOf(split, records, recordsMax);
  const last = ranges.at(-1);
  if (last === undefined) {
    if (first && records.length > 0) {
      throw new BraidError('BATCH_CORRUPT', `the broker sent ${records.length} bytes that hold no whole record batch`, {
        place: `${nameOf(split)}, offset ${split.fetchOffset}`,
      });
    }
    return [];
  }
  const slab = slabs.hold(records.subarray(0, last.end));
  let fromOffset = split.fetchOffset;
  return ranges.map(({ start, end, nextOffset, records: count }, i) => {
    if (i > 0) slab.retain();
    const piece: Piece = { split, slab, start, end, fromOffset, nextOffset, records: count };
    fromOffset = nextOffset;
    return piece;
  });
}

function rangesOf(split: Split, records: Uint8Array, recordsMax: number): readonly Range[] {
  const place = nameOf(split);
  const ranges: Range[] = [];
  let end = 0;
  for (;;) {
    const header = nextBatch(records, end, records.length, place);
    if (header === undefined) return ranges;
    const last = ranges.at(-1);
    const { baseOffset } = header;
    const before = last?.nextOffset ?? split.fetchOffset;
    // The first one may begin before the offset that was asked for, but not end there; else the same bytes came for ever.
    if (last === undefined ? header.nextOffset <= before : baseOffset < before) {
      throw new BraidError(
        'BATCH_CORRUPT',
        `a record batch of offsets ${baseOffset} to ${header.nextOffset - 1} came where offset ${before} was due`,
        { place },
      );
    }
    // Where the offsets before the end are gone (compaction), the batch behind them is what says so.
    if (last !== undefined && last.nextOffset >= split.endOffset) return ranges;
    const count = header.control ? 0 : header.records;
    const { start, nextOffset } = header;
    end = header.end;
    if (last !== undefined && last.records + count <= recordsMax)
      ranges[ranges.length - 1] = { start: last.start, end, nextOffset, records: last.records + count };
    else ranges.push({ start, end, nextOffset, records: count });
  }
}
