import type { DataType } from '../data/data-type.ts';
import { AccumulatorColumn, type StateAccumulator } from './accumulator-column.ts';
import type { InputColumn } from './input-column.ts';
import * as loops from './merge-loops.ts';
import type { StateColumn } from './state-column.ts';

type NumberOp = 'sum' | 'min' | 'max';

const intOps = {
  sum: { loop: loops.addInt, identity: 0 },
  min: { loop: loops.minInt, identity: 2 ** 31 - 1 },
  max: { loop: loops.maxInt, identity: -(2 ** 31) },
} as const;

/** INT. */
export class IntAccumulator extends AccumulatorColumn {
  readonly #op: (typeof intOps)[NumberOp];
  #values: Int32Array;

  constructor(type: DataType, op: NumberOp, capacity: number) {
    super(type, capacity);
    this.#op = intOps[op];
    this.#values = new Int32Array(capacity).fill(this.#op.identity);
  }
  protected get valueBytes(): number {
    return this.#values.byteLength;
  }
  protected apply(input: InputColumn, rows: Int32Array, from: number, slots: Int32Array, count: number): void {
    this.#op.loop(this.#values, input.ints(), rows, from, slots, count);
  }
  protected growValues(capacity: number): void {
    const grown = new Int32Array(capacity);
    grown.set(this.#values);
    grown.fill(this.#op.identity, this.#values.length);
    this.#values = grown;
  }
  protected clearValues(groups: number): void {
    this.#values.fill(this.#op.identity, 0, groups);
  }
  view(): StateColumn {
    return { type: this.type, validity: this.seen, numbers: this.#values, wide: undefined, text: undefined };
  }
}

const doubleOps = {
  sum: { loop: loops.addDouble, identity: -0 },
  min: { loop: loops.minDouble, identity: Number.NaN },
  max: { loop: loops.maxDouble, identity: Number.NEGATIVE_INFINITY },
} as const;

/** DOUBLE and TIMESTAMP. */
export class DoubleAccumulator extends AccumulatorColumn {
  readonly #op: (typeof doubleOps)[NumberOp];
  #values: Float64Array;

  constructor(type: DataType, op: NumberOp, capacity: number) {
    super(type, capacity);
    this.#op = doubleOps[op];
    this.#values = new Float64Array(capacity).fill(this.#op.identity);
  }
  protected get valueBytes(): number {
    return this.#values.byteLength;
  }
  protected apply(input: InputColumn, rows: Int32Array, from: number, slots: Int32Array, count: number): void {
    this.#op.loop(this.#values, input.numbers(), rows, from, slots, count);
  }
  protected growValues(capacity: number): void {
    const grown = new Float64Array(capacity);
    grown.set(this.#values);
    grown.fill(this.#op.identity, this.#values.length);
    this.#values = grown;
  }
  protected clearValues(groups: number): void {
    this.#values.fill(this.#op.identity, 0, groups);
  }
  view(): StateColumn {
    return { type: this.type, validity: this.seen, numbers: this.#values, wide: undefined, text: undefined };
  }
}

const bigintOps = {
  sum: { identity: 0, wideLoop: loops.addWide, wideIdentity: 0n },
  min: { identity: Number.POSITIVE_INFINITY, wideLoop: loops.minWide, wideIdentity: 2n ** 63n - 1n },
  max: { identity: Number.NEGATIVE_INFINITY, wideLoop: loops.maxWide, wideIdentity: -(2n ** 63n) },
} as const;

/** BIGINT: doubles while every value is a safe integer; from the first on that is not, the whole column is 64 bits wide. */
export class BigintAccumulator extends AccumulatorColumn {
  readonly #name: NumberOp;
  readonly #op: (typeof bigintOps)[NumberOp];
  #narrow: Float64Array | undefined;
  #wide: BigInt64Array | undefined;

  constructor(type: DataType, op: StateAccumulator['op'], capacity: number) {
    super(type, capacity);
    // A count merges by adding up.
    this.#name = op === 'count' ? 'sum' : op;
    this.#op = bigintOps[this.#name];
    this.#narrow = new Float64Array(capacity).fill(this.#op.identity);
  }
  protected get valueBytes(): number {
    return (this.#narrow ?? this.#wide!).byteLength;
  }
  protected apply(input: InputColumn, rows: Int32Array, from: number, slots: Int32Array, count: number): void {
    let done = 0;
    if (this.#narrow !== undefined && !input.isWide) {
      const values = input.numbers();
      switch (this.#name) {
        case 'sum':
          done = loops.addNarrow(this.#narrow, values, rows, from, slots, count);
          break;
        case 'min':
          loops.minNarrow(this.#narrow, values, rows, from, slots, count);
          return;
        case 'max':
          loops.maxNarrow(this.#narrow, values, rows, from, slots, count);
          return;
      }
      if (done === count) return;
    }
    this.#widen();
    const rest = done === 0 ? slots : slots.subarray(done);
    this.#op.wideLoop(this.#wide!, input.wide(), rows, from + done, rest, count - done);
  }
  #widen(): void {
    const narrow = this.#narrow;
    if (narrow === undefined) return;
    const { wideIdentity } = this.#op;
    const wide = new BigInt64Array(narrow.length);
    for (let slot = 0; slot < wide.length; slot++) {
      const value = narrow[slot]!;
      wide[slot] = Number.isFinite(value) ? BigInt(value) : wideIdentity;
    }
    this.#wide = wide;
    this.#narrow = undefined;
  }
  protected growValues(capacity: number): void {
    if (this.#narrow !== undefined) {
      const grown = new Float64Array(capacity);
      grown.set(this.#narrow);
      grown.fill(this.#op.identity, this.#narrow.length);
      this.#narrow = grown;
    } else {
      const grown = new BigInt64Array(capacity);
      grown.set(this.#wide!);
      grown.fill(this.#op.wideIdentity, this.#wide!.length);
      this.#wide = grown;
    }
  }
  protected clearValues(groups: number): void {
    if (this.#narrow !== undefined) this.#narrow.fill(this.#op.identity, 0, groups);
    else {
      this.#narrow = new Float64Array(this.#wide!.length).fill(this.#op.identity);
      this.#wide = undefined;
    }
  }
  view(): StateColumn {
    return { type: this.type, validity: this.seen, numbers: this.#narrow, wide: this.#wide, text: undefined };
  }
}
