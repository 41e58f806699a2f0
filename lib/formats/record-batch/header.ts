import { crc32c } from '../../base/crc32c.ts';
import { BraidError } from '../../base/errors.ts';

/**
 * Header of a Kafka record batch, format v2 ("magic" 2), the only one that brokers since 4.0 keep. Layout, big-endian:
 *
 * | byte | field | byte | field |
 * |---|---|---|---|
 * | 0 | base offset, int64 | 27 | first timestamp, int64 ms |
 * | 8 | length of what follows, int32 | 35 | greatest timestamp, int64 ms |
 * | 12 | partition leader epoch, int32 | 43 | producer id, int64 |
 * | 16 | magic, int8 = 2 | 51 | producer epoch, int16 |
 * | 17 | CRC-32C of bytes 21 to the end, uint32 | 53 | first sequence, int32 |
 * | 21 | attributes, int16 | 57 | number of records, int32 |
 * | 23 | last offset delta, int32 | 61 | records, compressed as a whole where the attributes say so |
 *
 * Source: https://kafka.apache.org/documentation/#recordbatch
 */
export const headerBytes = 61;
/** The smallest record: length, attributes, two deltas, null key, null value, no headers: one byte each. */
const recordBytesMin = 7;
/** Offset and length come before the bytes that the length field counts. */
const prefixBytes = 12;
const crcAt = 17;
/** The CRC covers everything from the attributes on. */
export const crcFrom = 21;

export const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
export type Codec = (typeof codecs)[number];

export interface BatchHeader {
  /** Where the batch starts and ends (exclusive) in the bytes it was read from. */
  readonly start: number;
  readonly end: number;
  readonly baseOffset: number;
  /** Offset after the batch: what to fetch next. Offsets inside may have gaps (compaction). */
  readonly nextOffset: number;
  /** Number of records. */
  readonly records: number;
  readonly codec: Codec;
  /** A control batch holds transaction markers and no data: readers skip it. */
  readonly control: boolean;
  readonly transactional: boolean;
  /** Milliseconds; a record's timestamp is this plus its delta, or `maxTimestamp` where `logAppendTime`. */
  readonly firstTimestamp: number;
  readonly maxTimestamp: number;
  readonly logAppendTime: boolean;
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly firstSequence: number;
}

/**
 * Reads the header of the batch that starts at `bytes[at]`. `undefined` means that the rest, up to `end`, holds no whole
 * batch: brokers cut the last batch of a fetch wherever the limit falls, and it comes again with the next fetch.
 * Step on with `header.end`. Nothing is allocated from a length before it was checked; the CRC is a call of its own
 * (`checkCrc`), so that it runs where the records are read.
 *
 * BATCH_CORRUPT, naming the offset, where the header contradicts itself. `place` names topic and partition for it.
 */
export function nextBatch(bytes: Uint8Array, at: number, end: number, place?: string): BatchHeader | undefined {
  if (end - at < prefixBytes) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const baseOffset = Number(view.getBigInt64(at));
  const length = view.getInt32(at + 8);
  if (length < headerBytes - prefixBytes) throw corrupt(baseOffset, `has a length field of ${length}`, place);
  const batchEnd = at + prefixBytes + length;
  if (batchEnd > end) return undefined;
  const magic = view.getInt8(at + 16);
  if (magic !== 2) throw corrupt(baseOffset, `has format ${magic}, and only format 2 is read`, place);
  if (baseOffset < 0 || !Number.isSafeInteger(baseOffset)) throw corrupt(baseOffset, 'has an impossible offset', place);
  const attributes = view.getInt16(at + crcFrom);
  const codec = codecs[attributes & 7];
  if (codec === undefined) throw unsupported(`number ${attributes & 7}`, baseOffset, place);
  const lastOffsetDelta = view.getInt32(at + 23);
  const records = view.getInt32(at + 57);
  const recordsMax = codec === 'none' ? (batchEnd - at - headerBytes) / recordBytesMin : 0x7fffffff;
  if (records < 0 || records > recordsMax || lastOffsetDelta < Math.max(0, records - 1))
    throw corrupt(baseOffset, `claims ${records} records in ${length} bytes`, place);
  return {
    start: at,
    end: batchEnd,
    baseOffset,
    nextOffset: baseOffset + lastOffsetDelta + 1,
    records,
    codec,
    control: (attributes & 32) !== 0,
    transactional: (attributes & 16) !== 0,
    logAppendTime: (attributes & 8) !== 0,
    firstTimestamp: Number(view.getBigInt64(at + 27)),
    maxTimestamp: Number(view.getBigInt64(at + 35)),
    producerId: view.getBigInt64(at + 43),
    producerEpoch: view.getInt16(at + 51),
    firstSequence: view.getInt32(at + 53),
  };
}

