import { gzipSync } from 'node:zlib';
import { ByteWriter } from '../../lib/base/byte-writer.ts';
import { crc32c } from '../../lib/base/crc32c.ts';

export interface BatchSpec {
  /** Values of the records, in order. */
  readonly values: readonly string[];
  /** Milliseconds of the first record; each next one is `timestampStep` later. */
  readonly timestamp?: number;
  readonly timestampStep?: number;
  readonly producerId?: number;
  readonly epoch?: number;
  readonly sequence?: number;
  readonly attributes?: number;
  readonly gzip?: boolean;
}

/** A record batch of magic 2 as a producer makes it: base offset 0, right checksum. */
export function batch({
  values,
  timestamp = 1_000_000_000_000,
  timestampStep = 0,
  producerId = -1,
  epoch = -1,
  sequence = -1,
  attributes = 0,
  gzip = false,
}: BatchSpec): Uint8Array {
  const records = new ByteWriter();
  values.forEach((value, at) => {
    const bytes = new TextEncoder().encode(value);
    const record = new ByteWriter();
    record
      .int8(0)
      .varint(at * timestampStep)
      .varint(at)
      .varint(-1)
      .varint(bytes.length)
      .raw(bytes)
      .varint(0);
    records.varint(record.length).raw(record.view());
  });
  const body = gzip ? gzipSync(records.view()) : records.view();
  const out = new ByteWriter();
  out.int64(0).int32(0).int32(-1).int8(2).uint32(0);
  out.int16(attributes | (gzip ? 1 : 0)).int32(values.length - 1);
  out.int64(timestamp).int64(timestamp + (values.length - 1) * timestampStep);
  out.int64(producerId).int16(epoch).int32(sequence).int32(values.length).raw(body);
  out.patchInt32(8, out.length - 12);
  return resealed(out.take());
}

/** The same bytes with their checksum made right again. */
export function resealed(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  new DataView(copy.buffer).setUint32(17, crc32c(copy, 21));
  return copy;
}

export function withByte(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const copy = bytes.slice();
  copy[at] = value;
  return copy;
}

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

export function baseOffsetOf(bytes: Uint8Array): number {
  return Number(new DataView(bytes.buffer, bytes.byteOffset).getBigInt64(0));
}
export function leaderEpochOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getInt32(12);
}
