import { BraidError } from '../../base/errors.ts';
import { headerBytes, sealCrc } from './header.ts';

/** The broker's default `max.message.bytes`: the largest batch it takes, header included. */
export const batchBytesMaxDefault = 1_048_588;

/** Memory that an encoder keeps for batches to come. */
const spareBuffersMax = 4;

const noHeaders = Uint8Array.of(0);
const empty = new Uint8Array(0);

export interface BatchEncoderOptions {
  /** A batch never grows beyond this; a record that cannot fit alone is RECORD_TOO_LARGE. */
  readonly batchBytesMax?: number;
  /** Bytes to begin with; the buffer doubles. */
  readonly capacityBytes?: number;
  /** Topic and partition, for errors. */
  readonly place?: string;
}

/**
 * Appends records to one growing buffer and seals it as an uncompressed record batch. The header (lengths, counts,
 * timestamps, CRC) is written by `finish`, so that an append touches each byte once.
 *
 *     if (!encoder.fits(key.length, value.length, headers.length)) send(encoder.finish());
 *     encoder.append(timestampMs, key, 0, key.length, value, 0, value.length, headers);
 */
export class RecordBatchEncoder {
  readonly batchBytesMax: number;
  readonly #capacityBytes: number;
  readonly #place: string | undefined;
  readonly #spare: ArrayBufferLike[] = [];
  #bytes: Uint8Array;
  #length = headerBytes;
  #records = 0;
  #firstTimestamp = 0;
  #maxTimestamp = 0;

  constructor(options: BatchEncoderOptions = {}) {
    this.#place = options.place;
    this.batchBytesMax = options.batchBytesMax ?? batchBytesMaxDefault;
    this.#capacityBytes = Math.max(headerBytes, Math.min(options.capacityBytes ?? 64 << 10, this.batchBytesMax));
    this.#bytes = new Uint8Array(this.#capacityBytes);
  }

  get records(): number {
    return this.#records;
  }
  /** Size of the batch so far, header included. */
  get byteLength(): number {
    return this.#length;
  }

  /** Whether a record of these sizes surely fits behind what is there. An empty encoder says yes: `append` judges it. */
  fits(keyBytes: number, valueBytes: number, headersBytes: number): boolean {
    return this.#records === 0 || this.#length + keyBytes + valueBytes + headersBytes + 32 <= this.batchBytesMax;
  }

