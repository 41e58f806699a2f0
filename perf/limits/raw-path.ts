// biome-ignore-all lint/suspicious/noAssignInExpressions: the loops are those of the measured original, to the letter.
import { crc32c } from '../../lib/base/crc32c.ts';

/**
 * How far the machine lets one go: a bare loop, written by hand for this one shape of record and this one query, without
 * a library, an error check, a NULL or a type between it and the bytes. Tumbling windows of 10 s, count and maximum of the
 * price per auction. It believes whatever it reads; it shares nothing with Braid but the checksum.
 */
const positions = { starts: new Int32Array(8192), ends: new Int32Array(8192) };
const { starts, ends } = positions;

function decode(b: Uint8Array, at: number): number {
  const count = (b[at + 57]! << 24) | (b[at + 58]! << 16) | (b[at + 59]! << 8) | b[at + 60]!;
  let p = at + 61;
  for (let i = 0; i < count; i++) {
    let shift = 0;
    let x: number;
    do x = b[p++]!;
    while (x & 0x80);
    p++;
    do x = b[p++]!;
    while (x & 0x80);
    do x = b[p++]!;
    while (x & 0x80);
    let key = 0;
    do {
      x = b[p++]!;
      key |= (x & 0x7f) << shift;
      shift += 7;
    } while (x & 0x80);
    key = (key >>> 1) ^ -(key & 1);
    if (key > 0) p += key;
    let value = 0;
    shift = 0;
    do {
      x = b[p++]!;
      value |= (x & 0x7f) << shift;
      shift += 7;
    } while (x & 0x80);
    value = (value >>> 1) ^ -(value & 1);
    starts[i] = p;
    if (value > 0) p += value;
    ends[i] = p;
    do x = b[p++]!;
    while (x & 0x80);
  }
  return count;
}

const bid = { auction: 0, price: 0, dateTime: 0 };

function scan(b: Uint8Array, start: number, end: number): void {
  let p = start + 1;
  while (p < end) {
    p++;
    const key = p;
    let c: number;
    while (b[p] !== 34) p++;
    const length = p - key;
    p += 2;
    if (length === 7 && b[key] === 97) {
      let v = 0;
      while ((c = b[p]!) >= 48 && c <= 57) {
        v = v * 10 + c - 48;
        p++;
      }
      bid.auction = v;
    } else if (length === 5 && b[key] === 112) {
      let v = 0;
      while ((c = b[p]!) >= 48 && c <= 57) {
        v = v * 10 + c - 48;
        p++;
      }
      bid.price = v;
    } else if (length === 8 && b[key] === 100) {
      let v = 0;
      while ((c = b[p]!) >= 48 && c <= 57) {
        v = v * 10 + c - 48;
        p++;
      }
      bid.dateTime = v;
    } else {
      c = b[p]!;
      if (c === 34) {
        p++;
        while ((c = b[p]!) !== 34) {
          if (c === 92) p++;
          p++;
        }
        p++;
      } else while ((c = b[p]!) !== 44 && c !== 125) p++;
    }
    if (b[p] === 125) break;
    p++;
  }
}

const capacity = 1 << 15;
const keys = new Float64Array(capacity);
const windows = new Float64Array(capacity);
const counts = new Float64Array(capacity);
const maxima = new Float64Array(capacity);
const used = new Int32Array(capacity);

export interface LimitResult {
  readonly rows: number;
  /** Four numbers a group: auction, window start, count, maximum. */
  readonly out: Float64Array;
}

/** The batches of `b` that start at `offsets`. */
export function rawPathLimit(b: Uint8Array, offsets: readonly number[], checkCrc: boolean): LimitResult {
  let groups = 0;
  let rows = 0;
  for (const at of offsets) {
    if (checkCrc) {
      const end = at + 12 + ((b[at + 8]! << 24) | (b[at + 9]! << 16) | (b[at + 10]! << 8) | b[at + 11]!);
      const stored = ((b[at + 17]! << 24) | (b[at + 18]! << 16) | (b[at + 19]! << 8) | b[at + 20]!) >>> 0;
      if (crc32c(b, at + 21, end) !== stored) throw new Error('CRC');
    }
    const n = decode(b, at);
    rows += n;
    for (let i = 0; i < n; i++) {
      scan(b, starts[i]!, ends[i]!);
      const w = bid.dateTime - (bid.dateTime % 10000);
      let h = (Math.imul(bid.auction | 0, 0x9e3779b1) ^ Math.imul((w / 10000) | 0, 0x85ebca6b)) >>> 17;
      while (counts[h] !== 0 && (keys[h] !== bid.auction || windows[h] !== w)) h = (h + 1) & (capacity - 1);
      if (counts[h] === 0) {
        keys[h] = bid.auction;
        windows[h] = w;
        maxima[h] = bid.price;
        used[groups++] = h;
      }
      counts[h] = counts[h]! + 1;
      if (bid.price > maxima[h]!) maxima[h] = bid.price;
    }
  }
  const out = new Float64Array(groups * 4);
  for (let i = 0; i < groups; i++) {
    const h = used[i]!;
    out[i * 4] = keys[h]!;
    out[i * 4 + 1] = windows[h]!;
    out[i * 4 + 2] = counts[h]!;
    out[i * 4 + 3] = maxima[h]!;
    counts[h] = 0;
  }
  return { rows, out };
}
