/**
 * Where a long answer gathers while it arrives. kafkajs keeps the chunks of a frame and joins them when the last one is
 * there, which for fetches of megabytes makes garbage of two times their size, outside of the heap, and a full garbage
 * collection every few of them. Here the socket reads straight into memory that serves one frame after the other.
 *
 * Law: a frame's bytes live until the microtasks that its arrival set off have run, as the port says (transport.ts): what
 * is kept is copied there. A frame that might follow before that gets new memory.
 */
export class LargeFrame {
  #memory = Buffer.alloc(0);
  #length = 0;
  #needed = 0;
  #leased = false;

  /** A frame is being gathered. */
  get open(): boolean {
    return this.#needed > 0;
  }

  /** Begins a frame of `bytes` bytes, of which `first` are there. */
  begin(bytes: number, first: Uint8Array): void {
    if (this.#leased || this.#memory.length < bytes) {
      this.#memory = Buffer.allocUnsafeSlow(2 ** Math.ceil(Math.log2(bytes)));
    }
    this.#leased = false;
    this.#memory.set(first);
    this.#length = first.length;
    this.#needed = bytes;
  }

  /** Memory for what comes next: the rest of the frame and no more. */
  get rest(): Buffer {
    return this.#memory.subarray(this.#length, this.#needed);
  }

  /** Takes bytes that were read elsewhere; returns how many of them belong to the frame. */
  append(chunk: Uint8Array): number {
    const taken = Math.min(chunk.length, this.#needed - this.#length);
    this.#memory.set(taken === chunk.length ? chunk : chunk.subarray(0, taken), this.#length);
    this.#length += taken;
    return taken;
  }

  /** So many bytes were read into `rest`. */
  arrived(bytes: number): void {
    this.#length += bytes;
  }

  /** The frame, once it is whole; then nothing is being gathered any more. */
  take(): Buffer | undefined {
    if (this.#needed === 0 || this.#length < this.#needed) return undefined;
    const frame = this.#memory.subarray(0, this.#needed);
    this.#needed = 0;
    this.#leased = true;
    return frame;
  }

  /** Microtasks have run since the last frame was taken: its memory is free. */
  release(): void {
    this.#leased = false;
  }
}
