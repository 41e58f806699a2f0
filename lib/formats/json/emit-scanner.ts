import { BraidError } from '../../base/errors.ts';
import type { Field } from '../../data/schema.ts';
import type { CodeWriter, Emitted, Width } from '../../expressions/generate.ts';
import { emitKeyDispatch } from './emit-key.ts';
import { emitFieldValue } from './emit-value.ts';
import { fieldStates, malformations } from './reasons.ts';
import { JsonSlowPath, wordBytes } from './slow-path.ts';

/** What a scanner is generated for. */
export interface ScannerOptions {
  readonly fields: readonly Field[];
  readonly validate: 'structure' | 'full';
  readonly width: Width;
}

/**
 * Emits the scanner of one JSON object: it reads the wanted top-level fields, the last of repeated keys, and passes over
 * everything else. Structure, key quoting and string ends are always checked, values of wanted fields entirely, the
 * inside of all other numbers, words and strings only with `validate: 'full'`.
 *
 * Variables around the emitted code, all declared by `declarations`: `b` (bytes), `v` (DataView of the same bytes),
 * `p` (in: first byte of the object), `e` (end of the record); out: `m`, a malformation, 0 where it is an object; and for
 * field i `k{i}`, its state (reasons.ts), and `f{i}`, its value (`f{i}b`, `f{i}s`, `f{i}e` for a STRING).
 *
 * Law: `overrunBytes` bytes behind the record must be readable (whatever they hold). Words of four bytes are compared
 * without asking for the end each time; loops that may be long do ask, and nothing is accepted that ended behind `e`.
 */
export interface Scanner {
  readonly declarations: string;
  readonly overrunBytes: number;
  /** Code of field i as an input column of expressions. */
  column(index: number): Emitted;
  emit(): void;
}

export function createScanner(writer: CodeWriter, options: ScannerOptions): Scanner {
  const { fields, width } = options;
  const names = fields.map(field => nameBytes(field.name));
  const full = options.validate === 'full';
  const slow = writer.constant(new JsonSlowPath(names, full, width === 'wide'));
  const longest = names.reduce((max, name) => Math.max(max, name.length), 0);
  return {
    declarations: [
      'let b, v, p = 0, e = 0, m = 0, c = 0, w = 0, t = 0, k = 0, q = 0, x = 0;',
      ...fields.map((field, i) => `let ${declaration(field, i, width)};`),
    ].join('\n'),
    overrunBytes: longest + 64,
    column: index => ({
      value: `f${index}`,
      isNull: fields[index]!.type.nullable ? `(k${index} !== ${fieldStates.present})` : 'false',
    }),
    emit: () => emitObject(writer, { ...options, names, slow, full }),
  };
}

/** @internal What the parts of the scanner's generator share. */
export interface ScannerContext extends ScannerOptions {
  readonly names: readonly Uint8Array[];
  /** Name of the JsonSlowPath. */
  readonly slow: string;
  readonly full: boolean;
}

function nameBytes(name: string): Uint8Array {
  const bytes = new TextEncoder().encode(name);
  if (new TextDecoder().decode(bytes) !== name)
    throw new BraidError('SCHEMA_INVALID', `the column name ${JSON.stringify(name)} is not well-formed text`, {
      place: name,
    });
  return bytes;
}

function declaration(field: Field, i: number, width: Width): string {
  switch (field.type.name) {
    case 'STRING':
      return `k${i} = 0, f${i}b, f${i}s = 0, f${i}e = 0`;
    case 'BOOLEAN':
      return `k${i} = 0, f${i} = false`;
    case 'BIGINT':
      return width === 'wide' ? `k${i} = 0, f${i} = 0n` : `k${i} = 0, f${i} = 0`;
    default:
      return `k${i} = 0, f${i} = 0`;
  }
}

/** Skips white space where there is some; leaves the byte at `p` in `c`. */
export function emitSpace(writer: CodeWriter, { slow }: ScannerContext): void {
  writer.line(`if (c <= 32) { p = ${slow}.space(b, p, e); c = b[p]; }`);
}

/** Leaves the scanner with a malformation. */
export function malformed(reason: keyof typeof malformations): string {
  return `{ m = ${malformations[reason]}; break scan; }`;
}

