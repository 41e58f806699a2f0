import { assert } from '../base/errors.ts';

/**
 * Fetched bytes live in slabs: SharedArrayBuffers that every worker can read without a copy and that outlive a crashed
 * worker. A slab is counted: whoever keeps a reference retains it, and the last release gives its bytes back to the
 * pool. The pool's budget is the prefetch budget: when it is used up, fetching stops until results were merged.
 */
export class Slab {
  /** What it costs; its memory is `wordBytes` longer. */
  readonly sizeBytes: number;
  /** A view of its memory that begins with the bytes it holds. */
  bytes: Uint8Array;
  /** Bytes in use, from 0. */
  length = 0;
  #references = 1;
  readonly #free: (slab: Slab) => void;

  constructor(sizeBytes: number, free: (slab: Slab) => void) {
    this.sizeBytes = sizeBytes;
    this.bytes = new Uint8Array(new SharedArrayBuffer(sizeBytes + wordBytes));
    this.#free = free;
  }

  retain(): void {
    assert(this.#references > 0, 'a freed slab was retained');
    this.#references++;
  }
  release(): void {
    assert(this.#references > 0, 'a slab was released twice');
    if (--this.#references === 0) this.#free(this);
  }
  /** @internal The pool hands a freed slab out again. */
  revive(): void {
    assert(this.#references === 0, 'a slab in use was handed out again');
    this.#references = 1;
    this.length = 0;
  }
  /**
   * @internal Copies bytes that fit. V8 copies into shared memory by words only where source and target lie alike within
   * a word, and byte by byte, eight times as slow, where they do not.
   */
  fill(bytes: Uint8Array): void {
    this.bytes = new Uint8Array(this.bytes.buffer, bytes.byteOffset % wordBytes);
    this.bytes.set(bytes);
    this.length = bytes.length;
  }
}

const wordBytes = 8;

/** The smallest slab; larger ones are powers of two, so that a freed one fits many later needs. */
export const slabBytesMin = 64 * 1024;

export class SlabPool {
  readonly budgetBytes: number;
  #usedBytes = 0;
  #claimedBytes = 0;
  #freeBytes = 0;
  readonly #free = new Map<number, Slab[]>();
  #waiting: { readonly bytes: number; readonly wake: () => void }[] = [];

  constructor(budgetBytes: number) {
    assert(budgetBytes > 0, 'a slab pool needs a budget');
    this.budgetBytes = budgetBytes;
  }

  /** Bytes of slabs that are in use; rounded up to their sizes, for that is what they cost. */
  get usedBytes(): number {
    return this.#usedBytes;
  }
  /** Bytes that may still be claimed. */
  get leftBytes(): number {
    return Math.max(0, this.budgetBytes - this.#usedBytes - this.#claimedBytes);
  }

  /**
   * Sets room aside for bytes that are being fetched: `bytes`, or what is left, if that is `bytesMin` at least; else 0.
   * To be given back by `unclaim` when they are held.
   */
  claim(bytes: number, bytesMin: number): number {
    const granted = Math.min(bytes, this.leftBytes);
    if (granted < bytesMin) return 0;
    this.#claimedBytes += granted;
    return granted;
  }
  unclaim(bytes: number): void {
    assert(bytes <= this.#claimedBytes, 'more was unclaimed than was claimed');
    this.#claimedBytes -= bytes;
    this.#wake();
  }

  /** Copies `bytes` into a slab. Never refuses (bytes that were fetched must live somewhere): `claim` before fetching. */
  hold(bytes: Uint8Array): Slab {
    let size = slabBytesMin;
    while (size < bytes.length) size *= 2;
    const reused = this.#free.get(size)?.pop();
    if (reused !== undefined) {
      this.#freeBytes -= size;
      reused.revive();
    }
    const slab = reused ?? new Slab(size, freed => this.#take(freed));
    this.#usedBytes += size;
    slab.fill(bytes);
    return slab;
  }

  /** Resolves when `bytes` may be claimed. */
  available(bytes: number): Promise<void> {
    if (this.leftBytes >= bytes) return Promise.resolve();
    return new Promise(wake => this.#waiting.push({ bytes, wake }));
  }

  #take(slab: Slab): void {
    const size = slab.sizeBytes;
    this.#usedBytes -= size;
    // What lies free together with what is used stays within the budget.
    if (this.#usedBytes + this.#freeBytes + size <= this.budgetBytes) {
      this.#freeBytes += size;
      const sameSize = this.#free.get(size);
      if (sameSize === undefined) this.#free.set(size, [slab]);
      else sameSize.push(slab);
    }
    this.#wake();
  }

  #wake(): void {
    if (this.#waiting.length === 0) return;
    const left = this.leftBytes;
    const due = this.#waiting.filter(({ bytes }) => bytes <= left);
    if (due.length === 0) return;
    this.#waiting = this.#waiting.filter(({ bytes }) => bytes > left);
    for (const { wake } of due) wake();
  }
}
