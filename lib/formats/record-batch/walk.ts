import { recordBytes } from './decompress.ts';
import { type BatchHeader, checkCrc, corrupt } from './header.ts';

/**
 * Finds the records of a batch: typed arrays of positions, no object per record. It is the reader for everything that is
 * not a kernel, and the reference that kernels are compared with. Every length is checked against what is left of its
 * record, and a record must end where its length says: BATCH_CORRUPT otherwise.
 *
 * Arrays and `bytes` are valid until the next `walk`; entries at and after `count` mean nothing.
 */
export class RecordWalker {
  /** Records of the batch; 0 for a control batch. */
  count = 0;
  /** Memory that the positions point into: the batch's own, or what it was decompressed to. */
  bytes: Uint8Array = new Uint8Array(0);
  offsets = new Float64Array(0);
  /** Milliseconds since the epoch. */
  timestamps = new Float64Array(0);
  /** A start of -1 is a null key, or a null value. */
  keyStarts = new Int32Array(0);
  keyEnds = new Int32Array(0);
  valueStarts = new Int32Array(0);
  valueEnds = new Int32Array(0);
  /** The headers as they are encoded: their number, then each one. See headers.ts. */
  headersStarts = new Int32Array(0);
  headersEnds = new Int32Array(0);
  #position = 0;
  #limit = 0;
  #overrun = false;

  walk(source: Uint8Array, header: BatchHeader, options: WalkOptions = {}): void {
    const { place } = options;
    this.count = 0;
    if (options.checkCrc ?? true) checkCrc(source, header, place);
    if (header.control) return;
    const plain = recordBytes(source, header, place, options.decompressedBytesMax);
    this.bytes = plain.bytes;
    if (header.records > plain.end - plain.start) throw corrupt(header.baseOffset, 'is shorter than its count', place);
    this.#grow(header.records);
    this.#position = plain.start;
    for (let i = 0; i < header.records; i++) {
      this.#limit = plain.end;
      this.#overrun = false;
      const length = this.#varint();
      const end = this.#position + length;
      if (this.#overrun || length < 0 || end > plain.end)
        throw corrupt(header.baseOffset, `has a record ${i} of ${length} bytes`, place);
      this.#limit = end;
      this.#record(i, header);
      if (this.#overrun || this.#position !== end)
        throw corrupt(header.baseOffset, `has a record ${i} whose fields do not fill its ${length} bytes`, place);
    }
    if (this.#position !== plain.end)
      throw corrupt(header.baseOffset, `goes on for ${plain.end - this.#position} bytes after its last record`, place);
    this.count = header.records;
  }

  #record(i: number, header: BatchHeader): void {
    this.#position++; // attributes, unused
    const timestampDelta = this.#varint();
    const offsetDelta = this.#varint();
    if (offsetDelta < 0 || offsetDelta >= header.nextOffset - header.baseOffset) this.#overrun = true;
    this.offsets[i] = header.baseOffset + offsetDelta;
    this.timestamps[i] = header.logAppendTime ? header.maxTimestamp : header.firstTimestamp + timestampDelta;
    const key = this.#varint();
    this.keyStarts[i] = key < 0 ? -1 : this.#position;
    this.keyEnds[i] = this.#skip(key);
    const value = this.#varint();
    this.valueStarts[i] = value < 0 ? -1 : this.#position;
    this.valueEnds[i] = this.#skip(value);
    this.headersStarts[i] = this.#position;
    const headers = this.#varint();
    // A header takes two bytes at least, so a count that cannot fit is refused before it is looped over.
    if (headers < 0 || headers * 2 > this.#limit - this.#position) {
      this.#overrun = true;
      return;
    }
    for (let h = 0; h < headers && !this.#overrun; h++) {
      const name = this.#varint();
      if (name < 0) this.#overrun = true;
      this.#skip(name);
      this.#skip(this.#varint());
    }
    this.headersEnds[i] = this.#position;
  }

  /** Passes over `length` bytes (none where it is null) and returns where they end. */
  #skip(length: number): number {
    if (length < 0) return this.#position;
    if (length > this.#limit - this.#position) this.#overrun = true;
    else this.#position += length;
    return this.#position;
  }

  /** Zigzag varint; sets `overrun` where it does not end in time. Longer than 53 bits is not a length or a delta. */
  #varint(): number {
    let value = 0;
    let scale = 1;
    while (this.#position < this.#limit) {
      const byte = this.bytes[this.#position++]!;
      value += (byte & 127) * scale;
      if (byte < 128) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
      scale *= 128;
      if (scale > 2 ** 56) break;
    }
    this.#overrun = true;
    return 0;
  }

  #grow(records: number): void {
    if (records <= this.offsets.length) return;
    const size = Math.max(records, this.offsets.length * 2);
    this.offsets = new Float64Array(size);
    this.timestamps = new Float64Array(size);
    this.keyStarts = new Int32Array(size);
    this.keyEnds = new Int32Array(size);
    this.valueStarts = new Int32Array(size);
    this.valueEnds = new Int32Array(size);
    this.headersStarts = new Int32Array(size);
    this.headersEnds = new Int32Array(size);
  }
}

export interface WalkOptions {
  /** Topic and partition, for errors. */
  readonly place?: string | undefined;
  /** Verify the CRC (default). Off only where the caller did so. */
  readonly checkCrc?: boolean | undefined;
  readonly decompressedBytesMax?: number | undefined;
}