/** BATCH_CORRUPT where the bytes of a batch do not match its CRC. */
export function checkCrc(bytes: Uint8Array, header: BatchHeader, place?: string): void {
  const at = header.start + crcAt;
  const stored = ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
  if (crc32c(bytes, header.start + crcFrom, header.end) !== stored)
    throw corrupt(header.baseOffset, 'does not match its CRC', place);
}

/** Writes the CRC of the batch `bytes[start, end)`, after its bytes were changed. */
export function sealCrc(bytes: Uint8Array, start: number, end: number): void {
  const crc = crc32c(bytes, start + crcFrom, end);
  const at = start + crcAt;
  bytes[at] = crc >>> 24;
  bytes[at + 1] = crc >>> 16;
  bytes[at + 2] = crc >>> 8;
  bytes[at + 3] = crc;
}

/** What the whole batches of a fetch amount to, by their headers alone. */
export interface BatchRange {
  /** Byte after the last whole batch; what lies behind it is a batch cut short. */
  readonly end: number;
  /** Offset of the first batch (it may start before the offset that was asked for), and the offset to fetch next. */
  readonly baseOffset: number;
  readonly nextOffset: number;
  readonly batches: number;
  /** Records in them, those of control batches left out. */
  readonly records: number;
}

/**
 * Steps over the batches of `bytes[start, end)`. `undefined` where there are no bytes at all. A broker sends the first
 * batch whole however large it is, so bytes without one whole batch are BATCH_CORRUPT, never an endless refetch.
 */
export function rangeOfBatches(bytes: Uint8Array, start: number, end: number, place?: string): BatchRange | undefined {
  if (end <= start) return undefined;
  const first = nextBatch(bytes, start, end, place);
  if (first === undefined)
    throw new BraidError('BATCH_CORRUPT', `the first record batch of a fetch ends after ${end - start} bytes`, {
      place,
    });
  let last = first;
  let batches = 0;
  let records = 0;
  for (let next: BatchHeader | undefined = first; next !== undefined; next = nextBatch(bytes, next.end, end, place)) {
    if (batches > 0 && next.baseOffset < last.nextOffset)
      throw corrupt(next.baseOffset, `follows one that reaches to offset ${last.nextOffset - 1}`, place);
    last = next;
    batches++;
    if (!next.control) records += next.records;
  }
  return { end: last.end, baseOffset: first.baseOffset, nextOffset: last.nextOffset, batches, records };
}

/** @internal One wording for everything that is wrong with a batch. */
export function corrupt(offset: number, what: string, place: string | undefined): BraidError {
  return new BraidError('BATCH_CORRUPT', `the record batch at offset ${offset} ${what}`, { place });
}

/** @internal */
export function unsupported(codec: string, offset: number, place: string | undefined): BraidError {
  return new BraidError('CODEC_UNSUPPORTED', `the record batch at offset ${offset} is compressed with ${codec}`, {
    place,
    hint: 'Braid reads uncompressed and gzip batches: set compression.type=gzip (or uncompressed) on the topic or its producers',
  });
}
