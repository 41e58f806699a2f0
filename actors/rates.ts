/** Records per second over the last `windowMs`, from a counter that is sampled now and then. */
export class Rate {
  readonly #windowMs: number;
  readonly #samples: { at: number; count: number }[] = [];

  constructor(windowMs = 1000) {
    this.#windowMs = windowMs;
  }

  sample(at: number, count: number): void {
    this.#samples.push({ at, count });
    while (this.#samples.length > 2 && this.#samples[1]!.at <= at - this.#windowMs) this.#samples.shift();
  }

  get perSecond(): number {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || last.at <= first.at) return 0;
    return ((last.count - first.count) * 1000) / (last.at - first.at);
  }
}
