import { ByteReader } from '../base/byte-reader.ts';
import { crc32c } from '../base/crc32c.ts';
import { kafkaError } from './kafka-errors.ts';

/**
 * The header of a record batch, magic 2. The embedded cluster reads it with code of its own and shares no codec with
 * the client side, so that each can test the other.
 * https://kafka.apache.org/documentation/#recordbatch
 */
export interface BatchHeader {
  /** Bytes of the whole batch, header included. */
  readonly bytes: number;
  readonly attributes: number;
  readonly recordCount: number;
  readonly lastOffsetDelta: number;
  readonly baseTimestamp: number;
  readonly maxTimestamp: number;
  /** -1 where the producer is not idempotent. */
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly baseSequence: number;
}

export const batchHeaderBytes = 61;
/** Bytes before and including the length field: the length counts what follows it. */
const lengthFieldEnd = 12;
const crcAt = 17;
export const crcStart = 21;

export const attribute = {
  codecMask: 7,
  logAppendTime: 8,
  transactional: 16,
  control: 32,
} as const;

/** Last codec number that is defined: none, gzip, snappy, lz4, zstd. */
export const codecMax = 4;

/** The header, or the Kafka error code that a broker answers to what is no single, whole batch of magic 2. */
export function readBatchHeader(records: Uint8Array | null): BatchHeader | number {
  if (records === null || records.length < lengthFieldEnd) return kafkaError.INVALID_RECORD;
  const reader = new ByteReader(records, 8);
  const bytes = reader.int32() + lengthFieldEnd;
  if (bytes < batchHeaderBytes) return kafkaError.CORRUPT_MESSAGE;
  // Too short is a batch cut in its middle, too long is a second batch: produce takes exactly one a partition.
  if (bytes !== records.length) return kafkaError.INVALID_RECORD;
  reader.int32();
  if (reader.int8() !== 2) return kafkaError.INVALID_RECORD;
  reader.uint32();
  const attributes = reader.int16();
  const lastOffsetDelta = reader.int32();
  const baseTimestamp = Number(reader.int64());
  const maxTimestamp = Number(reader.int64());
  const producerId = reader.int64();
  const producerEpoch = reader.int16();
  const baseSequence = reader.int32();
  const recordCount = reader.int32();
  return {
    bytes,
    attributes,
    recordCount,
    lastOffsetDelta,
    baseTimestamp,
    maxTimestamp,
    producerId,
    producerEpoch,
    baseSequence,
  };
}

export function crcMatches(batch: Uint8Array): boolean {
  return new ByteReader(batch, crcAt).uint32() === crc32c(batch, crcStart);
}

/**
 * Writes what the broker decides into a stored batch: base offset and leader epoch. The checksum covers neither of
 * them, so the batch stays valid as the producer made it.
 */
export function stampBatch(batch: Uint8Array, baseOffset: number, leaderEpoch: number): void {
  const view = new DataView(batch.buffer, batch.byteOffset, batch.byteLength);
  view.setBigInt64(0, BigInt(baseOffset));
  view.setInt32(12, leaderEpoch);
}

/** Turns a stored batch into one of log append time: the checksum has to be made anew. */
export function stampLogAppendTime(batch: Uint8Array, timestamp: number): void {
  const view = new DataView(batch.buffer, batch.byteOffset, batch.byteLength);
  view.setInt16(21, view.getInt16(21) | attribute.logAppendTime);
  view.setBigInt64(35, BigInt(timestamp));
  view.setUint32(crcAt, crc32c(batch, crcStart));
}
