import type { ByteWriter } from '../../base/byte-writer.ts';
import type { Batch } from '../../data/batch.ts';
import { type Column, isValid } from '../../data/column.ts';
import type { Schema } from '../../data/schema.ts';
import { timestampTextBytesMax, writeTimestampText } from './timestamp-text.ts';

/**
 * Writes rows of a batch as JSON objects, all columns in the order of the schema, NULL as `null`. As JSON.stringify
 * prints them where it can: numbers in the shortest form that reads back the same, NaN and infinities as `null` (JSON has
 * none), texts with the escapes that JSON demands and no others. BIGINT has all its digits, as a number. TIMESTAMP is
 * text, `"2001-01-31T23:59:59"` with `.fff` where there are milliseconds, without a zone.
 */
export interface JsonWriter {
  /** Appends row `row` of `batch`, which has the writer's schema. Nothing separates or follows the object. */
  write(batch: Batch, row: number, out: ByteWriter): void;
}

const encoder = new TextEncoder();

export function createJsonWriter(schema: Schema): JsonWriter {
  const keys = schema.fields.map(({ name }, i) => encoder.encode(`${i === 0 ? '{' : ','}${JSON.stringify(name)}:`));
  return {
    write(batch, row, out) {
      if (keys.length === 0) writeByte(out, 123);
      for (let c = 0; c < keys.length; c++) {
        copyShort(out, keys[c]!);
        writeValue(out, batch.columns[c]!, row);
      }
      writeByte(out, 125);
    },
  };
}

/** `reserve` may replace the buffer, so it comes first. */
function writeByte(out: ByteWriter, byte: number): void {
  const at = out.reserve(1);
  out.bytes[at] = byte;
}

/** A call of `set` costs more than a short loop does. */
function copyShort(out: ByteWriter, from: Uint8Array): void {
  const at = out.reserve(from.length);
  const { bytes } = out;
  for (let i = 0; i < from.length; i++) bytes[at + i] = from[i]!;
}

function writeValue(out: ByteWriter, column: Column, row: number): void {
  if (!isValid(column.validity, row)) {
    writeNull(out);
    return;
  }
  switch (column.kind) {
    case 'boolean':
      writeAscii(out, column.values[row] === 1 ? 'true' : 'false');
      return;
    case 'int':
    case 'narrow':
      writeInteger(out, column.values[row]!);
      return;
    case 'wide':
      writeAscii(out, String(column.values[row]!));
      return;
    case 'double':
      writeDouble(out, column.values[row]!);
      return;
    case 'timestamp': {
      const at = out.reserve(timestampTextBytesMax + 2);
      out.bytes[at] = 34;
      const end = writeTimestampText(out.bytes, at + 1, column.values[row]!);
      out.bytes[end] = 34;
      out.length = end + 1;
      return;
    }
    case 'utf8':
      writeText(out, column.bytes, column.starts[row]!, column.ends[row]!);
      return;
    case 'dictionary':
      writeValue(out, column.dictionary, column.codes[row]!);
      return;
  }
}

function writeNull(out: ByteWriter): void {
  writeAscii(out, 'null');
}

function writeAscii(out: ByteWriter, text: string): void {
  const at = out.reserve(text.length);
  for (let i = 0; i < text.length; i++) out.bytes[at + i] = text.charCodeAt(i);
}

function writeDouble(out: ByteWriter, value: number): void {
  if (Number.isSafeInteger(value)) writeInteger(out, value);
  else if (Number.isFinite(value)) writeAscii(out, String(value));
  else writeNull(out);
}

/** A safe integer; -0 is 0, as JSON.stringify has it. */
function writeInteger(out: ByteWriter, value: number): void {
  const at = out.reserve(17);
  const { bytes } = out;
  const magnitude = Math.abs(value);
  let p = at;
  if (value < 0) bytes[p++] = 45;
  if (magnitude < 1e8) p = writeDigits(bytes, p, magnitude, 1);
  else {
    // Safe integers have at most 16 digits.
    const high = Math.floor(magnitude / 1e8);
    p = writeDigits(bytes, p, high, 1);
    p = writeDigits(bytes, p, magnitude - high * 1e8, 8);
  }
  out.length = p;
}

/** Digits of the integer part of `value` (below 1e8), at least `digitsMin` of them. */
function writeDigits(bytes: Uint8Array, at: number, value: number, digitsMin: number): number {
  let rest = value | 0;
  let digits = digitsMin;
  for (let limit = 10 ** digitsMin; rest >= limit && digits < 8; limit *= 10) digits++;
  for (let i = at + digits - 1; i >= at; i--) {
    const tenth = (rest / 10) | 0;
    bytes[i] = 48 + rest - tenth * 10;
    rest = tenth;
  }
  return at + digits;
}

function writeText(out: ByteWriter, from: Uint8Array, start: number, end: number): void {
  // Six bytes for a control character are the most that one byte becomes.
  let p = out.reserve((end - start) * 6 + 2);
  const { bytes } = out;
  bytes[p++] = 34;
  for (let i = start; i < end; i++) {
    const byte = from[i]!;
    if (byte >= 32 && byte !== 34 && byte !== 92) bytes[p++] = byte;
    else p = writeEscape(bytes, p, byte);
  }
  bytes[p++] = 34;
  out.length = p;
}

const shortEscapes: Readonly<Record<number, number>> = { 8: 98, 9: 116, 10: 110, 12: 102, 13: 114, 34: 34, 92: 92 };
const hexDigits = encoder.encode('0123456789abcdef');

function writeEscape(bytes: Uint8Array, at: number, byte: number): number {
  bytes[at] = 92;
  const short = shortEscapes[byte];
  if (short !== undefined) {
    bytes[at + 1] = short;
    return at + 2;
  }
  bytes[at + 1] = 117;
  bytes[at + 2] = 48;
  bytes[at + 3] = 48;
  bytes[at + 4] = hexDigits[byte >> 4]!;
  bytes[at + 5] = hexDigits[byte & 15]!;
  return at + 6;
}
