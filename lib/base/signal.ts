/**
 * "Something changed, look again": waiters of `next()` wake at the following `notify()`. The waiter re-checks its
 * condition in a loop, so that a signal may come too often but never too late.
 */
export class Signal {
  #waiting: (() => void)[] = [];

  notify(): void {
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  next(): Promise<void> {
    return new Promise(resolve => this.#waiting.push(resolve));
  }
}
