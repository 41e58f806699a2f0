import { gunzipSync } from 'node:zlib';
import { ByteReader } from '../base/byte-reader.ts';
import { attribute, batchHeaderBytes, readBatchHeader } from './batch-header.ts';

export interface FoundRecord {
  readonly offset: number;
  readonly timestamp: number;
}

const codecNone = 0;
const codecGzip = 1;

/**
 * The first record of a batch at or after `timestamp`. In a batch whose codec is not at hand (snappy, lz4, zstd) it is
 * the first record of the batch: a reader that starts there sees more, never less.
 */
export function firstRecordAtOrAfter(
  batch: Uint8Array,
  baseOffset: number,
  timestamp: number,
): FoundRecord | undefined {
  const header = readBatchHeader(batch);
  if (typeof header === 'number') return undefined;
  if ((header.attributes & attribute.logAppendTime) !== 0)
    return { offset: baseOffset, timestamp: header.maxTimestamp };
  const codec = header.attributes & attribute.codecMask;
  if (codec !== codecNone && codec !== codecGzip) return { offset: baseOffset, timestamp: header.baseTimestamp };
  const first = { offset: baseOffset, timestamp: header.baseTimestamp };
  const body = batch.subarray(batchHeaderBytes);
  let records = body;
  if (codec === codecGzip) {
    try {
      records = gunzipSync(body);
    } catch {
      // The checksum was right, so these are the producer's own bytes: its readers will complain, a search need not.
      return first;
    }
  }
  const reader = new ByteReader(records);
  for (let n = 0; n < header.recordCount; n++) {
    const bytes = reader.varint();
    const next = reader.position + bytes;
    reader.int8();
    const recordTimestamp = header.baseTimestamp + reader.varint();
    const offset = baseOffset + reader.varint();
    if (recordTimestamp >= timestamp) return { offset, timestamp: recordTimestamp };
    reader.position = next;
  }
  return undefined;
}
