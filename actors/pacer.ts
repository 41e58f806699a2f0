import type { Clock } from '../lib/base/clock.ts';

/**
 * One token bucket over all splits of a source: `take(n)` resolves when n more records may go on. Turns are given in
 * the order they were asked for, so that no split starves, and a split that asks for nothing (its cluster is dark)
 * leaves its share to the others. The bucket holds `burstMs` worth of tokens; a piece larger than that goes into debt,
 * which later pieces wait out.
 */
export class Pacer {
  readonly #recordsPerMs: number;
  readonly #burstMs: number;
  readonly #clock: Clock;
  /** When the tokens of everything that was promised will have flowed in. */
  #paidUntil: number;
  readonly #cancel = new Set<() => void>();

  constructor(recordsPerSecondMax: number, clock: Clock, burstMs = 50) {
    this.#recordsPerMs = recordsPerSecondMax / 1000;
    this.#burstMs = burstMs;
    this.#clock = clock;
    this.#paidUntil = clock.now();
  }

  get unlimited(): boolean {
    return this.#recordsPerMs === Infinity;
  }

  /** Undefined where nothing has to be waited for. */
  take(records: number): Promise<void> | undefined {
    if (this.unlimited) return undefined;
    const now = this.#clock.now();
    this.#paidUntil = Math.max(this.#paidUntil, now - this.#burstMs);
    const waitMs = this.#paidUntil - now;
    this.#paidUntil += records / this.#recordsPerMs;
    if (waitMs <= 0) return undefined;
    return new Promise(resolve => {
      const done = () => {
        this.#cancel.delete(cancel);
        stop();
        resolve();
      };
      const stop = this.#clock.after(waitMs, done);
      const cancel = done;
      this.#cancel.add(cancel);
    });
  }

  /** Lets everybody who waits go on at once: the source is stopping. */
  release(): void {
    for (const cancel of [...this.#cancel]) cancel();
  }
}
