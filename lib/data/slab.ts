import { assert } from '../base/errors.ts';

/**
 * Fetched bytes live in slabs: SharedArrayBuffers that every worker can read without a copy and that outlive a crashed
 * worker. A slab is counted: whoever keeps a reference retains it, and the last release gives its bytes back to the
 * pool. The pool's budget is the prefetch budget: when it is used up, fetching stops until results were merged.
 */
export class Slab {
  readonly bytes: Uint8Array;
  /** Bytes in use, from 0. */
  length = 0;
  #references = 1;
  readonly #free: (slab: Slab) => void;

  constructor(sizeBytes: number, free: (slab: Slab) => void) {
    this.bytes = new Uint8Array(new SharedArrayBuffer(sizeBytes));
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

/** The smallest slab; larger ones are powers of two, so that a freed one fits many later needs. */
const slabBytesMin = 64 * 1024;

export class SlabPool {
  readonly budgetBytes: number;
  #usedBytes = 0;
  #freeBytes = 0;
  readonly #free = new Map<number, Slab[]>();
  #waiting: (() => void)[] = [];

  constructor(budgetBytes: number) {
    assert(budgetBytes > 0, 'a slab pool needs a budget');
    this.budgetBytes = budgetBytes;
  }

  /** Bytes of slabs that are in use; rounded up to their sizes, for that is what they cost. */
  get usedBytes(): number {
    return this.#usedBytes;
  }
  get exhausted(): boolean {
    return this.#usedBytes >= this.budgetBytes;
  }

  /** Copies `bytes` into a slab. Never refuses (bytes that were fetched must live somewhere): ask `exhausted` before fetching. */
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
    slab.bytes.set(bytes);
    slab.length = bytes.length;
    return slab;
  }

  /** Resolves when the budget allows to fetch again. */
  available(): Promise<void> {
    if (!this.exhausted) return Promise.resolve();
    return new Promise(resolve => this.#waiting.push(resolve));
  }

  #take(slab: Slab): void {
    const size = slab.bytes.length;
    this.#usedBytes -= size;
    // What lies free together with what is used stays within the budget.
    if (this.#usedBytes + this.#freeBytes + size <= this.budgetBytes) {
      this.#freeBytes += size;
      const sameSize = this.#free.get(size);
      if (sameSize === undefined) this.#free.set(size, [slab]);
      else sameSize.push(slab);
    }
    if (!this.exhausted && this.#waiting.length > 0) {
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const wake of waiting) wake();
    }
  }
}
