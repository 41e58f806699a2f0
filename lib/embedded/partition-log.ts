import { stampBatch, stampLogAppendTime } from './batch-header.ts';

/** One read of a log: views of stored bytes, in order. */
export interface LogSlice {
  readonly pieces: Uint8Array[];
  readonly bytes: number;
}

interface Segment {
  /** Position in the log of the segment's first byte. */
  readonly start: number;
  readonly bytes: Uint8Array;
  used: number;
}

const segmentBytesMin = 64 * 1024;
const segmentBytesMax = 4 * 1024 * 1024;

/**
 * The log of one partition: an append-only sequence of bytes, cut into segments that no batch straddles. A written byte
 * never changes, so that a fetch can hand out views of it and the socket can still be writing them long afterwards.
 * An index knows the offset, the position and the timestamp of each batch.
 *
 * Invariant: positions count batch bytes only (never the unused end of a segment), so the bytes between two batches
 * are the difference of their positions.
 */
export class PartitionLog {
  #segments: Segment[] = [];
  #baseOffsets: number[] = [];
  #positions: number[] = [];
  #maxTimestamps: number[] = [];
  #endPosition = 0;
  startOffset = 0;
  endOffset = 0;

  get batchCount(): number {
    return this.#baseOffsets.length;
  }

  /** Copies a batch to the end of the log and stamps it; returns its base offset. */
  append(
    batch: Uint8Array,
    header: { readonly lastOffsetDelta: number; readonly maxTimestamp: number },
    leaderEpoch: number,
    logAppendTime?: number,
  ): number {
    const segment = this.#segmentFor(batch.length);
    const stored = segment.bytes.subarray(segment.used, segment.used + batch.length);
    stored.set(batch);
    const baseOffset = this.endOffset;
    stampBatch(stored, baseOffset, leaderEpoch);
    if (logAppendTime !== undefined) stampLogAppendTime(stored, logAppendTime);
    segment.used += batch.length;
    this.#baseOffsets.push(baseOffset);
    this.#positions.push(this.#endPosition);
    this.#maxTimestamps.push(logAppendTime ?? header.maxTimestamp);
    this.#endPosition += batch.length;
    this.endOffset = baseOffset + header.lastOffsetDelta + 1;
    return baseOffset;
  }

  /** Bytes from the batch that holds `offset` to the end. */
  bytesFrom(offset: number): number {
    const index = this.#batchOf(offset);
    return index < 0 ? 0 : this.#endPosition - this.#positions[index]!;
  }

  /**
   * At most `bytesMax` bytes from the batch that holds `offset` on; the last batch may be cut in its middle, as a real
   * broker cuts it. A first batch that does not fit comes whole with `firstWhole`, else nothing comes.
   */
  read(offset: number, bytesMax: number, firstWhole: boolean): LogSlice {
    const index = this.#batchOf(offset);
    if (index < 0) return { pieces: [], bytes: 0 };
    const from = this.#positions[index]!;
    const firstEnd = this.#positions[index + 1] ?? this.#endPosition;
    let limit = bytesMax;
    if (firstEnd - from > limit) {
      if (!firstWhole) return { pieces: [], bytes: 0 };
      limit = firstEnd - from;
    }
    const to = Math.min(this.#endPosition, from + limit);
    const pieces: Uint8Array[] = [];
    for (let s = this.#segmentOf(from); s < this.#segments.length; s++) {
      const segment = this.#segments[s]!;
      if (segment.start >= to) break;
      const begin = Math.max(0, from - segment.start);
      const end = Math.min(segment.used, to - segment.start);
      if (end > begin) pieces.push(segment.bytes.subarray(begin, end));
    }
    return { pieces, bytes: to - from };
  }

  /** Views of all stored batches, one each. */
  batches(): Uint8Array[] {
    return this.#baseOffsets.map((_, index) => this.#batchBytes(index));
  }

  /** The first batch whose largest timestamp is at or after `timestamp`. */
  batchAtOrAfter(timestamp: number): { readonly baseOffset: number; readonly bytes: Uint8Array } | undefined {
    const index = this.#maxTimestamps.findIndex(max => max >= timestamp);
    return index < 0 ? undefined : { baseOffset: this.#baseOffsets[index]!, bytes: this.#batchBytes(index) };
  }

  /** Moves the start of the log to `offset` and forgets whole batches and segments before it. */
  deleteBefore(offset: number): void {
    this.startOffset = Math.max(this.startOffset, Math.min(offset, this.endOffset));
    const keep = this.startOffset >= this.endOffset ? this.#baseOffsets.length : this.#batchOf(this.startOffset);
    if (keep <= 0) return;
    this.#baseOffsets.splice(0, keep);
    this.#positions.splice(0, keep);
    this.#maxTimestamps.splice(0, keep);
    const firstPosition = this.#positions[0] ?? this.#endPosition;
    const gone = this.#segments.findIndex(segment => segment.start + segment.used > firstPosition);
    this.#segments.splice(0, gone < 0 ? this.#segments.length : gone);
  }

  #segmentFor(bytes: number): Segment {
    const last = this.#segments.at(-1);
    if (last !== undefined && last.bytes.length - last.used >= bytes) return last;
    const doubled = Math.min(segmentBytesMax, last === undefined ? segmentBytesMin : last.bytes.length * 2);
    const segment = { start: this.#endPosition, bytes: new Uint8Array(Math.max(bytes, doubled)), used: 0 };
    this.#segments.push(segment);
    return segment;
  }

  /** Index of the batch that holds `offset`, -1 where none does: at the end of the log, or outside it. */
  #batchOf(offset: number): number {
    if (offset >= this.endOffset) return -1;
    return lastAtOrBelow(this.#baseOffsets.length, index => this.#baseOffsets[index]! <= offset);
  }

  #segmentOf(position: number): number {
    return lastAtOrBelow(this.#segments.length, index => this.#segments[index]!.start <= position);
  }

  #batchBytes(index: number): Uint8Array {
    const from = this.#positions[index]!;
    const to = this.#positions[index + 1] ?? this.#endPosition;
    const segment = this.#segments[this.#segmentOf(from)]!;
    return segment.bytes.subarray(from - segment.start, to - segment.start);
  }
}

/** Last index of `[0, count)` for which `holds` is true, where it is true for a prefix; -1 where for none. */
function lastAtOrBelow(count: number, holds: (index: number) => boolean): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
