/** A size field that no Kafka request can have: the peer speaks another protocol, or too much. */
export class FrameRefused extends Error {}

const sizeFieldBytes = 4;

/**
 * Cuts a byte stream into frames: an int32 size and so many bytes. Memory grows with what arrived, never with what a
 * size field claims.
 */
export class FrameAssembler {
  readonly #frameBytesMax: number;
  #chunks: Buffer[] = [];
  #bytes = 0;
  /** Bytes that have to be there before there is anything to do: a size field, or a size field and its frame. */
  #needed = sizeFieldBytes;

  constructor(frameBytesMax: number) {
    this.#frameBytesMax = frameBytesMax;
  }

  get bufferedBytes(): number {
    return this.#bytes;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
  }

  /** The next whole frame, or undefined. Throws FrameRefused where the stream cannot be Kafka's. */
  next(): Buffer | undefined {
    if (this.#bytes < this.#needed) return undefined;
    const joined = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks, this.#bytes);
    const size = joined.readInt32BE(0);
    if (size < 8 || size > this.#frameBytesMax)
      throw new FrameRefused(`a request of ${size} bytes (8 to ${this.#frameBytesMax} are possible)`);
    const end = sizeFieldBytes + size;
    if (joined.length < end) {
      this.#needed = end;
      this.#keep(joined);
      return undefined;
    }
    this.#needed = sizeFieldBytes;
    this.#keep(joined.subarray(end));
    return joined.subarray(sizeFieldBytes, end);
  }

  #keep(rest: Buffer): void {
    this.#chunks = rest.length === 0 ? [] : [rest];
    this.#bytes = rest.length;
  }
}
