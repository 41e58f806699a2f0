import { RecordBatchEncoder } from '../../lib/formats/record-batch/encode.ts';
import { sealCrc } from '../../lib/formats/record-batch/header.ts';
import { encodeHeaders } from '../../lib/formats/record-batch/headers.ts';

export interface RecordSource {
  readonly value: Uint8Array | string | null;
  readonly key?: string | null;
  readonly headers?: readonly (readonly [string, Uint8Array | null])[];
  readonly timestamp?: number;
}

const encoder = new TextEncoder();

/** One record batch, whose first record has offset `baseOffset`. */
export function recordBatch(records: readonly RecordSource[], baseOffset = 0): Uint8Array {
  const batch = new RecordBatchEncoder({ batchBytesMax: 256 << 20 });
  for (const { value, key = null, headers, timestamp = 0 } of records) {
    const keyBytes = key === null ? null : encoder.encode(key);
    const bytes = typeof value === 'string' ? encoder.encode(value) : value;
    const encoded = headers === undefined ? undefined : encodeHeaders(headers);
    batch.append(timestamp, keyBytes, 0, keyBytes?.length ?? 0, bytes, 0, bytes?.length ?? 0, encoded);
  }
  const bytes = batch.finish()!;
  new DataView(bytes.buffer, bytes.byteOffset).setBigInt64(0, BigInt(baseOffset));
  return bytes;
}

/** A batch with its attributes changed, and its CRC right again. */
export function withAttributes(batch: Uint8Array, attributes: number): Uint8Array {
  const bytes = batch.slice();
  new DataView(bytes.buffer).setInt16(21, attributes);
  sealCrc(bytes, 0, bytes.length);
  return bytes;
}

export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** A task over all of `bytes`. */
export function recordsTask(bytes: Uint8Array, fromOffset = 0, untilOffset = Number.MAX_SAFE_INTEGER) {
  return { kind: 'records', bytes, start: 0, end: bytes.length, fromOffset, untilOffset, checkCrc: true } as const;
}
