import { decodeUtf8 } from '../base/byte-reader.ts';
import { BraidError } from '../base/errors.ts';
import {
  doubleToBigint,
  doubleToInt,
  formatBoolean,
  formatDouble,
  formatTimestamp,
  parseBoolean,
  parseDouble,
  parseInteger,
  parseTimestamp,
} from './casts.ts';

/**
 * What generated code calls: everything about texts, which are slices of UTF-8 bytes, and what would be long inline.
 * Texts are bytes, start and end, three arguments each.
 */
export { doubleToBigint, doubleToInt };

export const emptyBytes = new Uint8Array(0);

export function divisionByZero(): never {
  throw new BraidError('ROW_INVALID', 'an integer was divided by zero', {
    hint: 'guard it with CASE WHEN, or cast to DOUBLE, where the result is Infinity or NaN',
  });
}

/** As `doubleToBigint`, for narrow code: what saturates there is no safe integer, which the caller checks. */
export function doubleToNarrow(value: number): number {
  return Number.isNaN(value) ? 0 : Math.trunc(value) + 0;
}

/** By Java's order of doubles, as in Flink: -0 before 0, NaN after everything. */
export function leastDouble(a: number, b: number): number {
  if (Number.isNaN(a)) return b;
  return Number.isNaN(b) ? a : Math.min(a, b);
}
export function greatestDouble(a: number, b: number): number {
  return Math.max(a, b);
}

export function equalText(
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number,
): boolean {
  return aEnd - aStart === bEnd - bStart && startsWith(a, aStart, aEnd, b, bStart, bEnd);
}

/** Whether a begins with b. */
export function startsWith(
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number,
): boolean {
  const length = bEnd - bStart;
  if (length > aEnd - aStart) return false;
  for (let i = 0; i < length; i++) if (a[aStart + i] !== b[bStart + i]) return false;
  return true;
}

/** Negative, zero or positive; by unsigned bytes, which for UTF-8 is the order of code points. */
export function compareText(
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number,
): number {
  const length = Math.min(aEnd - aStart, bEnd - bStart);
  for (let i = 0; i < length; i++) {
    const difference = a[aStart + i]! - b[bStart + i]!;
    if (difference !== 0) return difference;
  }
  return aEnd - aStart - (bEnd - bStart);
}

/** Code points: bytes that do not continue another one. */
export function charLength(bytes: Uint8Array, start: number, end: number): number {
  let count = 0;
  for (let i = start; i < end; i++) if ((bytes[i]! & 0xc0) !== 0x80) count++;
  return count;
}

const encoder = new TextEncoder();
const chunkBytes = 1 << 16;

/**
 * Where texts that are computed live. A result is left in `bytes`, `start` and `end`, from where the generated code
 * takes it over at once. Memory is a chunk that is written once from front to back and then left to the collector: a
 * text stays as it is for as long as anybody holds its bytes, and there is nothing to reset between rows.
 */
export class TextHeap {
  /** One a thread: generated code is synchronous and takes each result over before the next one is written. */
  static readonly shared = new TextHeap();

  bytes: Uint8Array = emptyBytes;
  start = 0;
  end = 0;
  #chunk = new Uint8Array(chunkBytes);
  #used = 0;

  /** Makes room for a text of `length` bytes, which `append` fills. */
  begin(length: number): void {
    if (length > this.#chunk.length - this.#used) {
      this.#chunk = new Uint8Array(Math.max(chunkBytes, length));
      this.#used = 0;
    }
    this.bytes = this.#chunk;
    this.start = this.#used;
    this.end = this.#used;
    this.#used += length;
  }

  append(bytes: Uint8Array, start: number, end: number): void {
    const target = this.bytes;
    let at = this.end;
    for (let i = start; i < end; i++) target[at++] = bytes[i]!;
    this.end = at;
  }

