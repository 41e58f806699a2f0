import { unreachable } from '../base/errors.ts';
import type { DataType } from '../data/data-type.ts';
import { AccumulatorColumn } from './accumulator-column.ts';
import type { GroupRows } from './group-rows.ts';
import type { InputColumn } from './input-column.ts';
import * as loops from './merge-loops.ts';
import type { StateColumn } from './state-column.ts';

interface NumberOperation {
  readonly loop: loops.MergeLoop<Float64Array>;
  readonly identity: number;
}

const maxOperation: NumberOperation = { loop: loops.maxDouble, identity: Number.NEGATIVE_INFINITY };
const minOperation: NumberOperation = { loop: loops.minNumber, identity: Number.POSITIVE_INFINITY };

export const intOperations = {
  sum: { loop: loops.addInt, identity: 0 },
  min: minOperation,
  max: maxOperation,
} as const;
export const doubleOperations = {
  // -0 is what changes no sum, not even that of -0 alone.
  sum: { loop: loops.addDouble, identity: -0 },
  min: { loop: loops.minDouble, identity: Number.NaN },
  max: maxOperation,
} as const;
export const timestampOperations = { min: minOperation, max: maxOperation } as const;

/** INT, DOUBLE and TIMESTAMP. */
export class NumberAccumulator extends AccumulatorColumn {
  readonly #operation: NumberOperation;

  constructor(type: DataType, rows: GroupRows, field: number, operation: NumberOperation) {
    super(type, rows, field);
    this.#operation = operation;
  }
  protected begin(from: number, to: number): void {
    beginDoubles(this.rows, this.field, from, to, this.#operation.identity);
  }
  protected apply(input: InputColumn, rows: Int32Array, from: number, slots: Int32Array, count: number): void {
    const { doubles, fields } = this.rows;
    this.#operation.loop(doubles, fields, this.field, input.doubles(), rows, from, slots, count);
  }
  view(): StateColumn {
    const { type, field, seen } = this;
    const { fields, doubles, words } = this.rows;
    return { type, fields, field, validity: seen, doubles, wides: undefined, words, heap: undefined };
  }
}

const bigintOperations = {
  sum: { identity: 0, wideLoop: loops.addWide, wideIdentity: 0n },
  min: { identity: Number.POSITIVE_INFINITY, wideLoop: loops.minWide, wideIdentity: 2n ** 63n - 1n },
  max: { identity: Number.NEGATIVE_INFINITY, wideLoop: loops.maxWide, wideIdentity: -(2n ** 63n) },
} as const;

/** BIGINT: doubles while every value is a safe integer; from the first on that is not, the whole column is 64 bits wide. */
export class BigintAccumulator extends AccumulatorColumn {
  readonly #op: keyof typeof bigintOperations;
  #isWide = false;

  constructor(type: DataType, rows: GroupRows, field: number, op: 'count' | 'sum' | 'min' | 'max') {
    super(type, rows, field);
    // Counts merge by adding them up.
    this.#op = op === 'count' ? 'sum' : op;
  }
  protected begin(from: number, to: number): void {
    const { identity, wideIdentity } = bigintOperations[this.#op];
    if (!this.#isWide) {
      beginDoubles(this.rows, this.field, from, to, identity);
      return;
    }
    const { wides, fields } = this.rows;
    for (let slot = from; slot < to; slot++) wides[slot * fields + this.field] = wideIdentity;
  }
  protected apply(
    input: InputColumn,
    rows: Int32Array,
    from: number,
    slots: Int32Array,
    count: number,
    groups: number,
  ): void {
    const done = this.#isWide || input.isWide ? 0 : this.#applyNarrow(input.doubles(), rows, from, slots, count);
    if (done === count) return;
    if (!this.#isWide) this.#widen(groups);
    const { wides, fields } = this.rows;
    const { wideLoop } = bigintOperations[this.#op];
    const rest = done === 0 ? slots : slots.subarray(done);
    wideLoop(wides, fields, this.field, input.wide(), rows, from + done, rest, count - done);
  }
  /** How many of the partials went in without leaving the safe integers. */
  #applyNarrow(values: Float64Array, rows: Int32Array, from: number, slots: Int32Array, count: number): number {
    const { doubles, fields } = this.rows;
    switch (this.#op) {
      case 'sum':
        return loops.addNarrow(doubles, fields, this.field, values, rows, from, slots, count);
      case 'min':
        loops.minNumber(doubles, fields, this.field, values, rows, from, slots, count);
        return count;
      case 'max':
        loops.maxDouble(doubles, fields, this.field, values, rows, from, slots, count);
        return count;
      default:
        return unreachable(this.#op);
    }
  }
  #widen(groups: number): void {
    const { doubles, wides, fields } = this.rows;
    const { wideIdentity } = bigintOperations[this.#op];
    for (let slot = 0; slot < groups; slot++) {
      const at = slot * fields + this.field;
      const value = doubles[at]!;
      wides[at] = Number.isFinite(value) ? BigInt(value) : wideIdentity;
    }
    this.#isWide = true;
  }
  override clear(): void {
    super.clear();
    this.#isWide = false;
  }
  view(): StateColumn {
    const { type, field, seen } = this;
    const { fields, doubles, wides, words } = this.rows;
    return {
      type,
      fields,
      field,
      validity: seen,
      doubles,
      wides: this.#isWide ? wides : undefined,
      words,
      heap: undefined,
    };
  }
}

function beginDoubles(rows: GroupRows, field: number, from: number, to: number, identity: number): void {
  const { doubles, fields } = rows;
  for (let slot = from; slot < to; slot++) doubles[slot * fields + field] = identity;
}
