import { decodeUtf8 } from '../../base/byte-reader.ts';
import { ByteWriter } from '../../base/byte-writer.ts';

/** Name and value of a record header; names may repeat, values may be null. */
export type RecordHeader = readonly [name: string, value: Uint8Array | null];

const encoder = new TextEncoder();

/** The headers section of a record: their number, then name and value of each one, as varint-length bytes. */
export function encodeHeaders(headers: readonly RecordHeader[]): Uint8Array {
  const out = new ByteWriter();
  out.varint(headers.length);
  for (const [name, value] of headers) {
    const nameBytes = encoder.encode(name);
    out.varint(nameBytes.length).raw(nameBytes);
    if (value === null) out.varint(-1);
    else out.varint(value.length).raw(value);
  }
  return out.take();
}

/** All headers of a record, names decoded, values as views. The section must come from a RecordWalker, which checked it. */
export function decodeHeaders(bytes: Uint8Array, start: number, end: number): RecordHeader[] {
  const out: RecordHeader[] = [];
  eachHeader(bytes, start, end, (nameStart, nameEnd, value) => {
    out.push([decodeUtf8(bytes.subarray(nameStart, nameEnd)), value]);
  });
  return out;
}

/**
 * Value of the last header called `name` (its UTF-8 bytes), as a view; undefined where there is none or it is null.
 * The section must come from a RecordWalker, which checked it.
 */
export function findHeader(bytes: Uint8Array, start: number, end: number, name: Uint8Array): Uint8Array | undefined {
  let found: Uint8Array | undefined;
  eachHeader(bytes, start, end, (nameStart, nameEnd, value) => {
    if (nameEnd - nameStart === name.length && name.every((byte, i) => bytes[nameStart + i] === byte))
      found = value ?? undefined;
  });
  return found;
}

function eachHeader(
  bytes: Uint8Array,
  start: number,
  end: number,
  visit: (nameStart: number, nameEnd: number, value: Uint8Array | null) => void,
): void {
  let position = start;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; position < end; scale *= 128) {
      const byte = bytes[position++]!;
      value += (byte & 127) * scale;
      if (byte < 128) break;
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  };
  for (let left = varint(); left > 0 && position < end; left--) {
    const nameBytes = varint();
    const nameStart = position;
    position += nameBytes;
    const valueBytes = varint();
    const valueStart = position;
    if (valueBytes > 0) position += valueBytes;
    visit(
      nameStart,
      nameStart + nameBytes,
      valueBytes < 0 ? null : bytes.subarray(valueStart, valueStart + valueBytes),
    );
  }
}
