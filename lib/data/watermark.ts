import { assert } from '../base/errors.ts';

/**
 * How a split takes part in the combined watermark.
 * - `active`: its rows arrive, and its watermark bounds the combined one.
 * - `held`: it is silent and its rows are waited for: it bounds the combined watermark as if it were active.
 * - `idle`: it is known to have nothing, or was given up: it does not hold the others back.
 * - `ended`: nothing will ever come of it.
 */
export type SplitState = 'active' | 'held' | 'idle' | 'ended';

interface SplitWatermark {
  state: SplitState;
  /** Watermark of the split alone, ms. */
  at: number;
}

/**
 * Watermarks of the splits of one source and the combined one. A watermark w says: no row with an event time <= w is
 * still to come. Per split it is the greatest event time seen - outOfOrderMs - 1 (Flink's
 * BoundedOutOfOrdernessWatermarks); combined it is the least over the splits that are active or held.
 *
 * Laws: the combined watermark never goes back, so a split that returns from idle rejoins the minimum without moving
 * it, and its rows behind it are late. Where no split is active or held it stays, unless all have ended: then it is
 * Infinity, and only then. A split that was not heard of yet stands at -Infinity and holds everybody back.
 */
export class SplitWatermarks {
  readonly #outOfOrderMs: number | undefined;
  readonly #splits = new Map<number, SplitWatermark>();
  #combined = Number.NEGATIVE_INFINITY;

  /** `outOfOrderMs` undefined: there is no event time, and the only watermark is the final one. */
  constructor(outOfOrderMs: number | undefined) {
    this.#outOfOrderMs = outOfOrderMs;
  }

  /** Event time (ms) that all splits have reached; -Infinity before, Infinity after all of them have ended. */
  get combined(): number {
    return this.#combined;
  }

  /** A split that will be read: from now on nothing passes it. */
  add(split: number): void {
    assert(!this.#splits.has(split), `split ${split} was added twice`);
    this.#splits.set(split, { state: 'active', at: Number.NEGATIVE_INFINITY });
  }

  stateOf(split: number): SplitState {
    return this.#of(split).state;
  }
  /** Watermark of one split, ms. */
  watermarkOf(split: number): number {
    return this.#of(split).at;
  }
  /** Splits that bound the combined watermark just now: those with the least watermark of their own. */
  slowest(): number[] {
    const least = this.#least();
    const out: number[] = [];
    for (const [id, split] of this.#splits) if (takesPart(split) && split.at === least) out.push(id);
    return out;
  }

  /**
   * Rows of the split were handed on, the latest of them at `maxEventTime` (ms; -Infinity where none had one). An idle
   * split is active again; a held one stays held, because what arrived was under way.
   */
  observe(split: number, maxEventTime: number): void {
    const of = this.#of(split);
    assert(of.state !== 'ended', `rows of split ${split} after its end`);
    assert(!Number.isNaN(maxEventTime), 'an event time that is not a number');
    if (of.state === 'idle') of.state = 'active';
    if (this.#outOfOrderMs !== undefined) of.at = Math.max(of.at, maxEventTime - this.#outOfOrderMs - 1);
    this.#advance();
  }

  /** The split has nothing, or is given up: it leaves the minimum. */
  idle(split: number): void {
    this.#move(split, 'idle');
  }
  /** The split is heard again: it takes part in the minimum. */
  wake(split: number): void {
    this.#move(split, 'active');
  }
  /** The split is silent, and is waited for. */
  hold(split: number): void {
    this.#move(split, 'held');
  }
  /** The wait is over and the split has not come back: it becomes idle. Splits that are not held stay as they are. */
  release(split: number): void {
    if (this.#of(split).state === 'held') this.#move(split, 'idle');
  }
  /** Everything of a bounded split was handed on. */
  end(split: number): void {
    const of = this.#of(split);
    of.state = 'ended';
    of.at = Number.POSITIVE_INFINITY;
    this.#advance();
  }

  #of(id: number): SplitWatermark {
    const split = this.#splits.get(id);
    assert(split !== undefined, `there is no split ${id}`);
    return split;
  }

  #move(id: number, state: SplitState): void {
    const split = this.#of(id);
    if (split.state === 'ended') return;
    split.state = state;
    this.#advance();
  }

  #least(): number {
    let least = Number.POSITIVE_INFINITY;
    for (const split of this.#splits.values()) if (takesPart(split) && split.at < least) least = split.at;
    return least;
  }

  /** Infinity over nobody would close windows that an idle split may still fill, so it counts only when all have ended. */
  #advance(): void {
    const least = this.#least();
    if (least === Number.POSITIVE_INFINITY && !this.#allEnded()) return;
    if (least > this.#combined) this.#combined = least;
  }

  #allEnded(): boolean {
    for (const split of this.#splits.values()) if (split.state !== 'ended') return false;
    return true;
  }
}

function takesPart(split: SplitWatermark): boolean {
  return split.state === 'active' || split.state === 'held';
}
