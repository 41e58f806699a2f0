/** Writes big-endian protocol fields into a buffer that doubles as it fills. `take` hands the bytes out and starts anew. */
export class ByteWriter {
  bytes: Uint8Array;
  length = 0;
  #view: DataView;

  constructor(capacityBytes = 256) {
    this.bytes = new Uint8Array(capacityBytes);
    this.#view = new DataView(this.bytes.buffer);
  }

  /** Makes room for `count` more bytes and returns where they start. */
  reserve(count: number): number {
    const at = this.length;
    const needed = at + count;
    if (needed > this.bytes.length) {
      const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2));
      grown.set(this.bytes.subarray(0, at));
      this.bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    this.length = needed;
    return at;
  }

  int8(value: number): this {
    // The place first: reserving may replace the view.
    const at = this.reserve(1);
    this.#view.setInt8(at, value);
    return this;
  }
  int16(value: number): this {
    const at = this.reserve(2);
    this.#view.setInt16(at, value);
    return this;
  }
  int32(value: number): this {
    const at = this.reserve(4);
    this.#view.setInt32(at, value);
    return this;
  }
  uint32(value: number): this {
    const at = this.reserve(4);
    this.#view.setUint32(at, value);
    return this;
  }
  int64(value: bigint | number): this {
    const at = this.reserve(8);
    this.#view.setBigInt64(at, BigInt(value));
    return this;
  }
  boolean(value: boolean): this {
    return this.int8(value ? 1 : 0);
  }
  raw(bytes: Uint8Array): this {
    const at = this.reserve(bytes.length);
    this.bytes.set(bytes, at);
    return this;
  }
  string(text: string): this {
    const encoded = encoder.encode(text);
    return this.int16(encoded.length).raw(encoded);
  }
  nullableString(text: string | null): this {
    return text === null ? this.int16(-1) : this.string(text);
  }
  nullableBytes(bytes: Uint8Array | null): this {
    return bytes === null ? this.int32(-1) : this.int32(bytes.length).raw(bytes);
  }
  array<T>(items: readonly T[], element: (item: T, index: number) => void): this {
    this.int32(items.length);
    items.forEach(element);
    return this;
  }
  unsignedVarint(value: number): this {
    let rest = value;
    while (rest >= 128) {
      this.int8((rest % 128) | 128);
      rest = Math.floor(rest / 128);
    }
    return this.int8(rest);
  }
  /** Zigzag varint of a safe integer. */
  varint(value: number): this {
    return this.unsignedVarint(value >= 0 ? value * 2 : -value * 2 - 1);
  }
  compactString(text: string): this {
    const encoded = encoder.encode(text);
    return this.unsignedVarint(encoded.length + 1).raw(encoded);
  }
  nullableCompactString(text: string | null): this {
    return text === null ? this.unsignedVarint(0) : this.compactString(text);
  }
  /** Overwrites an int32 written before: lengths that are known only afterwards. */
  patchInt32(at: number, value: number): void {
    this.#view.setInt32(at, value);
  }
  patchUint32(at: number, value: number): void {
    this.#view.setUint32(at, value);
  }
  /** What was written, as a view; valid until the next write. */
  view(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }
  /** Hands the bytes out and starts with an empty buffer of the same capacity. */
  take(): Uint8Array {
    const out = this.bytes.subarray(0, this.length);
    this.bytes = new Uint8Array(this.bytes.length);
    this.#view = new DataView(this.bytes.buffer);
    this.length = 0;
    return out;
  }
  /** Forgets what was written and keeps the buffer. */
  reset(): void {
    this.length = 0;
  }
}

const encoder = new TextEncoder();
