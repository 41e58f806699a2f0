import { assert } from '../base/errors.ts';

/**
 * Fetched bytes live in slabs: SharedArrayBuffers that every worker can read without a copy and that outlive a crashed
 * worker. A slab is counted: whoever keeps a reference retains it, and the last release gives its bytes back to the
 * pool. The pool's budget is the prefetch budget: when it is used up, fetching stops until results were merged.
 */
export class Slab {
  readonly buffer: SharedArrayBuffer;
  readonly bytes: Uint8Array;
  /** Bytes in use, from 0. */
  length = 0;
  #references = 1;
  readonly #free: (slab: Slab) => void;

  constructor(buffer: SharedArrayBuffer, free: (slab: Slab) => void) {
    this.buffer = buffer;
    this.bytes = new Uint8Array(buffer);
    this.#free = free;
  }

  get references(): number {
    return this.#references;
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
}

export class SlabPool {
  readonly budgetBytes: number;
  readonly #unitBytes: number;
  #usedBytes = 0;
  #free: Slab[] = [];
  #waiting: (() => void)[] = [];

  /** `unitBytes`: the size slabs are rounded up to; those of exactly one unit are reused. */
  constructor(budgetBytes: number, unitBytes = 1 << 20) {
    this.budgetBytes = budgetBytes;
    this.#unitBytes = unitBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }
  get exhausted(): boolean {
    return this.#usedBytes >= this.budgetBytes;
  }

  /** Copies `parts` into a slab. Never refuses (bytes that were fetched must live somewhere): ask `exhausted` before fetching. */
  hold(...parts: readonly Uint8Array[]): Slab {
    let length = 0;
    for (const part of parts) length += part.length;
    const size = Math.max(1, Math.ceil(length / this.#unitBytes)) * this.#unitBytes;
    const reused = size === this.#unitBytes ? this.#free.pop() : undefined;
    reused?.revive();
    const slab = reused ?? new Slab(new SharedArrayBuffer(size), freed => this.#take(freed));
    this.#usedBytes += size;
    for (const part of parts) {
      slab.bytes.set(part, slab.length);
      slab.length += part.length;
    }
    return slab;
  }

  /** Resolves when the budget allows to fetch again. */
  available(): Promise<void> {
    if (!this.exhausted) return Promise.resolve();
    return new Promise(resolve => this.#waiting.push(resolve));
  }

  #take(slab: Slab): void {
    this.#usedBytes -= slab.bytes.length;
    if (slab.bytes.length === this.#unitBytes && this.#free.length * this.#unitBytes < this.budgetBytes)
      this.#free.push(slab);
    if (!this.exhausted && this.#waiting.length > 0) {
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const wake of waiting) wake();
    }
  }
}
