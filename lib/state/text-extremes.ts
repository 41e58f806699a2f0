import { BraidError } from '../base/errors.ts';
import type { DataType } from '../data/data-type.ts';
import { AccumulatorColumn } from './accumulator-column.ts';
import type { GroupRows } from './group-rows.ts';
import type { InputColumn } from './input-column.ts';
import { grownBytes, heapBytesMax, type StateColumn } from './state-column.ts';

/** End of a text that is not there yet: the identity of least and greatest. */
const absent = -1;

/**
 * MIN and MAX of STRING, in the order of their UTF-8 bytes, which is the order of code points. Texts lie in one heap; a
 * new extreme takes the place of the old one where it fits, else it goes to the end, and the heap is compacted when
 * less than half of it is used.
 */
export class TextExtremes extends AccumulatorColumn {
  readonly #sign: 1 | -1;
  #heap = new Uint8Array(256);
  #heapLength = 0;
  #usedBytes = 0;

  constructor(type: DataType, rows: GroupRows, field: number, op: 'min' | 'max') {
    super(type, rows, field);
    this.#sign = op === 'min' ? -1 : 1;
  }
  override get bytes(): number {
    return super.bytes + this.#heap.byteLength;
  }
  #cell(slot: number): number {
    return 2 * (slot * this.rows.fields + this.field);
  }
  protected begin(from: number, to: number): void {
    const { words } = this.rows;
    for (let slot = from; slot < to; slot++) {
      const cell = this.#cell(slot);
      words[cell] = 0;
      words[cell + 1] = absent;
    }
  }
  protected apply(
    input: InputColumn,
    rows: Int32Array,
    from: number,
    slots: Int32Array,
    count: number,
    groups: number,
  ): void {
    const { bytes, starts, ends } = input.text!;
    for (let i = 0; i < count; i++) {
      const slot = slots[i]!;
      const row = rows[from + i]!;
      if (this.#isBeyond(slot, bytes, starts[row]!, ends[row]!))
        this.#set(slot, bytes, starts[row]!, ends[row]!, groups);
    }
  }
  #isBeyond(slot: number, bytes: Uint8Array, start: number, end: number): boolean {
    const cell = this.#cell(slot);
    let at = this.rows.words[cell]!;
    const atEnd = this.rows.words[cell + 1]!;
    if (atEnd === absent) return true;
    let p = start;
    while (p < end && at < atEnd && bytes[p] === this.#heap[at]) {
      p++;
      at++;
    }
    const order = p < end && at < atEnd ? bytes[p]! - this.#heap[at]! : end - p - (atEnd - at);
    return order * this.#sign > 0;
  }
  #set(slot: number, bytes: Uint8Array, start: number, end: number, groups: number): void {
    const { words } = this.rows;
    const cell = this.#cell(slot);
    const length = end - start;
    const before = words[cell + 1] === absent ? absent : words[cell + 1]! - words[cell]!;
    if (length > before) {
      this.#makeRoom(length, groups);
      words[cell] = this.#heapLength;
      this.#heapLength += length;
    }
    this.#usedBytes += length - Math.max(0, before);
    const at = words[cell]!;
    for (let i = 0; i < length; i++) this.#heap[at + i] = bytes[start + i]!;
    words[cell + 1] = at + length;
  }
  #makeRoom(length: number, groups: number): void {
    if (this.#heapLength + length <= this.#heap.length) return;
    if (this.#usedBytes * 2 < this.#heapLength) this.#compact(groups);
    const needed = this.#heapLength + length;
    if (needed <= this.#heap.length) return;
    if (needed > heapBytesMax)
      throw new BraidError('STATE_TOO_LARGE', 'the texts of one window need more than 2 GiB', {
        hint: 'use a shorter window',
      });
    this.#heap = grownBytes(this.#heap, needed, heapBytesMax);
  }
  #compact(groups: number): void {
    const { words } = this.rows;
    const heap = new Uint8Array(this.#heap.length);
    let length = 0;
    for (let slot = 0; slot < groups; slot++) {
      const cell = this.#cell(slot);
      if (words[cell + 1] === absent) continue;
      const text = this.#heap.subarray(words[cell]!, words[cell + 1]!);
      heap.set(text, length);
      words[cell] = length;
      length += text.length;
      words[cell + 1] = length;
    }
    this.#heap = heap;
    this.#heapLength = length;
  }
  override clear(): void {
    super.clear();
    this.#heapLength = 0;
    this.#usedBytes = 0;
  }
  view(): StateColumn {
    const { type, field, seen } = this;
    const { fields, doubles, words } = this.rows;
    return { type, fields, field, validity: seen, doubles, wides: undefined, words, heap: this.#heap };
  }
}
