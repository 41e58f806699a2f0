import { assert, BraidError } from '../base/errors.ts';
import { clearBit, isValid } from '../data/column.ts';
import type { DataType } from '../data/data-type.ts';
import type { InputColumn } from './input-column.ts';
import { grownBytes, heapBytesMax, type StateColumn } from './state-column.ts';

/**
 * One key column of a table: row i of the table has the i-th key. Keys are appended and never change. NULL equals NULL:
 * it is a group of its own.
 */
export interface KeyColumn {
  readonly hasNulls: boolean;
  readonly bytes: number;
  equals(slot: number, input: InputColumn, row: number): boolean;
  /** Writes the key of a new row. */
  append(slot: number, input: InputColumn, row: number): void;
  grow(capacity: number): void;
  /** Forgets all keys and keeps the memory. */
  clear(): void;
  view(): StateColumn;
}

abstract class NullableKeys {
  readonly type: DataType;
  /** Bit per row, 1 = present, also for rows that are still to come; undefined until the first NULL key. */
  protected validity: Uint8Array | undefined;

  constructor(type: DataType) {
    this.type = type;
  }

  get hasNulls(): boolean {
    return this.validity !== undefined;
  }

  /** Settles the comparison where one of the two is NULL; undefined where both are present. */
  protected equalNulls(slot: number, input: InputColumn, row: number): boolean | undefined {
    const present = isValid(input.validity, row);
    if (present !== isValid(this.validity, slot)) return false;
    return present ? undefined : true;
  }

  protected appendNull(slot: number, capacity: number): void {
    this.validity ??= new Uint8Array((capacity + 7) >> 3).fill(255);
    clearBit(this.validity, slot);
  }

  protected growNulls(capacity: number): void {
    if (this.validity === undefined) return;
    const grown = new Uint8Array((capacity + 7) >> 3).fill(255);
    grown.set(this.validity);
    this.validity = grown;
  }
}

/** BOOLEAN, INT, DOUBLE, TIMESTAMP, and BIGINT while all keys are safe integers. -0 equals 0, NaN equals NaN. */
export class NumberKeys extends NullableKeys implements KeyColumn {
  values: Float64Array;

  constructor(type: DataType, capacity: number) {
    super(type);
    this.values = new Float64Array(capacity);
  }
  get bytes(): number {
    return this.values.byteLength + (this.validity?.byteLength ?? 0);
  }
  equals(slot: number, input: InputColumn, row: number): boolean {
    const nulls = this.equalNulls(slot, input, row);
    if (nulls !== undefined) return nulls;
    const a = this.values[slot]!;
    const b = input.numbers()[row]!;
    return a === b || (Number.isNaN(a) && Number.isNaN(b));
  }
  append(slot: number, input: InputColumn, row: number): void {
    if (!isValid(input.validity, row)) {
      this.appendNull(slot, this.values.length);
      return;
    }
    this.values[slot] = input.numbers()[row]!;
  }
  grow(capacity: number): void {
    const grown = new Float64Array(capacity);
    grown.set(this.values);
    this.values = grown;
    this.growNulls(capacity);
  }
  clear(): void {
    this.validity = undefined;
  }
  view(): StateColumn {
    const { type, validity, values } = this;
    return { type, validity, numbers: values, wide: undefined, text: undefined };
  }
  /** The same keys as 64-bit integers. */
  widened(rows: number): WideKeys {
    const wide = new WideKeys(this.type, this.values.length);
    for (let slot = 0; slot < rows; slot++) {
      if (isValid(this.validity, slot)) wide.values[slot] = BigInt(this.values[slot]!);
    }
    wide.adoptNulls(this.validity);
    return wide;
  }
}

/** BIGINT from the first key on that is not a safe integer, until the table is cleared. */
export class WideKeys extends NullableKeys implements KeyColumn {
  values: BigInt64Array;
  /** The same memory as pairs of words: comparing those makes no bigint. */
  #words: Int32Array;