function emitObject(writer: CodeWriter, context: ScannerContext): void {
  const { fields, slow } = context;
  const space = (): void => emitSpace(writer, context);
  writer.line('m = 0;');
  fields.forEach((field, i) => {
    writer.line(`k${i} = ${fieldStates.missing};`);
    if (field.type.name === 'STRING') writer.line(`f${i}b = b; f${i}s = 0; f${i}e = 0;`);
  });
  writer.line('scan: {');
  writer.line('c = b[p];');
  space();
  writer.line(`if (c !== 123) ${malformed('notObject')}`);
  writer.line('c = b[++p];');
  space();
  writer.line('if (c === 125) p++;');
  writer.line('else for (;;) {');
  writer.line(`if (c !== 34) { m = p < e ? ${malformations.keyNotQuoted} : ${malformations.noEnd}; break scan; }`);
  emitKeyDispatch(writer, context);
  writer.line('c = b[p];');
  space();
  writer.line(`if (c !== 58) { m = p < e ? ${malformations.noColon} : ${malformations.noEnd}; break scan; }`);
  writer.line('c = b[++p];');
  space();
  if (fields.length > 0) {
    writer.line('switch (k) {');
    fields.forEach((field, i) => {
      writer.line(`case ${i}: {`);
      emitFieldValue(writer, context, field, i);
      writer.line('break; }');
    });
    writer.line('default: {');
  }
  emitSkip(writer, context);
  if (fields.length > 0) writer.line('} }');
  writer.line('c = b[p];');
  space();
  writer.line('if (c === 44) {');
  writer.line('c = b[++p];');
  space();
  writer.line(`if (p >= e) ${malformed('noEnd')}`);
  writer.line('continue; }');
  writer.line('if (c === 125) { p++; break; }');
  writer.line(`m = p < e ? ${malformations.noComma} : ${malformations.noEnd}; break scan;`);
  writer.line('}');
  writer.line('if (p !== e) {');
  writer.line(`p = ${slow}.space(b, p, e);`);
  writer.line(`if (p !== e) { m = p < e ? ${malformations.trailing} : ${malformations.noEnd}; break scan; }`);
  writer.line('}');
  writer.line('}');
}

/** Passes over the value at `p`, whose first byte is in `c`. */
function emitSkip(writer: CodeWriter, { slow, full }: ScannerContext): void {
  const slowly = `p = ${slow}.skip(b, p, e); if (p < 0) { m = ${slow}.reason; break scan; }`;
  if (full) {
    writer.line(slowly);
    return;
  }
  writer.line('if (c === 34) {');
  writer.line('p++;');
  emitStringEnd(writer);
  writer.line('p++;');
  writer.line('} else if (c === 123 || c === 91) {');
  writer.line(slowly);
  writer.line('} else {');
  const words = writer.constant(wordBytes);
  writer.line('q = p;');
  writer.line(`while (${words}[b[p]] === 1 && p < e) p++;`);
  writer.line(`if (p === q) { m = p < e ? ${malformations.noValueOfKey} : ${malformations.noEnd}; break scan; }`);
  writer.line('}');
}

/**
 * Moves `p` to the next quote that no backslash escapes. Four bytes a step: a byte of `x` is zero where it equals the
 * quote, and `(x - 0x01010101) & ~x & 0x80808080` has its lowest bit in the lowest such byte (Hacker's Delight, 6-1).
 */
function emitStringEnd(writer: CodeWriter): void {
  writer.line('for (;;) {');
  writer.line('w = v.getInt32(p, true);');
  writer.line(`t = ${equalBytes('w', 34)} | ${equalBytes('w', 92)};`);
  writer.line('if (t !== 0) {');
  writer.line('p += (31 - Math.clz32(t & -t)) >>> 3;');
  writer.line('if (b[p] === 34) break;');
  writer.line('p += 2;');
  writer.line('} else p += 4;');
  writer.line(`if (p >= e) ${malformed('noEnd')}`);
  writer.line('}');
}

/** Expression with the top bit set in each byte of `word` that equals `byte` (exact up to and including the first one). */
export function equalBytes(word: string, byte: number): string {
  const pattern = (byte * 0x01010101) | 0;
  return `(((${word} ^ ${pattern}) - 0x01010101) & ~(${word} ^ ${pattern}) & 0x80808080)`;
}
