import { assert } from './errors.ts';

/**
 * A bounded, ordered mailbox between two actors of one thread. Capacity is counted in weight (rows by default), and
 * one item is always accepted by an empty channel, however heavy, so that nothing can be too big to pass.
 *
 * Invariant: what was pushed is taken once, in order; a producer that sees `full` waits for `writable()` before it
 * pushes again, which is how back-pressure reaches the fetch.
 */
export class Channel<T> {
  readonly capacity: number;
  readonly #weigh: (item: T) => number;
  #items: T[] = [];
  #head = 0;
  #weight = 0;
  #readers: (() => void)[] = [];
  #writers: (() => void)[] = [];

  constructor(capacity: number, weigh: (item: T) => number = () => 1) {
    assert(capacity > 0, 'a channel needs a capacity');
    this.capacity = capacity;
    this.#weigh = weigh;
  }

  get length(): number {
    return this.#items.length - this.#head;
  }
  get weight(): number {
    return this.#weight;
  }
  get full(): boolean {
    return this.length > 0 && this.#weight >= this.capacity;
  }

  /** Appends an item. Pushing into a full channel is a programmer error: ask `full` first, or await `writable()`. */
  push(item: T): void {
    assert(!this.full, 'pushed into a full channel');
    this.#items.push(item);
    this.#weight += this.#weigh(item);
    const readers = this.#readers;
    if (readers.length > 0) {
      this.#readers = [];
      for (const wake of readers) wake();
    }
  }

  /** Takes the oldest item, or undefined where there is none. */
  take(): T | undefined {
    if (this.#head === this.#items.length) return undefined;
    const item = this.#items[this.#head] as T;
    this.#items[this.#head] = undefined as T;
    this.#head++;
    if (this.#head === this.#items.length || this.#head > 1024) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    this.#weight -= this.#weigh(item);
    if (!this.full && this.#writers.length > 0) {
      const writers = this.#writers;
      this.#writers = [];
      for (const wake of writers) wake();
    }
    return item;
  }

  /** Resolves as soon as there is something to take. */
  readable(): Promise<void> {
    if (this.length > 0) return Promise.resolve();
    return new Promise(resolve => this.#readers.push(resolve));
  }

  /** Resolves as soon as there is room. */
  writable(): Promise<void> {
    if (!this.full) return Promise.resolve();
    return new Promise(resolve => this.#writers.push(resolve));
  }

  /** Wakes everybody who waits, so that they can notice that their actor is stopping. */
  wake(): void {
    const waiting = [...this.#readers, ...this.#writers];
    this.#readers = [];
    this.#writers = [];
    for (const wake of waiting) wake();
  }
}