  /**
   * Appends a record: key `key[keyStart, keyEnd)` or null, value likewise. `headers` is the encoded headers section,
   * their number included (see tag.ts); none by default. Bytes are copied.
   * RECORD_TOO_LARGE, nothing appended, where it would make the batch larger than `batchBytesMax`.
   */
  append(
    timestampMs: number,
    key: Uint8Array | null,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array | null,
    valueStart: number,
    valueEnd: number,
    headers: Uint8Array = noHeaders,
  ): void {
    const firstTimestamp = this.#records === 0 ? timestampMs : this.#firstTimestamp;
    const keyLength = key === null ? 0 : keyEnd - keyStart;
    const valueLength = value === null ? 0 : valueEnd - valueStart;
    const timestampDelta = zigzag(timestampMs - firstTimestamp);
    const offsetDelta = this.#records * 2;
    const keyField = key === null ? 1 : keyLength * 2;
    const valueField = value === null ? 1 : valueLength * 2;
    const body =
      1 +
      varintBytes(timestampDelta) +
      varintBytes(offsetDelta) +
      varintBytes(keyField) +
      keyLength +
      varintBytes(valueField) +
      valueLength +
      headers.length;
    const needed = this.#length + varintBytes(body * 2) + body;
    if (needed > this.batchBytesMax) throw this.#tooLarge(needed - this.#length);
    if (needed > this.#bytes.length) this.#grow(needed);
    const bytes = this.#bytes;
    let at = writeVarint(bytes, this.#length, body * 2);
    bytes[at++] = 0;
    at = writeVarint(bytes, at, timestampDelta);
    at = writeVarint(bytes, at, offsetDelta);
    at = writeVarint(bytes, at, keyField);
    at = copy(bytes, at, key ?? empty, keyStart, keyLength);
    at = writeVarint(bytes, at, valueField);
    at = copy(bytes, at, value ?? empty, valueStart, valueLength);
    this.#length = copy(bytes, at, headers, 0, headers.length);
    if (this.#records++ === 0) {
      this.#firstTimestamp = timestampMs;
      this.#maxTimestamp = timestampMs;
    } else if (timestampMs > this.#maxTimestamp) this.#maxTimestamp = timestampMs;
  }

  /** Seals the batch and hands its bytes out; the encoder goes on with a buffer of its own. Undefined where it is empty. */
  finish(): Uint8Array | undefined {
    const records = this.#records;
    if (records === 0) return undefined;
    const out = this.#bytes.subarray(0, this.#length);
    const view = new DataView(out.buffer, out.byteOffset, out.byteLength);
    view.setBigInt64(0, 0n); // base offset: the broker's to fill in
    view.setInt32(8, out.length - 12);
    view.setInt32(12, -1); // leader epoch: the broker's to fill in
    view.setInt8(16, 2);
    view.setInt16(21, 0); // not compressed, not transactional
    view.setInt32(23, records - 1);
    view.setBigInt64(27, BigInt(this.#firstTimestamp));
    view.setBigInt64(35, BigInt(this.#maxTimestamp));
    view.setBigInt64(43, -1n); // no producer id: at-least-once
    view.setInt16(51, -1);
    view.setInt32(53, -1);
    view.setInt32(57, records);
    sealCrc(out, 0, out.length);
    // The next batch is about as large as this one: no doubling steps again.
    const spare = this.#spare.pop();
    this.#bytes =
      spare === undefined
        ? new Uint8Array(Math.max(this.#capacityBytes, Math.min(out.buffer.byteLength, this.batchBytesMax)))
        : new Uint8Array(spare);
    this.#length = headerBytes;
    this.#records = 0;
    return out;
  }

  /** Takes the memory of a batch that `finish` gave and nobody looks at any more, for a batch to come. */
  reuse(batch: Uint8Array): void {
    if (this.#spare.length < spareBuffersMax) this.#spare.push(batch.buffer);
  }

  #grow(needed: number): void {
    const grown = new Uint8Array(Math.max(needed, Math.min(this.#bytes.length * 2, this.batchBytesMax)));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }

  #tooLarge(recordLength: number): BraidError {
    return new BraidError(
      'RECORD_TOO_LARGE',
      `a record of ${recordLength} bytes does not fit into a batch of at most ${this.batchBytesMax}`,
      { place: this.#place, hint: 'raise batchBytesMax here and max.message.bytes on the topic' },
    );
  }
}

function zigzag(value: number): number {
  return value >= 0 ? value * 2 : -value * 2 - 1;
}

/** Bytes of an unsigned varint; exact up to 2^53. */
function varintBytes(value: number): number {
  if (value < 128) return 1;
  if (value < 16384) return 2;
  if (value < 2097152) return 3;
  let bytes = 3;
  for (let rest = Math.floor(value / 2097152); rest > 0; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}

function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  let rest = value;
  let position = at;
  while (rest > 0x7fffffff) {
    bytes[position++] = (rest % 128) | 128;
    rest = Math.floor(rest / 128);
  }
  while (rest >= 128) {
    bytes[position++] = (rest & 127) | 128;
    rest >>>= 7;
  }
  bytes[position++] = rest;
  return position;
}

/** A call of `set` and the view it needs cost more than a short loop does. */
function copy(to: Uint8Array, at: number, from: Uint8Array, start: number, length: number): number {
  if (length > 64) to.set(from.subarray(start, start + length), at);
  else for (let i = 0; i < length; i++) to[at + i] = from[start + i]!;
  return at + length;
}
