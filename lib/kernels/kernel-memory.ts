import type { Batch } from '../data/batch.ts';
import { bitmap, type Column, isValid } from '../data/column.ts';
import type { DataType } from '../data/data-type.ts';
import { finishHash, mixInteger } from '../data/key-hash.ts';
import type { Schema } from '../data/schema.ts';
import type { Width } from '../expressions/generate.ts';
import type { TumblingWindow } from './fragment.ts';

/** How one output column is kept while a task runs. */
export interface OutputColumn {
  readonly type: DataType;
  readonly kind: Exclude<Column['kind'], 'dictionary'>;
}

export function outputColumn(type: DataType, width: Width): OutputColumn {
  return { type, kind: kindOf(type, width) };
}

function kindOf(type: DataType, width: Width): OutputColumn['kind'] {
  switch (type.name) {
    case 'BOOLEAN':
      return 'boolean';
    case 'INT':
      return 'int';
    case 'BIGINT':
      return width;
    case 'DOUBLE':
      return 'double';
    case 'TIMESTAMP':
      return 'timestamp';
    case 'STRING':
      return 'utf8';
  }
}

type Values = Uint8Array | Int32Array | Float64Array | BigInt64Array;

function allocate(kind: OutputColumn['kind'], rows: number): Values {
  switch (kind) {
    case 'boolean':
      return new Uint8Array(rows);
    case 'int':
    case 'utf8':
      return new Int32Array(rows);
    case 'wide':
      return new BigInt64Array(rows);
    default:
      return new Float64Array(rows);
  }
}

const rowsAtFirst = 1024;
/** Heaps beyond this are not kept for the next task. */
const heapBytesKept = 1 << 20;
const empty = new Uint8Array(0);

/**
 * What a kernel writes into: growing columns, and for a local aggregate the open-addressing table over them. It is kept
 * from task to task; what a task yields is cut out of it (`batch`), so that a result owns its buffers.
 *
 * The table has at least twice as many slots as there is room for groups, so that a free slot always ends a search.
 * Generated code holds all arrays in variables and takes them anew after `grow` and `growHeap`.
 */
export class KernelMemory {
  readonly columns: readonly OutputColumn[];
  /** For `utf8`, where texts start. */
  readonly values: Values[];
  readonly validity: (Uint8Array | undefined)[];
  readonly ends: Int32Array[];
  readonly heaps: Uint8Array[];
  readonly heapLengths: number[];
  /** Hash of the keys of each row; only for partials. */
  hashes: Int32Array;
  /** Group at a slot, -1 where it is free; only with `local`. */
  slots: Int32Array;
  capacity: number;
  rows = 0;
  rowsIn = 0;
  rowsPassed = 0;
  maxEventTime = Number.NEGATIVE_INFINITY;
  readonly #window: TumblingWindow | undefined;
  readonly #local: boolean;

  constructor(columns: readonly OutputColumn[], window: TumblingWindow | undefined, local: boolean) {
    this.columns = columns;
    this.#window = window;
    this.#local = local;
    this.capacity = rowsAtFirst;
    this.values = columns.map(column => allocate(column.kind, rowsAtFirst));
    this.validity = columns.map(column => (column.type.nullable ? bitmap(rowsAtFirst, false) : undefined));
    this.ends = columns.map(column => new Int32Array(column.kind === 'utf8' ? rowsAtFirst : 0));
    this.heaps = columns.map(column => (column.kind === 'utf8' ? new Uint8Array(4096) : empty));
    this.heapLengths = columns.map(() => 0);
    this.hashes = new Int32Array(rowsAtFirst);
    this.slots = new Int32Array(local ? rowsAtFirst * 2 : 0).fill(-1);
  }

