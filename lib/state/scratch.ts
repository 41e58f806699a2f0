/**
 * Room for row numbers that are needed until a call returns, reused by all: state is touched by one thread and one call
 * at a time. It only grows, to the largest batch.
 */
export class ScratchRows {
  #rows = new Int32Array(1024);

  atLeast(length: number): Int32Array {
    if (this.#rows.length < length) this.#rows = new Int32Array(Math.max(length, this.#rows.length * 2));
    return this.#rows;
  }
}
