import { BraidError } from '../base/errors.ts';
import { clearBit, isValid } from '../data/column.ts';
import type { DataType } from '../data/data-type.ts';
import { type GroupRows, grownBits } from './group-rows.ts';
import type { InputColumn, TextSlices } from './input-column.ts';
import { grownBytes, heapBytesMax, type StateColumn } from './state-column.ts';

/** One key column of a table. Keys are appended and never change. NULL equals NULL: it is a group of its own. */
export abstract class KeyColumn {
  readonly type: DataType;
  protected readonly rows: GroupRows;
  protected readonly field: number;
  /** Bit per group, 1 = present, also for groups that are still to come; undefined until the first NULL key. */
  protected validity: Uint8Array | undefined;

  constructor(type: DataType, rows: GroupRows, field: number) {
    this.type = type;
    this.rows = rows;
    this.field = field;
  }

  /** Memory beside the rows. */
  get bytes(): number {
    return this.validity?.byteLength ?? 0;
  }
  /** To be called before a batch is compared with the column or added to it. */
  abstract prepare(input: InputColumn, groups: number): void;
  /** Puts -1 into `slots[i]` where that group has another key than `rows[from + i]` of the input; no NULLs on either side. */
  protected abstract rejectOthers(
    input: InputColumn,
    rows: Int32Array,
    from: number,
    slots: Int32Array,
    count: number,
  ): void;
  protected abstract equalsPresent(slot: number, input: InputColumn, row: number): boolean;
  protected abstract write(slot: number, input: InputColumn, row: number): void;
  abstract view(): StateColumn;

  /** Puts -1 into `slots[i]` where that group has another key than `rows[from + i]` of the input, for i < count. */
  reject(input: InputColumn, rows: Int32Array, from: number, slots: Int32Array, count: number): void {
    if (this.validity === undefined && input.validity === undefined) {
      this.rejectOthers(input, rows, from, slots, count);
      return;
    }
    for (let i = 0; i < count; i++) {
      const slot = slots[i]!;
      if (slot >= 0 && !this.equals(slot, input, rows[from + i]!)) slots[i] = -1;
    }
  }

  equals(slot: number, input: InputColumn, row: number): boolean {
    const present = isValid(input.validity, row);
    if (present !== isValid(this.validity, slot)) return false;
    return !present || this.equalsPresent(slot, input, row);
  }

  /** Writes the key of a new group. */
  append(slot: number, input: InputColumn, row: number): void {
    const { capacity } = this.rows;
    if (this.validity !== undefined && this.validity.length * 8 < capacity)
      this.validity = grownBits(this.validity, capacity, 1);
    if (isValid(input.validity, row)) {
      this.write(slot, input, row);
      return;
    }
    this.validity ??= grownBits(undefined, capacity, 1);
    clearBit(this.validity, slot);
  }

  clear(): void {
    this.validity = undefined;
  }
}

/**
 * BOOLEAN, INT, DOUBLE, TIMESTAMP and BIGINT, as doubles; BIGINT from the first key on that is no safe integer as 64-bit
 * integers, until the table is cleared. -0 equals 0, and NaN equals NaN.
 */
export class NumberKeys extends KeyColumn {
  #isWide = false;