  constructor(type: DataType, capacity: number) {
    super(type);
    this.values = new BigInt64Array(capacity);
    this.#words = new Int32Array(this.values.buffer);
  }
  get bytes(): number {
    return this.values.byteLength + (this.validity?.byteLength ?? 0);
  }
  equals(slot: number, input: InputColumn, row: number): boolean {
    const nulls = this.equalNulls(slot, input, row);
    if (nulls !== undefined) return nulls;
    const wide = input.wideWords();
    const words = this.#words;
    return words[slot * 2] === wide[row * 2] && words[slot * 2 + 1] === wide[row * 2 + 1];
  }
  append(slot: number, input: InputColumn, row: number): void {
    if (!isValid(input.validity, row)) {
      this.appendNull(slot, this.values.length);
      return;
    }
    this.values[slot] = input.wide()[row]!;
  }
  grow(capacity: number): void {
    const grown = new BigInt64Array(capacity);
    grown.set(this.values);
    this.values = grown;
    this.#words = new Int32Array(grown.buffer);
    this.growNulls(capacity);
  }
  clear(): void {
    this.validity = undefined;
  }
  adoptNulls(validity: Uint8Array | undefined): void {
    this.validity = validity;
  }
  view(): StateColumn {
    const { type, validity, values } = this;
    return { type, validity, numbers: undefined, wide: values, text: undefined };
  }
}

/** STRING: the UTF-8 of all keys one after the other; key i is `heap[offsets[i], offsets[i + 1])`. */
export class TextKeys extends NullableKeys implements KeyColumn {
  heap = new Uint8Array(256);
  offsets: Int32Array;

  constructor(type: DataType, capacity: number) {
    super(type);
    this.offsets = new Int32Array(capacity + 1);
  }
  get bytes(): number {
    return this.heap.byteLength + this.offsets.byteLength + (this.validity?.byteLength ?? 0);
  }
  equals(slot: number, input: InputColumn, row: number): boolean {
    const nulls = this.equalNulls(slot, input, row);
    if (nulls !== undefined) return nulls;
    const { bytes, starts, ends } = input.text!;
    return this.equalsText(slot, bytes, starts[row]!, ends[row]!);
  }
  equalsText(slot: number, bytes: Uint8Array, start: number, end: number): boolean {
    const { heap, offsets } = this;
    let at = offsets[slot]!;
    if (offsets[slot + 1]! - at !== end - start) return false;
    for (let p = start; p < end; p++) if (heap[at++] !== bytes[p]) return false;
    return true;
  }
  append(slot: number, input: InputColumn, row: number): void {
    if (isValid(input.validity, row)) {
      const { bytes, starts, ends } = input.text!;
      this.appendText(slot, bytes, starts[row]!, ends[row]!);
    } else {
      this.appendNull(slot, this.offsets.length - 1);
      this.offsets[slot + 1] = this.offsets[slot]!;
    }
  }
  appendText(slot: number, bytes: Uint8Array, start: number, end: number): void {
    let at = this.offsets[slot]!;
    const length = at + end - start;
    if (length > this.heap.length) this.#growHeap(length);
    const { heap } = this;
    for (let p = start; p < end; p++) heap[at++] = bytes[p]!;
    this.offsets[slot + 1] = at;
  }
  #growHeap(length: number): void {
    if (length > heapBytesMax)
      throw new BraidError('STATE_TOO_LARGE', 'the text keys of one window need more than 2 GiB', {
        hint: 'use a shorter key or a shorter window',
      });
    this.heap = grownBytes(this.heap, length, heapBytesMax);
  }
  grow(capacity: number): void {
    const grown = new Int32Array(capacity + 1);
    grown.set(this.offsets);
    this.offsets = grown;
    this.growNulls(capacity);
  }
  clear(): void {
    this.validity = undefined;
    assert(this.offsets[0] === 0, 'the first key begins at 0');
  }
  view(): StateColumn {
    const { type, validity, heap, offsets } = this;
    const text = { bytes: heap, starts: offsets, ends: offsets.subarray(1) };
    return { type, validity, numbers: undefined, wide: undefined, text };
  }
}

export function createKeyColumn(type: DataType, capacity: number): KeyColumn {
  return type.name === 'STRING' ? new TextKeys(type, capacity) : new NumberKeys(type, capacity);
}
