import { BraidError } from './errors.ts';

/**
 * Reads big-endian protocol fields from bytes. Every length is checked against what is left before anything is
 * allocated, so that hostile bytes end in RESPONSE_MALFORMED and not in a huge array.
 */
export class ByteReader {
  readonly bytes: Uint8Array;
  position: number;
  readonly end: number;
  readonly #view: DataView;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.position = start;
    this.end = end;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get remaining(): number {
    return this.end - this.position;
  }

  /** Claims `length` bytes and returns where they start. */
  #take(length: number): number {
    const at = this.position;
    if (length < 0 || length > this.end - at) {
      throw new BraidError(
        'RESPONSE_MALFORMED',
        `a field of ${length} bytes does not fit into the ${this.end - at} that are left`,
        { place: `byte ${at}` },
      );
    }
    this.position = at + length;
    return at;
  }

  int8(): number {
    return this.#view.getInt8(this.#take(1));
  }
  int16(): number {
    return this.#view.getInt16(this.#take(2));
  }
  int32(): number {
    return this.#view.getInt32(this.#take(4));
  }
  uint32(): number {
    return this.#view.getUint32(this.#take(4));
  }
  int64(): bigint {
    return this.#view.getBigInt64(this.#take(8));
  }
  /** A 64-bit integer that has to be a safe one: offsets, timestamps. */
  safeInt64(): number {
    const value = Number(this.int64());
    if (!Number.isSafeInteger(value))
      throw new BraidError('RESPONSE_MALFORMED', 'a 64-bit field is outside the safe integers', {
        place: `byte ${this.position - 8}`,
      });
    return value;
  }
  boolean(): boolean {
    return this.int8() !== 0;
  }
  /** View on the next `length` bytes; copy it if it is kept. */
  slice(length: number): Uint8Array {
    const at = this.#take(length);
    return this.bytes.subarray(at, at + length);
  }
  string(): string {
    const text = this.nullableString();
    if (text === null)
      throw new BraidError('RESPONSE_MALFORMED', 'a string is null where it must not be', {
        place: `byte ${this.position}`,
      });
    return text;
  }
  nullableString(): string | null {
    const length = this.int16();
    return length < 0 ? null : decodeUtf8(this.slice(length));
  }
  /** Bytes behind an int32 length; null for -1. */
  nullableBytes(): Uint8Array | null {
    const length = this.int32();
    return length < 0 ? null : this.slice(length);
  }
  /** An int32 count; -1 (null) reads as an empty array. At least one byte must be left for each element. */
  array<T>(element: () => T): T[] {
    const count = this.int32();
    if (count > this.remaining)
      throw new BraidError('RESPONSE_MALFORMED', `an array of ${count} elements does not fit`, {
        place: `byte ${this.position}`,
      });
    const out: T[] = [];
    for (let i = 0; i < count; i++) out.push(element());
    return out;
  }
  unsignedVarint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.bytes[this.#take(1)]!;
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
    throw new BraidError('RESPONSE_MALFORMED', 'a varint is longer than five bytes', {
      place: `byte ${this.position}`,
    });
  }
  /** Zigzag varint of up to 53 significant bits. */
  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 56; shift += 7) {
      const byte = this.bytes[this.#take(1)]!;
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    }
    throw new BraidError('RESPONSE_MALFORMED', 'a varint is longer than eight bytes', {
      place: `byte ${this.position}`,
    });
  }
  compactString(): string {
    const text = this.nullableCompactString();
    if (text === null)
      throw new BraidError('RESPONSE_MALFORMED', 'a string is null where it must not be', {
        place: `byte ${this.position}`,
      });
    return text;
  }
  nullableCompactString(): string | null {
    const length = this.unsignedVarint() - 1;
    return length < 0 ? null : decodeUtf8(this.slice(length));
  }
  /** Skips the tagged fields that end each structure of a flexible version. */
  taggedFields(): void {
    for (let n = this.unsignedVarint(); n > 0; n--) {
      this.unsignedVarint();
      this.slice(this.unsignedVarint());
    }
  }
}

// A byte order mark is a character like any other: without ignoreBOM the decoder would drop it.
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** Text of UTF-8 bytes, also where they lie in shared memory (which TextDecoder refuses, so they are copied first). */
export function decodeUtf8(bytes: Uint8Array): string {
  return utf8.decode(bytes.buffer instanceof SharedArrayBuffer ? bytes.slice() : bytes);
}
