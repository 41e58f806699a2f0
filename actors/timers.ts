import type { Clock } from '../lib/base/clock.ts';

/** Timers that end with their owner: after `stop` none is left, and nobody waits for one. */
export class Timers {
  readonly #clock: Clock;
  readonly #cancels = new Set<() => void>();
  #stopped = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls back once, after `ms`, unless stopped before. The returned function cancels it. */
  after(ms: number, callback: () => void): () => void {
    return this.#arm(ms, callback, () => {});
  }

  /** Resolves after `ms`, or at once when stopped. */
  pause(ms: number): Promise<void> {
    return new Promise(resolve => this.#arm(ms, resolve, resolve));
  }

  stop(): void {
    this.#stopped = true;
    for (const cancel of [...this.#cancels]) cancel();
  }

  #arm(ms: number, due: () => void, cancelled: () => void): () => void {
    if (this.#stopped) {
      cancelled();
      return () => {};
    }
    const disarm = this.#clock.after(ms, () => {
      this.#cancels.delete(cancel);
      due();
    });
    const cancel = (): void => {
      if (!this.#cancels.delete(cancel)) return;
      disarm();
      cancelled();
    };
    this.#cancels.add(cancel);
    return cancel;
  }
}
