import { BraidError } from '../base/errors.ts';
import type { DataType } from '../data/data-type.ts';
import { AccumulatorColumn } from './accumulator-column.ts';
import type { InputColumn } from './input-column.ts';
import { grownBytes, heapBytesMax, type StateColumn } from './state-column.ts';

/** End of a text that is not there yet: the identity of least and greatest. */
const absent = -1;

/**
 * MIN and MAX of STRING, in the order of their UTF-8 bytes, which is the order of code points. Texts lie in one heap; a
 * new extreme takes the place of the old one where it fits, else it goes to the end, and the heap is compacted when
 * more than half of it is no longer used.
 */
export class TextExtremes extends AccumulatorColumn {
  readonly #sign: 1 | -1;
  #heap = new Uint8Array(256);
  #heapLength = 0;
  #usedBytes = 0;
  #starts: Int32Array;
  #ends: Int32Array;

  constructor(type: DataType, op: 'min' | 'max', capacity: number) {
    super(type, capacity);
    this.#sign = op === 'min' ? -1 : 1;
    this.#starts = new Int32Array(capacity);
    this.#ends = new Int32Array(capacity).fill(absent);
  }
  protected get valueBytes(): number {
    return this.#heap.byteLength + this.#starts.byteLength + this.#ends.byteLength;
  }
  protected apply(input: InputColumn, rows: Int32Array, from: number, slots: Int32Array, count: number): void {
    const { bytes, starts, ends } = input.text!;
    for (let i = 0; i < count; i++) {
      const slot = slots[i]!;
      const row = rows[from + i]!;
      const start = starts[row]!;
      const end = ends[row]!;
      if (this.#ends[slot] === absent || this.#compare(bytes, start, end, slot) * this.#sign > 0)
        this.#set(slot, bytes, start, end);
    }
  }
  #compare(bytes: Uint8Array, start: number, end: number, slot: number): number {
    const heap = this.#heap;
    let at = this.#starts[slot]!;
    const atEnd = this.#ends[slot]!;
    let p = start;
    for (; p < end && at < atEnd; p++, at++) {
      const difference = bytes[p]! - heap[at]!;
      if (difference !== 0) return difference;
    }
    return end - p - (atEnd - at);
  }
  #set(slot: number, bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    const before = this.#ends[slot] === absent ? -1 : this.#ends[slot]! - this.#starts[slot]!;
    if (length > before) {
      if (this.#heapLength + length > this.#heap.length) this.#makeRoom(length);
      this.#starts[slot] = this.#heapLength;
      this.#heapLength += length;
    }
    this.#usedBytes += length - Math.max(0, before);
    const at = this.#starts[slot]!;
    for (let p = start; p < end; p++) this.#heap[at + p - start] = bytes[p]!;
    this.#ends[slot] = at + length;
  }
  #makeRoom(length: number): void {
    if (this.#usedBytes * 2 < this.#heapLength) this.#compact();
    const needed = this.#heapLength + length;
    if (needed <= this.#heap.length) return;
    if (needed > heapBytesMax)
      throw new BraidError('STATE_TOO_LARGE', 'the texts of one window need more than 2 GiB', {
        hint: 'use a shorter window',
      });
    this.#heap = grownBytes(this.#heap, needed, heapBytesMax);
  }
  #compact(): void {
    const heap = new Uint8Array(this.#heap.length);
    let length = 0;
    for (let slot = 0; slot < this.#ends.length; slot++) {
      if (this.#ends[slot] === absent) continue;
      const text = this.#heap.subarray(this.#starts[slot]!, this.#ends[slot]!);
      heap.set(text, length);
      this.#starts[slot] = length;
      length += text.length;
      this.#ends[slot] = length;
    }
    this.#heap = heap;
    this.#heapLength = length;
  }
  protected growValues(capacity: number): void {
    const starts = new Int32Array(capacity);
    starts.set(this.#starts);
    const ends = new Int32Array(capacity).fill(absent);
    ends.set(this.#ends);
    this.#starts = starts;
    this.#ends = ends;
  }
  protected clearValues(groups: number): void {
    this.#ends.fill(absent, 0, groups);
    this.#heapLength = 0;
    this.#usedBytes = 0;
  }
  view(): StateColumn {
    const text = { bytes: this.#heap, starts: this.#starts, ends: this.#ends };
    return { type: this.type, validity: this.seen, numbers: undefined, wide: undefined, text };
  }
}
