/** Counted permits, given out in the order they were asked for. */
export class Semaphore {
  #free: number;
  readonly #permits: number;
  #waiting: (() => void)[] = [];

  constructor(permits: number) {
    this.#free = permits;
    this.#permits = permits;
  }

  /** Permits that are out. */
  get taken(): number {
    return this.#permits - this.#free;
  }

  acquire(): Promise<void> {
    if (this.#free > 0) {
      this.#free--;
      return Promise.resolve();
    }
    return new Promise(resolve => this.#waiting.push(resolve));
  }

  release(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next();
  }
}
