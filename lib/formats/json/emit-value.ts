import type { Field } from '../../data/schema.ts';
import type { CodeWriter } from '../../expressions/generate.ts';
import type { ScannerContext } from './emit-scanner.ts';
import { fieldStates } from './reasons.ts';
import { parseTimestampText, timestampMin } from './timestamp-text.ts';

/** Exact powers of ten: a double holds them up to 22. */
const tens = Float64Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));

const trueWord = wordOf('true');
const falsWord = wordOf('fals');
const nullWord = wordOf('null');

function wordOf(text: string): number {
  let word = 0;
  for (let i = 0; i < 4; i++) word |= text.charCodeAt(i) << (8 * i);
  return word;
}

/**
 * Emits the reading of a wanted field's value: `p` stands at its first byte, which is in `c`; afterwards it stands behind
 * the value. Whatever is not the common case goes to the slow path.
 */
export function emitFieldValue(writer: CodeWriter, context: ScannerContext, field: Field, i: number): void {
  switch (field.type.name) {
    case 'INT':
    case 'BIGINT':
      emitInteger(writer, context, field.type.name, i);
      return;
    case 'DOUBLE':
      emitDouble(writer, context, i);
      return;
    case 'BOOLEAN':
      emitBoolean(writer, context, i);
      return;
    case 'STRING':
      emitString(writer, context, i);
      return;
    case 'TIMESTAMP':
      emitTimestamp(writer, context, i);
      return;
  }
}

function emitSlow(
  writer: CodeWriter,
  { slow }: ScannerContext,
  call: string,
  take: readonly string[],
  i: number,
): void {
  writer.line(`p = ${slow}.${call}; if (p < 0) { m = ${slow}.reason; break scan; }`);
  writer.line(`k${i} = ${slow}.state;`);
  for (const line of take) writer.line(line);
}

/**
 * Emits reading of the decimal digits from `q` on into the double `x`; afterwards `q` is behind them and `w` lost.
 *
 * Four digits a step. With `t = w ^ 0x30303030` a byte is a digit where `t | (t + 6)` has no high nibble, and the lowest
 * byte that is none is found exactly. `d0 d1 d2 d3` become `d0 * 10 + d1` and `d2 * 10 + d3` by one multiplication and one
 * shift, then their number. At the end, the digits that are left are shifted up behind zeros.
 */
function emitDigits(writer: CodeWriter): void {
  const number = '(t & 255) * 100 + ((t >>> 16) & 255)';
  const powers = writer.constant(tens);
  writer.line('for (;;) {');
  writer.line('w = v.getInt32(q, true);');
  writer.line('t = w ^ 0x30303030;');
  writer.line('t = (t | (t + 0x06060606)) & 0xf0f0f0f0;');
  writer.line('if (t === 0) {');
  writer.line('t = w & 0x0f0f0f0f;');
  writer.line('t = Math.imul(t, 10) + (t >>> 8);');
  writer.line(`x = x * 10000 + (${number});`);
  writer.line('q += 4;');
  writer.line('if (q > e) break;');
  writer.line('} else {');
  writer.line('t = (31 - Math.clz32(t & -t)) >>> 3;');
  writer.line('q += t;');
  writer.line(`x = x * ${powers}[t];`);
  writer.line('t = ((w << 8) << (24 - 8 * t)) & 0x0f0f0f0f;');
  writer.line('t = Math.imul(t, 10) + (t >>> 8);');
  writer.line(`x = x + (${number});`);
  writer.line('break;');
  writer.line('}');
  writer.line('}');
}

/**
 * Up to 15 digits are exact in a double. What follows must be neither a fraction nor an exponent. For a TIMESTAMP, the
 * smaller one of its two borders (1970 years, in either direction) bounds what is read here.
 */
function emitInteger(
  writer: CodeWriter,
  context: ScannerContext,
  type: 'INT' | 'BIGINT' | 'TIMESTAMP',
  i: number,
): void {
  const { slow, width } = context;
  const isWide = type === 'BIGINT' && width === 'wide';
  writer.line('q = c === 45 ? p + 1 : p;');
  writer.line('k = q;');
  writer.line('x = 0;');
  emitDigits(writer);
  writer.line('t = q - k;');
  writer.line('w = b[q];');
  const ranges = { INT: 't <= 9', BIGINT: 't <= 15', TIMESTAMP: `t <= 15 && x <= ${-timestampMin}` };
  writer.line(`if (t >= 1 && ${ranges[type]} && w !== 46 && (w | 32) !== 101 && (b[k] !== 48 || t === 1)) {`);
  writer.line('p = q;');
  writer.line(`k${i} = ${fieldStates.present};`);
  const signed = 'c === 45 ? 0 - x : x';
  writer.line(`f${i} = ${isWide ? `BigInt(${signed})` : type === 'INT' ? `(${signed}) | 0` : signed};`);
  writer.line('} else {');
  emitSlow(
    writer,
    context,
    `integer(b, p, e, '${type}')`,
    [`if (k${i} === ${fieldStates.present}) f${i} = ${slow}.${isWide ? 'wide' : 'value'};`],
    i,
  );
  if (type === 'BIGINT' && !isWide) writer.line(`if (k${i} === ${fieldStates.notSafe}) { ${writer.bail} }`);
  writer.line('}');
}

