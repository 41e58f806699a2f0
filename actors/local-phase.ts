/**
 * Whether the local phase of an aggregate pays: it costs a hash table in every task and saves the owner the rows that
 * it combines. Measured while the job runs: over each `sampleRows` rows that passed the filter, partials per row are
 * counted; above `partialsPerRowMax` the tasks go on one by one (each row its own partial, the merge is the same), and
 * every `probeEvery`-th task is still combined, so that data that becomes repetitive again is noticed.
 */
export class LocalPhase {
  readonly #onChange: (on: boolean, partialsPerRow: number) => void;
  readonly #partialsPerRowMax: number;
  readonly #sampleRows: number;
  readonly #probeEvery: number;
  #on = true;
  #tasks = 0;
  #rows = 0;
  #partials = 0;

  constructor(
    onChange: (on: boolean, partialsPerRow: number) => void,
    limits: { partialsPerRowMax?: number; sampleRows?: number; probeEvery?: number } = {},
  ) {
    this.#onChange = onChange;
    this.#partialsPerRowMax = limits.partialsPerRowMax ?? 0.8;
    this.#sampleRows = limits.sampleRows ?? 50_000;
    this.#probeEvery = limits.probeEvery ?? 64;
  }

  get on(): boolean {
    return this.#on;
  }

  /** Whether the next task combines. */
  combineNext(): boolean {
    this.#tasks++;
    return this.#on || this.#tasks % this.#probeEvery === 0;
  }

  /** A combining task turned `rows` rows into `partials` partials. */
  measured(rows: number, partials: number): void {
    this.#rows += rows;
    this.#partials += partials;
    if (this.#rows < (this.#on ? this.#sampleRows : this.#sampleRows / 10)) return;
    const partialsPerRow = this.#partials / this.#rows;
    this.#rows = 0;
    this.#partials = 0;
    const pays = partialsPerRow <= this.#partialsPerRowMax;
    if (pays !== this.#on) {
      this.#on = pays;
      this.#onChange(pays, partialsPerRow);
    }
  }
}
