import { crc32c } from '../base/crc32c.ts';
import { BraidError } from '../base/errors.ts';
import type { DataType, TypeName } from '../data/data-type.ts';
import type { StoredColumn } from './gather.ts';
import type { GroupLayout } from './group-table.ts';

/** Groups of one key group: for each window its groups, window after window in all columns. */
export interface KeyGroupState {
  readonly windows: readonly WindowGroups[];
  /** Hash of each group's keys. */
  readonly hashes: Int32Array;
  /** Keys, then accumulators, as the layout has them. */
  readonly columns: readonly StoredColumn[];
}

export interface WindowGroups {
  /** Window start, ms. */
  readonly start: number;
  readonly groups: number;
}

/*
 * Bytes of a key group, format 1. Little-endian; every section is padded with zeros to 8 bytes, so that it can be read
 * as a typed array.
 *   int32 magic, int32 format, int32 windows, int32 groups, int32 columns, int32 0
 *   windows x float64 start; windows x int32 groups
 *   groups x int32 hash
 *   for each column: int32 op (0 for a key), int32 kind, int32 1 if there is validity, int32 length of its text
 *     validity, if any: ceil(groups / 8) bytes
 *     values: groups x 1, 4 or 8 bytes, by kind; for texts groups x int32 end, then the UTF-8
 *   int32 CRC-32C of everything before, int32 0
 */
const magic = 0x47_44_52_42; // "BRDG"
const format = 1;
const headerBytes = 24;
const columnHeaderBytes = 16;
const trailerBytes = 8;

const kindCodes = {
  boolean: 1,
  int: 2,
  double: 3,
  timestamp: 4,
  narrow: 5,
  wide: 6,
  utf8: 7,
} as const satisfies Record<StoredColumn['kind'], number>;
const opCodes = { count: 1, sum: 2, min: 3, max: 4 } as const;
const keyOp = 0;

type StoredKind = StoredColumn['kind'];

const kindsOf: Readonly<Record<TypeName, readonly StoredKind[]>> = {
  BOOLEAN: ['boolean'],
  INT: ['int'],
  DOUBLE: ['double'],
  TIMESTAMP: ['timestamp'],
  BIGINT: ['narrow', 'wide'],
  STRING: ['utf8'],
};

function valueBytes(kind: StoredKind): number {
  switch (kind) {
    case 'boolean':
      return 1;
    case 'int':
    case 'utf8':
      return 4;
    default:
      return 8;
  }
}

function padded(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}

interface ColumnSpec {
  readonly op: number;
  readonly type: DataType;
}

function columnSpecs(layout: GroupLayout): ColumnSpec[] {
  return [
    ...layout.keys.map(type => ({ op: keyOp, type })),
    ...layout.accumulators.map(({ op, type }) => ({ op: opCodes[op], type })),
  ];
}

export function encodeKeyGroup(layout: GroupLayout, state: KeyGroupState): Uint8Array {
  const { windows, hashes, columns } = state;
  const groups = hashes.length;
  let length = headerBytes + windows.length * 8 + padded(windows.length * 4) + padded(groups * 4) + trailerBytes;
  for (const column of columns) length += columnHeaderBytes + columnBytes(column, groups);
  const bytes = new Uint8Array(length);
  const { buffer } = bytes;
  let at = headerBytes;
  new Int32Array(buffer, 0, 6).set([magic, format, windows.length, groups, columns.length, 0]);
  new Float64Array(buffer, at, windows.length).set(windows.map(window => window.start));
  at += windows.length * 8;
  new Int32Array(buffer, at, windows.length).set(windows.map(window => window.groups));
  at += padded(windows.length * 4);
  new Int32Array(buffer, at, groups).set(hashes);
  at += padded(groups * 4);
  columnSpecs(layout).forEach(({ op }, c) => {
    const column = columns[c]!;
    const textLength = column.kind === 'utf8' ? column.bytes.length : 0;
    const nullable = column.validity === undefined ? 0 : 1;
    new Int32Array(buffer, at, 4).set([op, kindCodes[column.kind], nullable, textLength]);
    at += columnHeaderBytes;
    if (column.validity !== undefined) {
      bytes.set(column.validity.subarray(0, (groups + 7) >> 3), at);
      at += padded((groups + 7) >> 3);
    }
    at = writeValues(bytes, at, column, groups);
  });
  new Int32Array(buffer, at, 1)[0] = crc32c(bytes, 0, at);
  return bytes;
}

function columnBytes(column: StoredColumn, groups: number): number {
  const validity = column.validity === undefined ? 0 : padded((groups + 7) >> 3);
  const text = column.kind === 'utf8' ? padded(column.bytes.length) : 0;
  return validity + padded(groups * valueBytes(column.kind)) + text;
}

function writeValues(bytes: Uint8Array, at: number, column: StoredColumn, groups: number): number {
  const values = column.kind === 'utf8' ? column.ends : column.values;
  const size = groups * valueBytes(column.kind);
  bytes.set(new Uint8Array(values.buffer, values.byteOffset, size), at);
  const behind = at + padded(size);
  if (column.kind !== 'utf8') return behind;
  bytes.set(column.bytes, behind);
  return behind + padded(column.bytes.length);
}

