import type { CodeWriter } from '../../expressions/generate.ts';
import { equalBytes, malformed, type ScannerContext } from './emit-scanner.ts';

/**
 * Emits the reading of a key: `p` stands at its opening quote; afterwards it stands behind the closing one, and `k` is
 * the wanted field of that name, or -1.
 *
 * A wanted key is found by comparing words of four bytes, its closing quote included, with constants. All other keys are
 * passed over up to their closing quote. A backslash in a key leads to the slow path, which decodes and compares.
 */
export function emitKeyDispatch(writer: CodeWriter, context: ScannerContext): void {
  const { slow, full } = context;
  writer.line('w = v.getInt32(++p, true);');
  writer.line('k = -1;');
  for (const { field, bytes } of plainNames(context)) {
    writer.line(`if (${keyCondition(bytes)}) { k = ${field}; p += ${bytes.length}; } else`);
  }
  writer.line('{');
  writer.line('q = p;');
  if (full) {
    // Every key is checked like any other string.
    writer.line(`p = ${slow}.key(b, q, e); if (p < 0) { m = ${slow}.reason; break scan; } k = ${slow}.field;`);
  } else {
    writer.line('for (;;) {');
    writer.line(`t = ${equalBytes('w', 34)} | ${equalBytes('w', 92)};`);
    writer.line('if (t !== 0) {');
    writer.line('p += (31 - Math.clz32(t & -t)) >>> 3;');
    writer.line('if (b[p] === 34) { p++; break; }');
    writer.line(`p = ${slow}.key(b, q, e); if (p < 0) { m = ${slow}.reason; break scan; } k = ${slow}.field; break;`);
    writer.line('}');
    writer.line('p += 4;');
    writer.line(`if (p >= e) ${malformed('noEnd')}`);
    writer.line('w = v.getInt32(p, true);');
    writer.line('}');
  }
  writer.line('}');
}

/** Names that can stand in JSON as they are, with the closing quote; others are only found by the slow path. */
function plainNames({ names }: ScannerContext): { field: number; bytes: Uint8Array }[] {
  return names
    .map((name, field) => ({ field, name, bytes: Uint8Array.of(...name, 34) }))
    .filter(({ name }) => name.every(byte => byte >= 32 && byte !== 34 && byte !== 92));
}

/** The key at `p`, whose first four bytes are in `w`, is `bytes`. */
function keyCondition(bytes: Uint8Array): string {
  const word = (at: number, length: number): number => {
    let value = 0;
    for (let i = 0; i < length; i++) value |= bytes[at + i]! << (8 * i);
    return value;
  };
  const length = bytes.length;
  if (length < 4) return `(w & ${(1 << (8 * length)) - 1}) === ${word(0, length)}`;
  const parts = [`w === ${word(0, 4)}`];
  for (let at = 4; at < length; at += 4) {
    // The last word may overlap the one before it.
    const from = Math.min(at, length - 4);
    parts.push(`v.getInt32(p + ${from}, true) === ${word(from, 4)}`);
  }
  return parts.join(' && ');
}