  #write(text: string): void {
    const length = text.length;
    // A UTF-16 code unit is at most three bytes.
    this.begin(length * 3);
    const { written } = encoder.encodeInto(text, this.bytes.subarray(this.start));
    this.end = this.start + written;
    this.#used = this.end;
  }

  lower(bytes: Uint8Array, start: number, end: number): void {
    if (isAscii(bytes, start, end)) this.#shift(bytes, start, end, 65, 32);
    else this.#write(decodeUtf8(bytes.subarray(start, end)).toLowerCase());
  }

  upper(bytes: Uint8Array, start: number, end: number): void {
    if (isAscii(bytes, start, end)) this.#shift(bytes, start, end, 97, -32);
    else this.#write(decodeUtf8(bytes.subarray(start, end)).toUpperCase());
  }

  /** Copies ASCII and moves the 26 letters from `first` on by `by`. */
  #shift(bytes: Uint8Array, start: number, end: number, first: number, by: number): void {
    this.begin(end - start);
    const target = this.bytes;
    let at = this.end;
    for (let i = start; i < end; i++) {
      const byte = bytes[i]!;
      target[at++] = byte >= first && byte < first + 26 ? byte + by : byte;
    }
    this.end = at;
  }

  /**
   * `length` code points from position `from` on: 1 is the first, 0 too, -1 the last; the empty text where there is no
   * such position. Nothing is copied: the slice lies in the same bytes. As SUBSTRING of Flink.
   */
  slice(bytes: Uint8Array, start: number, end: number, from: number, length: number): void {
    this.bytes = bytes;
    let skip = from > 0 ? from - 1 : 0;
    if (from < 0) {
      skip = charLength(bytes, start, end) + from;
      if (skip < 0) {
        this.start = start;
        this.end = start;
        return;
      }
    }
    this.start = afterChars(bytes, start, end, skip);
    this.end = afterChars(bytes, this.start, end, length);
  }

  boolean(value: boolean): void {
    this.#write(formatBoolean(value));
  }
  integer(value: number | bigint): void {
    if (typeof value === 'number' && value > -1e9 && value < 1e9) this.#digits(value);
    else this.#write(String(value));
  }

  /** An integer of at most nine digits, without a string in between. */
  #digits(value: number): void {
    this.begin(10);
    const { bytes } = this;
    let rest = Math.abs(value) | 0;
    let at = this.start;
    if (value < 0) bytes[at++] = 45;
    let digits = 1;
    for (let limit = 10; rest >= limit; limit *= 10) digits++;
    this.end = at + digits;
    this.#used = this.end;
    for (let i = this.end - 1; i >= at; i--) {
      const tenth = (rest / 10) | 0;
      bytes[i] = 48 + rest - tenth * 10;
      rest = tenth;
    }
  }
  double(value: number): void {
    this.#write(formatDouble(value));
  }
  timestamp(value: number): void {
    this.#write(formatTimestamp(value));
  }
}

/** Index after `count` code points from `start` on, `end` at most. */
function afterChars(bytes: Uint8Array, start: number, end: number, count: number): number {
  let at = start;
  for (let left = count; left > 0 && at < end; left--) {
    at++;
    while (at < end && (bytes[at]! & 0xc0) === 0x80) at++;
  }
  return at;
}

function isAscii(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bytes[i]! > 127) return false;
  return true;
}

function textOf(bytes: Uint8Array, start: number, end: number): string {
  return decodeUtf8(bytes.subarray(start, end));
}

/** CAST of a text. Allocates: texts that are numbers are better declared as numbers. */
export const castText = {
  BOOLEAN: (bytes: Uint8Array, start: number, end: number): boolean => parseBoolean(textOf(bytes, start, end)),
  INT: (bytes: Uint8Array, start: number, end: number): number =>
    Number(parseInteger(textOf(bytes, start, end), 'INT')),
  BIGINT: (bytes: Uint8Array, start: number, end: number): bigint => parseInteger(textOf(bytes, start, end), 'BIGINT'),
  /** BIGINT as a double; the caller checks that it is safe. */
  NARROW: (bytes: Uint8Array, start: number, end: number): number =>
    Number(parseInteger(textOf(bytes, start, end), 'BIGINT')),
  DOUBLE: (bytes: Uint8Array, start: number, end: number): number => parseDouble(textOf(bytes, start, end)),
  TIMESTAMP: (bytes: Uint8Array, start: number, end: number): number => parseTimestamp(textOf(bytes, start, end)),
} as const;