/**
 * The inverse. Everything is checked before it is believed; `place` names where the bytes came from.
 * Errors: SNAPSHOT_CORRUPT for bytes that were changed or cut; SCHEMA_MISMATCH for the state of another aggregate.
 */
export function decodeKeyGroup(layout: GroupLayout, encoded: Uint8Array, place: string): KeyGroupState {
  const reader = new SectionReader(encoded, place);
  const [, , windowCount = 0, groupCount = 0, columnCount] = reader.ints(6, 'the head');
  if (windowCount < 0 || groupCount < 0) reader.corrupt('a count is negative');
  const starts = reader.doubles(windowCount, 'the list of windows');
  const sizes = reader.ints(windowCount, 'the list of windows');
  if (sizes.some(size => size <= 0) || sizes.reduce((sum, size) => sum + size, 0) !== groupCount)
    reader.corrupt('its windows do not add up to its groups');
  if (!starts.every(Number.isSafeInteger)) reader.corrupt('the start of a window is no time');
  const hashes = reader.ints(groupCount, 'the list of hashes');
  const specs = columnSpecs(layout);
  if (columnCount !== specs.length) reader.mismatch(`it has ${columnCount} columns and not ${specs.length}`);
  const columns = specs.map((spec, c) => readColumn(reader, spec, groupCount, `column ${c}`));
  reader.finish();
  const windows = Array.from(starts, (start, w) => ({ start, groups: sizes[w]! }));
  return { windows, hashes, columns };
}

function readColumn(reader: SectionReader, { op, type }: ColumnSpec, groups: number, name: string): StoredColumn {
  const [opRead, kindRead, nullable, textLength = 0] = reader.ints(4, name);
  const kind = kindsOf[type.name].find(candidate => kindCodes[candidate] === kindRead);
  if (opRead !== op || kind === undefined) return reader.mismatch(`${name} is of another kind`);
  const validity = nullable === 0 ? undefined : reader.bytes((groups + 7) >> 3, name);
  switch (kind) {
    case 'boolean':
      return { kind, values: reader.bytes(groups, name), validity };
    case 'int':
      return { kind, values: reader.ints(groups, name), validity };
    case 'double':
    case 'timestamp':
    case 'narrow':
      return { kind, values: reader.doubles(groups, name), validity };
    case 'wide':
      return { kind, values: reader.bigints(groups, name), validity };
    case 'utf8': {
      const ends = reader.ints(groups, name);
      const bytes = reader.bytes(textLength, name);
      const starts = new Int32Array(groups);
      for (let i = 1; i < groups; i++) starts[i] = ends[i - 1]!;
      if (ends.some((end, i) => end < starts[i]!) || (ends.at(-1) ?? 0) !== textLength)
        reader.corrupt(`the texts of ${name} do not fit together`);
      return { kind, bytes, starts, ends, validity };
    }
  }
}

/** Hands out padded sections of a copy of the bytes, which is aligned wherever they lay, and belongs to what is decoded. */
class SectionReader {
  readonly #buffer: ArrayBuffer;
  readonly #place: string;
  readonly #end: number;
  #at = 0;

  constructor(encoded: Uint8Array, place: string) {
    this.#place = place;
    const bytes = new Uint8Array(encoded);
    this.#buffer = bytes.buffer;
    this.#end = bytes.length - trailerBytes;
    if (bytes.length < headerBytes + trailerBytes || bytes.length % 8 !== 0)
      this.corrupt(`it has ${bytes.length} bytes`);
    const [magicRead, formatRead] = new Int32Array(this.#buffer, 0, 2);
    if (magicRead !== magic) this.corrupt('it does not begin with the mark of a key group');
    const [checksum] = new Int32Array(this.#buffer, this.#end, 1);
    if (checksum !== (crc32c(bytes, 0, this.#end) | 0)) this.corrupt('its checksum does not match');
    if (formatRead !== format) this.corrupt(`it has format ${formatRead}, and this version reads ${format}`);
  }

  corrupt(what: string): never {
    throw new BraidError('SNAPSHOT_CORRUPT', `the state of a key group cannot be read: ${what}`, {
      place: this.#place,
      hint: 'restore an older snapshot',
    });
  }
  mismatch(what: string): never {
    throw new BraidError('SCHEMA_MISMATCH', `the state was written by a different aggregate: ${what}`, {
      place: this.#place,
      hint: 'start without state, or give back the keys and aggregates that the snapshot was taken with',
    });
  }

  ints(count: number, what: string): Int32Array {
    return new Int32Array(this.#buffer, this.#take(count * 4, what), count);
  }
  doubles(count: number, what: string): Float64Array {
    return new Float64Array(this.#buffer, this.#take(count * 8, what), count);
  }
  bigints(count: number, what: string): BigInt64Array {
    return new BigInt64Array(this.#buffer, this.#take(count * 8, what), count);
  }
  bytes(count: number, what: string): Uint8Array {
    return new Uint8Array(this.#buffer, this.#take(count, what), count);
  }
  finish(): void {
    if (this.#at !== this.#end) this.corrupt(`${this.#end - this.#at} bytes are left over`);
  }

  /** Claims a section before anything is made of it. */
  #take(size: number, what: string): number {
    const from = this.#at;
    if (size < 0 || size > this.#end - from) this.corrupt(`${what} does not fit`);
    this.#at = from + padded(size);
    return from;
  }
}