  prepare(input: InputColumn, groups: number): void {
    if (!input.isWide || this.#isWide) return;
    const { doubles, wides, fields } = this.rows;
    for (let slot = 0; slot < groups; slot++) {
      const at = slot * fields + this.field;
      if (isValid(this.validity, slot)) wides[at] = BigInt(doubles[at]!);
    }
    this.#isWide = true;
  }
  protected rejectOthers(input: InputColumn, rows: Int32Array, from: number, slots: Int32Array, count: number): void {
    if (this.#isWide) this.#rejectWide(input.wideWords(), rows, from, slots, count);
    else this.#rejectDoubles(input.doubles(), rows, from, slots, count);
  }
  #rejectDoubles(values: Float64Array, rows: Int32Array, from: number, slots: Int32Array, count: number): void {
    const { doubles, fields } = this.rows;
    const { field } = this;
    for (let i = 0; i < count; i++) {
      const slot = slots[i]!;
      // A NaN is rejected here and found by `equals`.
      if (slot >= 0 && doubles[slot * fields + field] !== values[rows[from + i]!]) slots[i] = -1;
    }
  }
  /** Compares words: reading a 64-bit integer would make a bigint. */
  #rejectWide(values: Int32Array, rows: Int32Array, from: number, slots: Int32Array, count: number): void {
    const { words, fields } = this.rows;
    const { field } = this;
    for (let i = 0; i < count; i++) {
      const slot = slots[i]!;
      if (slot < 0) continue;
      const at = 2 * (slot * fields + field);
      const row = 2 * rows[from + i]!;
      if (words[at] !== values[row] || words[at + 1] !== values[row + 1]) slots[i] = -1;
    }
  }
  protected equalsPresent(slot: number, input: InputColumn, row: number): boolean {
    const at = slot * this.rows.fields + this.field;
    if (this.#isWide) return this.rows.wides[at] === input.wide()[row];
    const a = this.rows.doubles[at]!;
    const b = input.doubles()[row]!;
    return a === b || (Number.isNaN(a) && Number.isNaN(b));
  }
  protected write(slot: number, input: InputColumn, row: number): void {
    const at = slot * this.rows.fields + this.field;
    if (this.#isWide) this.rows.wides[at] = input.wide()[row]!;
    // One group has one form of its key, whichever came first: -0 becomes 0.
    else this.rows.doubles[at] = input.doubles()[row]! + 0;
  }
  override clear(): void {
    super.clear();
    this.#isWide = false;
  }
  view(): StateColumn {
    const { type, field, validity } = this;
    const { fields, doubles, wides, words } = this.rows;
    return { type, fields, field, validity, doubles, wides: this.#isWide ? wides : undefined, words, heap: undefined };
  }
}

const textsPerPass = 1024;
/** Where the texts of a pass begin; what is behind them keeps the engine from leaving the second pass out. */
const textStarts = new Int32Array(textsPerPass + 1);

/** STRING: start and end in a heap that holds the UTF-8 of all keys one after the other. */
export class TextKeys extends KeyColumn {
  #heap = new Uint8Array(256);
  #heapLength = 0;

  override get bytes(): number {
    return super.bytes + this.#heap.byteLength;
  }
  prepare(): void {}
  protected rejectOthers(input: InputColumn, rows: Int32Array, from: number, slots: Int32Array, count: number): void {
    // Piece by piece, so that what was touched is still near when it is compared.
    for (let done = 0; done < count; done += textsPerPass)
      this.#rejectTexts(input.text!, rows, from, slots, done, Math.min(count, done + textsPerPass));
  }
  /**
   * Three passes: the first rejects other lengths, which reads the rows; the second touches the texts; only the third
   * compares, and by then it waits for nothing. A loop over the bytes of one text after the other would wait for each.
   */
  #rejectTexts(text: TextSlices, rows: Int32Array, from: number, slots: Int32Array, begin: number, end: number): void {
    const { bytes, starts, ends } = text;
    const { words, fields } = this.rows;
    const { field } = this;
    const heap = this.#heap;
    for (let i = begin; i < end; i++) {
      const slot = slots[i]!;
      // What is rejected already touches the beginning.
      textStarts[i - begin] = 0;
      if (slot < 0) continue;
      const row = rows[from + i]!;
      const cell = 2 * (slot * fields + field);
      const at = words[cell]!;
      textStarts[i - begin] = at;
      if (words[cell + 1]! - at !== ends[row]! - starts[row]!) slots[i] = -1;
    }
    let touched = 0;
    for (let i = 0; i < end - begin; i++) touched ^= heap[textStarts[i]!]!;
    textStarts[textsPerPass] = touched;
    for (let i = begin; i < end; i++) {
      if (slots[i]! < 0) continue;
      const row = rows[from + i]!;
      const last = ends[row]!;
      let at = textStarts[i - begin]!;
      let p = starts[row]!;
      while (p < last && heap[at] === bytes[p]) {
        p++;
        at++;
      }
      if (p < last) slots[i] = -1;
    }
  }
  protected equalsPresent(slot: number, input: InputColumn, row: number): boolean {
    const { bytes, starts, ends } = input.text!;
    const { words, fields } = this.rows;
    const cell = 2 * (slot * fields + this.field);
    const start = starts[row]!;
    const length = ends[row]! - start;
    const at = words[cell]!;
    if (words[cell + 1]! - at !== length) return false;
    for (let i = 0; i < length; i++) if (this.#heap[at + i] !== bytes[start + i]) return false;
    return true;
  }
  protected write(slot: number, input: InputColumn, row: number): void {
    const { bytes, starts, ends } = input.text!;
    const start = starts[row]!;
    const length = ends[row]! - start;
    const at = this.#heapLength;
    if (at + length > this.#heap.length) this.#growHeap(at + length);
    const heap = this.#heap;
    for (let i = 0; i < length; i++) heap[at + i] = bytes[start + i]!;
    this.#heapLength = at + length;
    const cell = 2 * (slot * this.rows.fields + this.field);
    this.rows.words[cell] = at;
    this.rows.words[cell + 1] = at + length;
  }
  #growHeap(length: number): void {
    if (length > heapBytesMax)
      throw new BraidError('STATE_TOO_LARGE', 'the text keys of one window need more than 2 GiB', {
        hint: 'use a shorter key or a shorter window',
      });
    this.#heap = grownBytes(this.#heap, length, heapBytesMax);
  }
  override clear(): void {
    super.clear();
    this.#heapLength = 0;
  }
  view(): StateColumn {
    const { type, field, validity } = this;
    const { fields, doubles, words } = this.rows;
    return { type, fields, field, validity, doubles, wides: undefined, words, heap: this.#heap };
  }
}

export function createKeyColumn(type: DataType, rows: GroupRows, field: number): KeyColumn {
  return type.name === 'STRING' ? new TextKeys(type, rows, field) : new NumberKeys(type, rows, field);
}
