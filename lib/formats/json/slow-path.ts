import type { TypeName } from '../../data/data-type.ts';
import { exactInteger } from './exact-integer.ts';
import { fieldStates, malformations } from './reasons.ts';
import { parseTimestampText, timestampMax, timestampMin } from './timestamp-text.ts';
import { isUtf8 } from './utf8.ts';

const quote = 34;
const backslash = 92;
const chunkBytes = 1 << 16;

/** Bytes that numbers and the words true, false and null consist of; all else ends them. */
export const wordBytes = Uint8Array.from({ length: 256 }, (_, byte) =>
  (byte >= 48 && byte <= 57) ||
  (byte >= 65 && byte <= 90) ||
  (byte >= 97 && byte <= 122) ||
  byte === 43 ||
  byte === 45 ||
  byte === 46
    ? 1
    : 0,
);

/**
 * The parts of JSON that are rare or long: nested values, escapes, numbers beyond 15 digits, values of a wrong type.
 * Generated scanners do the common case inline and call this for the rest.
 *
 * A method takes the bytes, the position of a value's first byte and the end of the record, and returns the position
 * after the value, or -1 with `reason` where the record is no JSON. What it read is left in `state` (see reasons.ts) and
 * in `value`, `wide` or `bytes`, `start`, `end`. Nothing recurses, and each byte is read a bounded number of times.
 */
export class JsonSlowPath {
  reason = 0;
  state = 0;
  /** Begins with a fraction so that V8 keeps the field as a double from the start. */
  value = 0.5;
  wide = 0n;
  bytes: Uint8Array = new Uint8Array(0);
  start = 0;
  end = 0;
  /** Wanted field that a key with escapes names, or -1. */
  field = -1;
  readonly #full: boolean;
  readonly #isWide: boolean;
  readonly #names: readonly Uint8Array[];
  #chunk = new Uint8Array(chunkBytes);
  #used = 0;
  #loneSurrogate = false;
  /** Closing bracket of each open level, while nested values are skipped. */
  #open = new Uint8Array(64);

  constructor(names: readonly Uint8Array[], full: boolean, isWide: boolean) {
    this.#names = names;
    this.#full = full;
    this.#isWide = isWide;
  }