  /** Forgets the rows of the task before. */
  reset(): void {
    this.rows = 0;
    this.rowsIn = 0;
    this.rowsPassed = 0;
    this.maxEventTime = Number.NEGATIVE_INFINITY;
    if (this.#local) this.slots.fill(-1);
    this.columns.forEach((_, c) => {
      this.heapLengths[c] = 0;
      if (this.heaps[c]!.length > heapBytesKept) this.heaps[c] = new Uint8Array(4096);
    });
  }

  /** Doubles the room for rows. */
  grow(rows: number): void {
    this.rows = rows;
    this.capacity *= 2;
    this.columns.forEach((column, c) => {
      const grown = allocate(column.kind, this.capacity);
      (grown as Float64Array).set(this.values[c] as Float64Array);
      this.values[c] = grown;
      const validity = this.validity[c];
      if (validity !== undefined) {
        const bits = bitmap(this.capacity, false);
        bits.set(validity);
        this.validity[c] = bits;
      }
      if (column.kind === 'utf8') {
        const ends = new Int32Array(this.capacity);
        ends.set(this.ends[c]!);
        this.ends[c] = ends;
      }
    });
    const hashes = new Int32Array(this.capacity);
    hashes.set(this.hashes);
    this.hashes = hashes;
    if (this.#local) this.#rehash();
  }

  #rehash(): void {
    const slots = new Int32Array(this.capacity * 2).fill(-1);
    const mask = slots.length - 1;
    const starts = this.#window === undefined ? undefined : (this.values[0] as Float64Array);
    for (let g = 0; g < this.rows; g++) {
      const windowed = starts === undefined ? 0 : windowHash(starts[g]!);
      let at = (this.hashes[g]! ^ windowed) & mask;
      while (slots[at]! >= 0) at = (at + 1) & mask;
      slots[at] = g;
    }
    this.slots = slots;
  }

  /** Makes room for `bytes` more bytes of text behind `length`. */
  growHeap(column: number, length: number, bytes: number): Uint8Array {
    const grown = new Uint8Array(Math.max(this.heaps[column]!.length * 2, length + bytes));
    grown.set(this.heaps[column]!.subarray(0, length));
    this.heaps[column] = grown;
    return grown;
  }

  /** The rows written so far, in buffers of their own. */
  batch(schema: Schema): Batch {
    return { schema, rows: this.rows, columns: this.columns.map((_, c) => this.#column(c)) };
  }

  #column(c: number): Column {
    const { kind } = this.columns[c]!;
    const { rows } = this;
    const validity = cutValidity(this.validity[c], rows);
    const values = this.values[c]!.slice(0, rows);
    switch (kind) {
      case 'boolean':
        return { kind, values: values as Uint8Array, validity };
      case 'int':
        return { kind, values: values as Int32Array, validity };
      case 'wide':
        return narrowed(values as BigInt64Array, validity);
      case 'utf8':
        return packed(this.heaps[c]!, values as Int32Array, this.ends[c]!.slice(0, rows), validity);
      default:
        return { kind, values: values as Float64Array, validity };
    }
  }
}

/** Spreads the groups of a key over the table by window. */
export function windowHash(start: number): number {
  return finishHash(mixInteger(0, start));
}

/** undefined where no row is NULL. Bits behind the last row are 0. */
function cutValidity(validity: Uint8Array | undefined, rows: number): Uint8Array | undefined {
  if (validity === undefined) return undefined;
  const bits = validity.slice(0, (rows + 7) >> 3);
  const last = rows & 7;
  if (last > 0) bits[bits.length - 1] = bits[bits.length - 1]! & ((1 << last) - 1);
  const whole = rows >> 3;
  let all = last === 0 || bits[whole] === (1 << last) - 1;
  for (let i = 0; all && i < whole; i++) all = bits[i] === 255;
  return all ? undefined : bits;
}

/** Wide arithmetic may yield values that are narrow after all; the kind of a BIGINT column tells the truth. */
function narrowed(values: BigInt64Array, validity: Uint8Array | undefined): Column {
  const doubles = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) {
    if (!isValid(validity, i)) continue;
    const double = Number(values[i]!);
    if (!Number.isSafeInteger(double)) return { kind: 'wide', values, validity };
    doubles[i] = double;
  }
  return { kind: 'narrow', values: doubles, validity };
}

/** Texts one behind the other: a minimum that was replaced has left its bytes in the heap. */
function packed(heap: Uint8Array, starts: Int32Array, ends: Int32Array, validity: Uint8Array | undefined): Column {
  let length = 0;
  let inOrder = true;
  for (let i = 0; i < starts.length; i++) {
    if (!isValid(validity, i)) {
      starts[i] = length;
      ends[i] = length;
      continue;
    }
    inOrder &&= starts[i] === length;
    length += ends[i]! - starts[i]!;
  }
  if (inOrder) return { kind: 'utf8', bytes: heap.slice(0, length), starts, ends, validity };
  const bytes = new Uint8Array(length);
  let at = 0;
  for (let i = 0; i < starts.length; i++) {
    const start = starts[i]!;
    const end = ends[i]!;
    if (isValid(validity, i)) bytes.set(heap.subarray(start, end), at);
    starts[i] = at;
    at += isValid(validity, i) ? end - start : 0;
    ends[i] = at;
  }
  return { kind: 'utf8', bytes, starts, ends, validity };
}
