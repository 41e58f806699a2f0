/**
 * Timestamps as text: `YYYY-MM-DD`, `T` or a space, `HH:MM`, then optionally `:SS`, a fraction of one to nine digits
 * (cut to milliseconds) and `Z`. Proleptic Gregorian, no leap seconds, years 0000 to 9999: the range of Flink's
 * TIMESTAMP. Days and dates are converted as Howard Hinnant does ("chrono-Compatible Low-Level Date Algorithms", 2014).
 */
export const timestampMin = -62_167_219_200_000;
export const timestampMax = 253_402_300_799_999;

const monthDays = Uint8Array.of(0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31);
const daySeconds = 86_400;

function digits2(bytes: Uint8Array, at: number): number {
  const tens = bytes[at]! - 48;
  const ones = bytes[at + 1]! - 48;
  return tens >>> 0 > 9 || ones >>> 0 > 9 ? -1 : tens * 10 + ones;
}

/** Milliseconds of the text `bytes[start, end)`, or NaN where it is none. */
export function parseTimestampText(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  if (length < 16) return Number.NaN;
  const century = digits2(bytes, start);
  const yearOfCentury = digits2(bytes, start + 2);
  const month = digits2(bytes, start + 5);
  const day = digits2(bytes, start + 8);
  const hour = digits2(bytes, start + 11);
  const minute = digits2(bytes, start + 14);
  const separator = bytes[start + 10];
  if (
    (century | yearOfCentury | (month - 1) | (day - 1) | hour | minute) < 0 ||
    month > 12 ||
    hour > 23 ||
    minute > 59 ||
    bytes[start + 4] !== 45 ||
    bytes[start + 7] !== 45 ||
    (separator !== 84 && separator !== 32) ||
    bytes[start + 13] !== 58
  )
    return Number.NaN;
  const year = century * 100 + yearOfCentury;
  const leap = (year & 3) === 0 && (year % 100 !== 0 || year % 400 === 0);
  if (day > monthDays[month]! || (month === 2 && day === 29 && !leap)) return Number.NaN;
  let at = start + 16;
  let second = 0;
  let millisecond = 0;
  if (at < end && bytes[at] === 58) {
    second = at + 2 < end ? digits2(bytes, at + 1) : -1;
    if (second < 0 || second > 59) return Number.NaN;
    at += 3;
    if (at < end && bytes[at] === 46) {
      let scale = 100;
      const first = ++at;
      for (; at < end; at++) {
        const digit = bytes[at]! - 48;
        if (digit >>> 0 > 9) break;
        millisecond += digit * scale;
        scale = (scale / 10) | 0;
      }
      if (at === first || at > first + 9) return Number.NaN;
    }
  }
  if (at < end && bytes[at] === 90) at++;
  if (at !== end) return Number.NaN;
  const seconds = hour * 3600 + minute * 60 + second;
  return (daysFromCivil(year, month, day) * daySeconds + seconds) * 1000 + millisecond;
}

/** Days from 1970-01-01, for years from 0 on. The year is taken to begin in March, so that a leap day is its last one. */
function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = (((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) | 0) + day - 1;
  return era * 146_097 + yearOfEra * 365 + (yearOfEra >> 2) - ((yearOfEra / 100) | 0) + dayOfYear - 719_468;
}

/** Bytes that `writeTimestampText` needs at most: a sign and six digits for years that no input can have. */
export const timestampTextBytesMax = 26;

/**
 * Writes `YYYY-MM-DDTHH:MM:SS`, with `.fff` where there are milliseconds, and returns where it ends. Years outside of
 * 0000 to 9999 (only arithmetic yields them) have a sign and six digits, as in ISO 8601 and `Date`.
 */
export function writeTimestampText(bytes: Uint8Array, at: number, time: number): number {
  const days = Math.floor(time / 86_400_000);
  const ms = time - days * 86_400_000;
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra =
    ((dayOfEra - ((dayOfEra / 1460) | 0) + ((dayOfEra / 36_524) | 0) - ((dayOfEra / 146_096) | 0)) / 365) | 0;
  const dayOfYear = dayOfEra - (365 * yearOfEra + (yearOfEra >> 2) - ((yearOfEra / 100) | 0));
  const monthFromMarch = ((5 * dayOfYear + 2) / 153) | 0;
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  const day = dayOfYear - (((153 * monthFromMarch + 2) / 5) | 0) + 1;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  let p = at;
  if (year < 0 || year > 9999) {
    bytes[p++] = year < 0 ? 45 : 43;
    p = write2(bytes, p, Math.floor(Math.abs(year) / 10_000));
  }
  const shown = Math.abs(year) % 10_000;
  p = write2(bytes, p, (shown / 100) | 0);
  p = write2(bytes, p, shown % 100);
  bytes[p++] = 45;
  p = write2(bytes, p, month);
  bytes[p++] = 45;
  p = write2(bytes, p, day);
  bytes[p++] = 84;
  const second = (ms / 1000) | 0;
  p = write2(bytes, p, (second / 3600) | 0);
  bytes[p++] = 58;
  p = write2(bytes, p, ((second / 60) | 0) % 60);
  bytes[p++] = 58;
  p = write2(bytes, p, second % 60);
  const fraction = ms - second * 1000;
  if (fraction > 0) {
    bytes[p++] = 46;
    bytes[p++] = 48 + ((fraction / 100) | 0);
    p = write2(bytes, p, fraction % 100);
  }
  return p;
}

function write2(bytes: Uint8Array, at: number, value: number): number {
  const tens = (value / 10) | 0;
  bytes[at] = 48 + tens;
  bytes[at + 1] = 48 + value - tens * 10;
  return at + 2;
}
