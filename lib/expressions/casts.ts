import { BraidError } from '../base/errors.ts';
import type { TypeName } from '../data/data-type.ts';

/** What a text can be cast to. */
export type TextTarget = Exclude<TypeName, 'STRING'>;

/** Which casts there are, as in Flink: numbers among each other, BOOLEAN with integers, everything to and from STRING. */
const targets: Readonly<Record<TypeName, readonly TypeName[]>> = {
  BOOLEAN: ['BOOLEAN', 'INT', 'BIGINT', 'DOUBLE', 'STRING'],
  INT: ['BOOLEAN', 'INT', 'BIGINT', 'DOUBLE', 'STRING'],
  BIGINT: ['BOOLEAN', 'INT', 'BIGINT', 'DOUBLE', 'STRING'],
  DOUBLE: ['INT', 'BIGINT', 'DOUBLE', 'STRING'],
  STRING: ['BOOLEAN', 'INT', 'BIGINT', 'DOUBLE', 'STRING', 'TIMESTAMP'],
  TIMESTAMP: ['STRING', 'TIMESTAMP'],
};

export function canCast(from: TypeName, to: TypeName): boolean {
  return targets[from].includes(to);
}
export function castTargets(from: TypeName): readonly TypeName[] {
  return targets[from];
}

const int32Min = -2147483648;
const int32Max = 2147483647;
const int64Min = -(2n ** 63n);
const int64Max = 2n ** 63n - 1n;

/** Truncates towards zero and saturates; NaN is 0. As Java's `(int) d`. */
export function doubleToInt(value: number): number {
  if (value >= int32Max) return int32Max;
  return value <= int32Min ? int32Min : value | 0;
}

/** Truncates towards zero and saturates; NaN is 0. As Java's `(long) d`. */
export function doubleToBigint(value: number): bigint {
  if (value >= 2 ** 63) return int64Max;
  if (value <= -(2 ** 63)) return int64Min;
  return Number.isNaN(value) ? 0n : BigInt(Math.trunc(value));
}

export function formatBoolean(value: boolean): string {
  return value ? 'TRUE' : 'FALSE';
}

/** As Java's `Double.toString`: `1.0`, `1.0E21`, `1.0E-5`, `-0.0`, `NaN`, `Infinity`. */
export function formatDouble(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  const size = Math.abs(value);
  if (size === 0) return `${sign}0.0`;
  // JavaScript and Java agree on the digits, the shortest that read back as the same double, and not on their form.
  const [digits, exponent] = size.toExponential().split('e') as [string, string];
  if (size >= 1e-3 && size < 1e7) {
    const plain = String(size);
    return `${sign}${plain}${plain.includes('.') ? '' : '.0'}`;
  }
  return `${sign}${digits}${digits.includes('.') ? '' : '.0'}E${Number(exponent)}`;
}

/** `2024-02-29 12:34:56.789`; the milliseconds are always there, as for TIMESTAMP(3). */
export function formatTimestamp(time: number): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return fail('a time is outside of the years -271821 to 275760', String(time));
  const iso = date.toISOString();
  const split = iso.indexOf('T');
  return `${iso.slice(0, split)} ${iso.slice(split + 1, -1)}`;
}

/** Flink's words, in any case. */
export function parseBoolean(text: string): boolean {
  switch (trimBlanks(text).toLowerCase()) {
    case 't':
    case 'true':
    case 'y':
    case 'yes':
    case '1':
      return true;
    case 'f':
    case 'false':
    case 'n':
    case 'no':
    case '0':
      return false;
    default:
      return fail('a text cannot be read as a BOOLEAN', text);
  }
}

/** Digits with a sign and blanks around it; a fraction is cut off, so that `12.5` is 12; no exponent. As in Flink. */
export function parseInteger(text: string, name: 'INT' | 'BIGINT'): bigint {
  const match = /^([+-]?)([0-9]*)(?:\.[0-9]*)?$/.exec(trimBlanks(text));
  const [whole, sign, digits] = match ?? ['', '', ''];
  if (whole === sign || digits === undefined || digits.length > 40)
    return fail(`a text cannot be read as a ${name}`, text);
  const size = BigInt(digits === '' ? '0' : digits);
  const value = sign === '-' ? -size : size;
  const fits = name === 'INT' ? BigInt.asIntN(32, value) === value : BigInt.asIntN(64, value) === value;
  return fits ? value : fail(`a text is out of the range of ${name}`, text);
}

/** As Java's `Double.parseDouble`, but without its hexadecimal form. */
export function parseDouble(text: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: Java trims everything up to the blank.
  const trimmed = text.replace(/^[\u0000-\u0020]+|[\u0000-\u0020]+$/g, '');
  const match = /^([+-]?)(?:(NaN)|(Infinity)|((?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)[dDfF]?)$/.exec(trimmed);
  if (match === null) return fail('a text cannot be read as a DOUBLE', text);
  const [, sign, nan, infinity, digits] = match;
  const size = nan !== undefined ? Number.NaN : infinity !== undefined ? Number.POSITIVE_INFINITY : Number(digits);
  return sign === '-' ? -size : size;
}

/** `2024-02-29`, `2024-02-29 12:34:56` or with up to nine decimals (cut after the third); a `T` may stand for the blank. */
export function parseTimestamp(text: string): number {
  const match = /^(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T](\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.(\d{1,9}))?)?$/.exec(
    trimBlanks(text),
  );
  if (match === null) return fail('a text cannot be read as a TIMESTAMP', text);
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(part => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const milliseconds = Number((match[7] ?? '').slice(0, 3).padEnd(3, '0'));
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const real = date.getUTCMonth() === month - 1 && date.getUTCDate() === day && hour < 24 && minute < 60 && second < 60;
  if (!real) return fail('a text is no real TIMESTAMP', text);
  return date.getTime() + ((hour * 60 + minute) * 60 + second) * 1000 + milliseconds;
}

/** Blanks alone, as Flink trims; not all white space. */
function trimBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && text[start] === ' ') start++;
  while (end > start && text[end - 1] === ' ') end--;
  return text.slice(start, end);
}

function fail(sentence: string, text: string): never {
  throw new BraidError('ROW_INVALID', sentence, { place: `CAST of ${JSON.stringify(text.slice(0, 64))}` });
}