/**
 * A double from its digits without an exponent: the digits as one integer of up to 15 digits, divided by an exact power of
 * ten, is rounded once and so is the nearest double (Clinger, "How to Read Floating Point Numbers Accurately", 1990).
 */
function emitDouble(writer: CodeWriter, context: ScannerContext, i: number): void {
  writer.line('q = c === 45 ? p + 1 : p;');
  writer.line('k = q;');
  writer.line('x = 0;');
  emitDigits(writer);
  writer.line('fast: {');
  writer.line('if (q > k && q - k <= 15 && (b[k] !== 48 || q - k === 1)) {');
  writer.line('const whole = q - k;');
  writer.line('let fraction = 0;');
  writer.line('if (b[q] === 46) {');
  writer.line('k = ++q;');
  emitDigits(writer);
  writer.line('fraction = q - k;');
  writer.line('}');
  writer.line('w = b[q];');
  writer.line('if ((fraction > 0 || b[q - 1] !== 46) && whole + fraction <= 15 && (w | 32) !== 101) {');
  writer.line('p = q;');
  writer.line(`if (fraction > 0) x = x / ${writer.constant(tens)}[fraction];`);
  writer.line(`f${i} = c === 45 ? -x : x;`);
  writer.line(`k${i} = ${fieldStates.present};`);
  writer.line('break fast;');
  writer.line('}');
  writer.line('}');
  emitSlow(writer, context, 'double(b, p, e)', [`f${i} = ${context.slow}.value;`], i);
  writer.line('}');
}

/**
 * Texts of 19 or 23 characters (seconds, milliseconds), which is how nearly all are written, are parsed where they lie: what
 * parses has neither an escape nor a quote in it, so the quote behind it is the closing one.
 */
function emitTimestamp(writer: CodeWriter, context: ScannerContext, i: number): void {
  writer.line('if (c === 34) {');
  writer.line('q = b[p + 20] === 34 ? p + 20 : p + 24;');
  writer.line(`x = ${writer.constant(parseTimestampText)}(b, p + 1, q);`);
  writer.line(`if (x === x && b[q] === 34) { p = q + 1; f${i} = x; k${i} = ${fieldStates.present}; } else {`);
  emitSlow(writer, context, 'timestamp(b, p, e)', [`f${i} = ${context.slow}.value;`], i);
  writer.line('}');
  writer.line('} else {');
  emitInteger(writer, context, 'TIMESTAMP', i);
  writer.line('}');
}

function emitBoolean(writer: CodeWriter, context: ScannerContext, i: number): void {
  writer.line('w = v.getInt32(p, true);');
  writer.line(`if (w === ${trueWord}) { p += 4; k${i} = ${fieldStates.present}; f${i} = true; }`);
  writer.line(
    `else if (w === ${falsWord} && b[p + 4] === 101) { p += 5; k${i} = ${fieldStates.present}; f${i} = false; }`,
  );
  writer.line(`else if (w === ${nullWord}) { p += 4; k${i} = ${fieldStates.null}; }`);
  writer.line('else {');
  emitSlow(writer, context, 'other(b, p, e)', [], i);
  writer.line('}');
}

/** Printable ASCII up to a quote is a slice of the record; the first byte that is anything else leads to the slow path. */
function emitString(writer: CodeWriter, context: ScannerContext, i: number): void {
  const { slow } = context;
  writer.line('string: {');
  writer.line('if (c === 34) {');
  writer.line('q = p + 1;');
  writer.line('while (q < e) {');
  writer.line('w = v.getInt32(q, true);');
  const lessThan32 = '((w - 0x20202020) & ~w)';
  const equal = (byte: number): string => {
    const pattern = (byte * 0x01010101) | 0;
    return `(((w ^ ${pattern}) - 0x01010101) & ~(w ^ ${pattern}))`;
  };
  writer.line(`t = (${equal(34)} | ${equal(92)} | ${lessThan32} | w) & 0x80808080;`);
  writer.line('if (t === 0) { q += 4; continue; }');
  writer.line('q += (31 - Math.clz32(t & -t)) >>> 3;');
  writer.line('if (b[q] !== 34) break;');
  writer.line(`f${i}b = b; f${i}s = p + 1; f${i}e = q; p = q + 1; k${i} = ${fieldStates.present};`);
  writer.line('break string;');
  writer.line('}');
  writer.line('}');
  emitSlow(
    writer,
    context,
    'string(b, p, e)',
    [`if (k${i} === ${fieldStates.present}) { f${i}b = ${slow}.bytes; f${i}s = ${slow}.start; f${i}e = ${slow}.end; }`],
    i,
  );
  writer.line('}');
}