  #fail(reason: number): -1 {
    this.reason = reason;
    return -1;
  }

  space(b: Uint8Array, p: number, e: number): number {
    let q = p;
    for (; q < e; q++) {
      const c = b[q]!;
      if (c !== 32 && c !== 10 && c !== 13 && c !== 9) break;
    }
    return q;
  }

  /** A key from the byte after its opening quote on, where a backslash was met. Leaves the wanted field in `field`. */
  key(b: Uint8Array, p: number, e: number): number {
    const after = this.#text(b, p, e);
    if (after < 0) return after;
    this.field = -1;
    // A name cannot hold half a surrogate pair, and its replacement character is not the same name.
    if (this.#loneSurrogate) return after;
    const length = this.end - this.start;
    for (let f = 0; f < this.#names.length; f++) {
      const name = this.#names[f]!;
      if (name.length !== length) continue;
      let i = 0;
      while (i < length && name[i] === this.bytes[this.start + i]) i++;
      if (i === length) this.field = f;
    }
    return after;
  }

  /** Any value that nobody wants. */
  skip(b: Uint8Array, p: number, e: number): number {
    let depth = 0;
    let q = p;
    for (;;) {
      q = this.space(b, q, e);
      if (q >= e) return this.#fail(malformations.noEnd);
      const c = b[q]!;
      if (c === 123 || c === 91) {
        const close = c + 2;
        q = this.space(b, q + 1, e);
        if (q < e && b[q] === close) q++;
        else {
          if (depth === this.#open.length) {
            const grown = new Uint8Array(depth * 2);
            grown.set(this.#open);
            this.#open = grown;
          }
          this.#open[depth++] = close;
          if (c === 123) q = this.#memberKey(b, q, e);
          if (q < 0) return q;
          continue;
        }
      } else {
        q = c === quote ? this.skipString(b, q + 1, e) : this.#skipScalar(b, q, e);
        if (q < 0) return q;
      }
      for (;;) {
        if (depth === 0) return q;
        q = this.space(b, q, e);
        if (q >= e) return this.#fail(malformations.noEnd);
        const next = b[q++]!;
        const close = this.#open[depth - 1]!;
        if (next === close) depth--;
        else if (next === 44) {
          if (close === 125) q = this.#memberKey(b, q, e);
          if (q < 0) return q;
          break;
        } else return this.#fail(malformations.noComma);
      }
    }
  }

  #memberKey(b: Uint8Array, p: number, e: number): number {
    let q = this.space(b, p, e);
    if (q >= e) return this.#fail(malformations.noEnd);
    if (b[q] !== quote) return this.#fail(malformations.keyNotQuoted);
    q = this.skipString(b, q + 1, e);
    if (q < 0) return q;
    q = this.space(b, q, e);
    if (q >= e) return this.#fail(malformations.noEnd);
    return b[q] === 58 ? q + 1 : this.#fail(malformations.noColon);
  }

  /** A string from the byte after its opening quote on. Its inside is checked only where everything is. */
  skipString(b: Uint8Array, p: number, e: number): number {
    if (this.#full) return this.#text(b, p, e);
    for (let q = p; q < e; q++) {
      const c = b[q]!;
      if (c === quote) return q + 1;
      if (c === backslash) q++;
    }
    return this.#fail(malformations.noEnd);
  }

  #skipScalar(b: Uint8Array, p: number, e: number): number {
    if (this.#full) return this.#scalar(b, p, e);
    let q = p;
    while (q < e && wordBytes[b[q]!] === 1) q++;
    return q > p ? q : this.#fail(malformations.noValueOfKey);
  }

  /** A number, true, false or null, checked byte by byte. */
  #scalar(b: Uint8Array, p: number, e: number): number {
    const c = b[p]!;
    if (c === 45 || (c >= 48 && c <= 57)) return this.#number(b, p, e);
    if (wordBytes[c] !== 1) return this.#fail(malformations.noValueOfKey);
    return this.#word(b, p, e);
  }

  #word(b: Uint8Array, p: number, e: number): number {
    const text = ascii(b, p, Math.min(e, p + 5));
    if (text.startsWith('true') || text.startsWith('null')) return p + 4;
    if (text === 'false') return p + 5;
    return this.#fail(malformations.badWord);
  }

  #number(b: Uint8Array, p: number, e: number): number {
    let q = p;
    if (b[q] === 45) q++;
    const first = q;
    q = digitsEnd(b, q, e);
    if (q === first || (b[first] === 48 && q > first + 1)) return this.#fail(malformations.badNumber);
    if (q < e && b[q] === 46) {
      const fraction = q + 1;
      q = digitsEnd(b, fraction, e);
      if (q === fraction) return this.#fail(malformations.badNumber);
    }
    if (q < e && (b[q]! | 32) === 101) {
      q++;
      if (q < e && (b[q] === 43 || b[q] === 45)) q++;
      const exponent = q;
      q = digitsEnd(b, q, e);
      if (q === exponent) return this.#fail(malformations.badNumber);
    }
    return q;
  }

  /** null, or a value that is not of the wanted type: passes over it and says so. */
  other(b: Uint8Array, p: number, e: number): number {
    if (p >= e) return this.#fail(malformations.noEnd);
    this.state = fieldStates.wrongType;
    const c = b[p]!;
    if (c === quote) return this.#text(b, p + 1, e);
    if (c === 123 || c === 91) return this.skip(b, p, e);
    if (c === 110) this.state = fieldStates.null;
    return this.#scalar(b, p, e);
  }

  /**
   * INT, BIGINT, or TIMESTAMP from milliseconds. A number counts by its value and not by how it is written: `1.0` and
   * `1e3` are integers, `1.5` is none; -0 is 0.
   */
  integer(b: Uint8Array, p: number, e: number, type: TypeName): number {
    const c = b[p]!;
    if (p >= e || (c !== 45 && (c < 48 || c > 57))) return this.other(b, p, e);
    const after = this.#number(b, p, e);
    if (after < 0) return after;
    const exact = exactInteger(b, p, after);
    if (typeof exact === 'number') {
      this.state = exact;
      return after;
    }
    const [min, max] = ranges[type as keyof typeof ranges];
    if (exact < min || exact > max) {
      this.state = fieldStates.outOfRange;
      return after;
    }
    this.state = fieldStates.present;
    this.value = Number(exact);
    if (type === 'BIGINT') {
      if (this.#isWide) this.wide = exact;
      else if (!Number.isSafeInteger(this.value)) this.state = fieldStates.notSafe;
    }
    return after;
  }

  /** As `Number` and JSON.parse read it: the nearest double, so that 1e400 is Infinity and -0 stays. */
  double(b: Uint8Array, p: number, e: number): number {
    const c = b[p]!;
    if (p >= e || (c !== 45 && (c < 48 || c > 57))) return this.other(b, p, e);
    const after = this.#number(b, p, e);
    if (after < 0) return after;
    this.state = fieldStates.present;
    this.value = Number(ascii(b, p, after));
    return after;
  }

  /** A STRING from the byte of its opening quote on; escapes are decoded. Half a surrogate pair becomes U+FFFD. */
  string(b: Uint8Array, p: number, e: number): number {
    if (p >= e || b[p] !== quote) return this.other(b, p, e);
    const after = this.#text(b, p + 1, e);
    this.state = fieldStates.present;
    return after;
  }

  timestamp(b: Uint8Array, p: number, e: number): number {
    if (p >= e || b[p] !== quote) return this.integer(b, p, e, 'TIMESTAMP');
    const after = this.#text(b, p + 1, e);
    if (after < 0) return after;
    this.value = parseTimestampText(this.bytes, this.start, this.end);
    this.state = Number.isNaN(this.value) ? fieldStates.notTimestamp : fieldStates.present;
    return after;
  }

  /** Reads a string up to its closing quote, fully checked, into `bytes`, `start`, `end`. */
  #text(b: Uint8Array, p: number, e: number): number {
    this.#loneSurrogate = false;
    let ascii = true;
    let q = p;
    for (; q < e; q++) {
      const c = b[q]!;
      if (c === quote || c === backslash) break;
      if (c < 32) return this.#fail(malformations.controlCharacter);
      if (c > 127) ascii = false;
    }
    if (q >= e) return this.#fail(malformations.noEnd);
    if (b[q] === backslash) return this.#escaped(b, p, q, e);
    if (!ascii && !isUtf8(b, p, q)) return this.#fail(malformations.notUtf8);
    this.bytes = b;
    this.start = p;
    this.end = q;
    return q + 1;
  }

  /** A string with its first backslash at `at`. A decoded text is never longer than its escapes. */
  #escaped(b: Uint8Array, p: number, at: number, e: number): number {
    let close = at;
    while (close < e && b[close] !== quote) close += b[close] === backslash ? 2 : 1;
    if (close >= e) return this.#fail(malformations.noEnd);
    if (close - p > this.#chunk.length - this.#used) {
      // Texts stay where they are for as long as anybody holds their bytes, so a full chunk is left behind.
      this.#chunk = new Uint8Array(Math.max(chunkBytes, close - p));
      this.#used = 0;
    }
    const out = this.#chunk;
    const start = this.#used;
    let o = start;
    let q = p;
    while (q < close) {
      const c = b[q]!;
      if (c !== backslash) {
        if (c < 32) return this.#fail(malformations.controlCharacter);
        out[o++] = c;
        q++;
        continue;
      }
      const kind = b[q + 1]!;
      if (kind !== 117) {
        const plain = escapes[kind];
        if (plain === undefined) return this.#fail(malformations.badEscape);
        out[o++] = plain;
        q += 2;
        continue;
      }
      let code = hex4(b, q + 2, close);
      if (code < 0) return this.#fail(malformations.badEscape);
      q += 6;
      if (code >= 0xd800 && code <= 0xdfff) {
        const low =
          code <= 0xdbff && q + 6 <= close && b[q] === backslash && b[q + 1] === 117 ? hex4(b, q + 2, close) : -1;
        if (low >= 0xdc00 && low <= 0xdfff) {
          code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
          q += 6;
        } else {
          code = 0xfffd;
          this.#loneSurrogate = true;
        }
      }
      o = writeCodePoint(out, o, code);
    }
    if (!isUtf8(out, start, o)) return this.#fail(malformations.notUtf8);
    this.#used = o;
    this.bytes = out;
    this.start = start;
    this.end = o;
    return close + 1;
  }
}

