/** Time as a port: actors never call Date.now or setTimeout themselves, so that specs can drive them. Times in milliseconds. */
export interface Clock {
  /** Monotonic milliseconds; only differences mean anything. */
  now(): number;
  /** Runs `callback` once after `delayMs`; the returned function cancels it. */
  after(delayMs: number, callback: () => void): () => void;
  /** Runs `callback` every `periodMs`; the returned function stops it. */
  every(periodMs: number, callback: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
  every(periodMs, callback) {
    const timer = setInterval(callback, periodMs);
    return () => clearInterval(timer);
  },
};

interface ManualTimer {
  due: number;
  readonly periodMs: number;
  readonly callback: () => void;
}

/** A clock that stands still until it is told to move; timers fire in order of their due time. */
export class ManualClock implements Clock {
  #now = 0;
  #timers: ManualTimer[] = [];

  now(): number {
    return this.#now;
  }

  after(delayMs: number, callback: () => void): () => void {
    return this.#add(delayMs, 0, callback);
  }

  every(periodMs: number, callback: () => void): () => void {
    return this.#add(periodMs, periodMs, callback);
  }

  /** Moves time forward and fires all that falls due on the way. */
  advance(byMs: number): void {
    const end = this.#now + byMs;
    for (;;) {
      let next: ManualTimer | undefined;
      for (const timer of this.#timers) {
        if (timer.due <= end && (next === undefined || timer.due < next.due)) next = timer;
      }
      if (next === undefined) break;
      this.#now = next.due;
      if (next.periodMs > 0) next.due += next.periodMs;
      else this.#timers.splice(this.#timers.indexOf(next), 1);
      next.callback();
    }
    this.#now = end;
  }

  /** Timers that are armed; zero after everything was stopped. */
  get pending(): number {
    return this.#timers.length;
  }

  #add(delayMs: number, periodMs: number, callback: () => void): () => void {
    const timer = { due: this.#now + delayMs, periodMs, callback };
    this.#timers.push(timer);
    return () => {
      const at = this.#timers.indexOf(timer);
      if (at >= 0) this.#timers.splice(at, 1);
    };
  }
}
