import type { Traffic } from '../lib/kafka/transport.ts';

export type Verdict = 'answered' | 'idle' | 'waiting';

/**
 * How long a cluster has been silent: time in which requests waited and nothing was answered. Time in which our own
 * event loop was late does not count, for an answer may lie in the socket unread: a tick adds at most twice its period.
 */
export class Silence {
  readonly #traffic: Traffic;
  readonly #periodMs: number;
  #answers: number;
  #tickedAt: number;
  #silentMs = 0;
  #lastAnswerAt: number;

  constructor(traffic: Traffic, periodMs: number, now: number) {
    this.#traffic = traffic;
    this.#periodMs = periodMs;
    this.#answers = traffic.answers;
    this.#tickedAt = now;
    this.#lastAnswerAt = now;
  }

  get silentMs(): number {
    return this.#silentMs;
  }
  /** When an answer was last noticed, by the clock that the ticks carry. */
  get lastAnswerAt(): number {
    return this.#lastAnswerAt;
  }

  /** `answered`: something came since the last tick; `waiting`: nothing did although requests are out; `idle`: none is out. */
  tick(now: number): Verdict {
    const elapsed = Math.min(now - this.#tickedAt, 2 * this.#periodMs);
    this.#tickedAt = now;
    if (this.#traffic.answers !== this.#answers) {
      this.#answers = this.#traffic.answers;
      this.#silentMs = 0;
      this.#lastAnswerAt = now;
      return 'answered';
    }
    if (this.#traffic.inFlight === 0) {
      this.#silentMs = 0;
      return 'idle';
    }
    this.#silentMs += elapsed;
    return 'waiting';
  }
}