/** What follows a backslash, and the byte it stands for. */
const escapes: Readonly<Record<number, number>> = {
  34: 34,
  47: 47,
  92: 92,
  98: 8,
  102: 12,
  110: 10,
  114: 13,
  116: 9,
};

const ranges = {
  INT: [-2147483648n, 2147483647n],
  BIGINT: [-9223372036854775808n, 9223372036854775807n],
  TIMESTAMP: [BigInt(timestampMin), BigInt(timestampMax)],
} as const;

function digitsEnd(b: Uint8Array, p: number, e: number): number {
  let q = p;
  while (q < e && (b[q]! - 48) >>> 0 <= 9) q++;
  return q;
}

function hex4(b: Uint8Array, p: number, e: number): number {
  if (p + 4 > e) return -1;
  let code = 0;
  for (let i = 0; i < 4; i++) {
    const c = b[p + i]!;
    const digit = c >= 48 && c <= 57 ? c - 48 : (c | 32) >= 97 && (c | 32) <= 102 ? (c | 32) - 87 : -1;
    if (digit < 0) return -1;
    code = code * 16 + digit;
  }
  return code;
}

function writeCodePoint(out: Uint8Array, at: number, code: number): number {
  let o = at;
  if (code < 0x80) out[o++] = code;
  else {
    if (code < 0x800) out[o++] = 0xc0 | (code >> 6);
    else {
      if (code < 0x10000) out[o++] = 0xe0 | (code >> 12);
      else {
        out[o++] = 0xf0 | (code >> 18);
        out[o++] = 0x80 | ((code >> 12) & 63);
      }
      out[o++] = 0x80 | ((code >> 6) & 63);
    }
    out[o++] = 0x80 | (code & 63);
  }
  return o;
}

function ascii(b: Uint8Array, p: number, e: number): string {
  let text = '';
  for (let q = p; q < e; q++) text += String.fromCharCode(b[q]!);
  return text;
}
