import { assert } from '../base/errors.ts';
import type { DataType } from '../data/data-type.ts';
import {
  finishHash,
  hashSeed,
  mixBigint,
  mixBytes,
  mixDouble,
  mixInteger,
  mixWord,
  nullWord,
} from '../data/key-hash.ts';
import type { Accumulator } from '../expressions/aggregate.ts';
import { sameExpression } from '../expressions/aggregates.ts';
import type { Expression } from '../expressions/expression.ts';
import { type Emitted, emitCondition, emitExpression, type Width } from '../expressions/generate.ts';
import { compareText, equalText, greatestDouble, leastDouble } from '../expressions/runtime.ts';
import type { Fragment, FragmentOutput, PartialOutput, TumblingWindow } from './fragment.ts';
import { type OutputColumn, outputColumn, windowHash } from './kernel-memory.ts';
import type { KernelWriter } from './kernel-writer.ts';

/** What the parts of the generator share. `column` is the code of an input column. */
export interface KernelContext {
  readonly writer: KernelWriter;
  readonly width: Width;
  readonly fragment: Fragment;
  readonly column: (index: number) => Emitted;
}

/** Columns of the kernel's memory: those of the result, in order. */
export function outputColumns(output: FragmentOutput, width: Width): OutputColumn[] {
  if (output.kind === 'rows') return output.columns.map(expression => outputColumn(expression.type, width));
  const window = output.window === undefined ? [] : [outputColumn({ name: 'TIMESTAMP', nullable: false }, width)];
  return [
    ...window,
    ...output.keys.map(key => outputColumn(key.type, width)),
    // A count is at most the number of rows of a task.
    ...output.accumulators.map(({ op, type }) => outputColumn(type, op === 'count' ? 'narrow' : width)),
  ];
}

/**
 * Emits the body of the loop from event time on. Around it, `M` is the KernelMemory, `lateAt` the task's (NaN for all
 * rows), and `continue row;` goes on to the next row. `onNoEventTime` runs where the event time is NULL.
 *
 * The loop's variables: `n` rows written, `cap` room for them, `passed`, `maxTime`; per output column c: `o{c}v` values
 * (starts of texts), `o{c}n` validity, `o{c}e` ends, `o{c}h` heap, `o{c}l` its length.
 */
export function emitRowBody(context: KernelContext, onNoEventTime: string): void {
  const { writer, fragment, column, width } = context;
  const { output } = fragment;
  const shared = new SharedValues(context);
  let time: string | undefined;
  if (fragment.eventTime !== undefined) {
    const { value, isNull } = shared.of(fragment.eventTime);
    if (isNull !== 'false') writer.line(`if (${isNull}) { ${onNoEventTime} continue row; }`);
    writer.line(`if (${value} > maxTime) maxTime = ${value};`);
    time = value;
  }
  if (fragment.filter !== undefined)
    writer.line(`if (!${bracketed(emitCondition(fragment.filter, writer, column, width))}) continue row;`);
  const window = output.kind === 'rows' ? output.lateWindow : output.window;
  if (window !== undefined) {
    assert(time !== undefined, 'a fragment with a window has an event time');
    if (output.kind === 'rows') emitLateCheck(context, time, window);
    else emitWindowOf(context, time, window);
  }
  writer.line('passed++;');
  writer.line('if (n === cap) {');
  writer.line('M.grow(n);');
  writer.line(reload(outputColumns(output, width), false));
  writer.line('}');
  if (output.kind === 'rows') {
    const values = output.columns.map(expression => shared.of(expression));
    output.columns.forEach((expression, c) => {
      emitStore(context, expression.type, c, 'n', values[c]!);
    });
    writer.line('n++;');
  } else emitPartial(context, output, shared);
}

/** Declarations of the loop's variables, and their assignments anew after the memory has grown. */
export function reload(columns: readonly OutputColumn[], declare: boolean): string {
  const lines = ['cap = M.capacity', 'hashes = M.hashes', 'slots = M.slots', 'mask = slots.length - 1'];
  columns.forEach(({ type, kind }, c) => {
    lines.push(`o${c}v = M.values[${c}]`);
    if (type.nullable) lines.push(`o${c}n = M.validity[${c}]`);
    if (kind !== 'utf8') return;
    lines.push(`o${c}e = M.ends[${c}]`);
    if (declare) lines.push(`o${c}h = M.heaps[${c}]`, `o${c}l = M.heapLengths[${c}]`);
  });
  if (declare) lines.push('n = M.rows', 'passed = M.rowsPassed', 'maxTime = M.maxEventTime');
  return declare ? `let ${lines.join(', ')};` : `${lines.join('; ')};`;
}

/** Writes the loop's variables back. */
export function save(columns: readonly OutputColumn[]): string {
  const lines = ['M.rows = n', 'M.rowsPassed = passed', 'M.maxEventTime = maxTime'];
  columns.forEach(({ kind }, c) => {
    if (kind === 'utf8') lines.push(`M.heapLengths[${c}] = o${c}l`);
  });
  return `${lines.join('; ')};`;
}

/** Expressions that occur more than once are computed once a row. Only for code that every row reaches. */
class SharedValues {
  readonly #context: KernelContext;
  readonly #known: { readonly expression: Expression; readonly emitted: Emitted }[] = [];

  constructor(context: KernelContext) {
    this.#context = context;
  }

  find(expression: Expression): Emitted | undefined {
    return this.#known.find(known => sameExpression(known.expression, expression))?.emitted;
  }

  of(expression: Expression): Emitted {
    const known = this.find(expression);
    if (known !== undefined) return known;
    const { writer, column, width } = this.#context;
    const emitted = emitExpression(expression, writer, column, width);
    this.#known.push({ expression, emitted });
    return emitted;
  }
}

function bracketed(condition: string): string {
  return `(${condition})`;
}

/** `windowStart`, `windowEnd` and `windowed` (their hash) are those of the row before, until a row lies outside. */
function emitWindowOf({ writer }: KernelContext, time: string, { sizeMs, offsetMs }: TumblingWindow): void {
  writer.line(`if (!(${time} >= windowStart && ${time} < windowEnd)) {`);
  writer.line(floorTo('windowStart', time, sizeMs, offsetMs));
  writer.line(`windowEnd = windowStart + ${number(sizeMs)};`);
  writer.line(`windowed = ${writer.constant(windowHash)}(windowStart);`);
  writer.line('}');
}

function emitLateCheck({ writer }: KernelContext, time: string, { sizeMs, offsetMs }: TumblingWindow): void {
  writer.line('if (lateAt === lateAt) {');
  writer.line(floorTo('windowStart', time, sizeMs, offsetMs));
  writer.line(`if (windowStart + ${number(sizeMs - 1)} > lateAt) continue row;`);
  writer.line('}');
}

/** The quotient may be rounded up to an integer that it does not reach; times far from 2^53 are safe, and all are mended. */
function floorTo(target: string, time: string, sizeMs: number, offsetMs: number): string {
  const size = number(sizeMs);
  const quotient = `Math.floor((${time} - ${number(offsetMs)}) / ${size})`;
  return `${target} = ${quotient} * ${size} + ${number(offsetMs)}; if (${target} > ${time}) ${target} -= ${size};`;
}

function number(value: number): string {
  assert(Number.isSafeInteger(value), 'window sizes and offsets are whole milliseconds');
  return value < 0 ? `(${value})` : `${value}`;
}

/** Stores a value at row `row` of column c. */
function emitStore(
  { writer }: KernelContext,
  type: DataType,
  c: number,
  row: string,
  { value, isNull }: Emitted,
): void {
  if (type.nullable) {
    const set = `o${c}n[${row} >> 3] |= 1 << (${row} & 7);`;
    const clear = `o${c}n[${row} >> 3] &= ~(1 << (${row} & 7));`;
    writer.line(isNull === 'false' ? set : `if (${isNull}) ${clear} else ${set}`);
  }
  if (type.name !== 'STRING') {
    writer.line(`o${c}v[${row}] = ${type.name === 'BOOLEAN' ? `${value} ? 1 : 0` : value};`);
    return;
  }
  if (isNull !== 'false') writer.line(`if (!${bracketed(isNull)}) {`);
  const length = writer.fresh();
  writer.line(`const ${length} = ${value}e - ${value}s;`);
  writer.line(`if (o${c}l + ${length} > o${c}h.length) o${c}h = M.growHeap(${c}, o${c}l, ${length});`);
  writer.line(`o${c}v[${row}] = o${c}l;`);
  writer.line(`if (${length} > 64) o${c}h.set(${value}b.subarray(${value}s, ${value}e), o${c}l);`);
  writer.line(`else for (let j = 0; j < ${length}; j++) o${c}h[o${c}l + j] = ${value}b[${value}s + j];`);
  writer.line(`o${c}l += ${length};`);
  writer.line(`o${c}e[${row}] = o${c}l;`);
  if (isNull !== 'false') writer.line('}');
}

function emitPartial(context: KernelContext, output: PartialOutput, shared: SharedValues): void {
  const { writer } = context;
  const keys = output.keys.map(key => canonicalKey(context, key, shared.of(key)));
  const firstKey = output.window === undefined ? 0 : 1;
  const firstAccumulator = firstKey + keys.length;
  // Arguments that every row needs, before the search, so that they are shared.
  for (const { argument, filter } of output.accumulators)
    if (argument !== undefined && filter === undefined) shared.of(argument);
  for (const { filter } of output.accumulators) if (filter !== undefined) shared.of(filter);
  writer.line(`let hash = ${hashSeed};`);
  output.keys.forEach((key, i) => {
    emitHash(context, key.type, keys[i]!);
  });
  writer.line(`hash = ${writer.constant(finishHash)}(hash);`);
  const create = (): void => {
    writer.line('hashes[g] = hash;');
    if (output.window !== undefined) writer.line('o0v[g] = windowStart;');
    output.keys.forEach((key, i) => {
      emitStore(context, key.type, firstKey + i, 'g', keys[i]!);
    });
    output.accumulators.forEach((accumulator, i) => {
      emitInitial(context, accumulator, firstAccumulator + i);
    });
  };
  if (output.local) {
    const same = output.keys.map((key, i) => sameKey(context, key.type, firstKey + i, keys[i]!));
    if (output.window !== undefined) same.unshift('o0v[g] === windowStart');
    writer.line(`let at = ${output.window === undefined ? 'hash' : '(hash ^ windowed)'} & mask, g = slots[at];`);
    writer.line(`while (g >= 0 && !(${same.length === 0 ? 'true' : same.join(' && ')})) {`);
    writer.line('at = (at + 1) & mask; g = slots[at];');
    writer.line('}');
    writer.line('if (g < 0) {');
    writer.line('g = n++; slots[at] = g;');
    create();
    writer.line('}');
  } else {
    writer.line('const g = n++;');
    create();
  }
  output.accumulators.forEach((accumulator, i) => {
    emitAccumulate(context, accumulator, firstAccumulator + i, shared);
  });
}

/** DOUBLE keys: -0 is 0. */
function canonicalKey({ writer }: KernelContext, key: Expression, emitted: Emitted): Emitted {
  if (key.type.name !== 'DOUBLE') return emitted;
  const name = writer.fresh();
  writer.line(`const ${name} = ${emitted.value} + 0;`);
  return { value: name, isNull: emitted.isNull };
}

function emitHash({ writer, width }: KernelContext, type: DataType, { value, isNull }: Emitted): void {
  const mix = (): string => {
    switch (type.name) {
      case 'STRING':
        return `${writer.constant(mixBytes)}(hash, ${value}b, ${value}s, ${value}e)`;
      case 'DOUBLE':
        return `${writer.constant(mixDouble)}(hash, ${value})`;
      case 'BOOLEAN':
        return `${writer.constant(mixInteger)}(hash, ${value} ? 1 : 0)`;
      case 'BIGINT':
        return `${writer.constant(width === 'wide' ? mixBigint : mixInteger)}(hash, ${value})`;
      default:
        return `${writer.constant(mixInteger)}(hash, ${value})`;
    }
  };
  if (isNull === 'false') writer.line(`hash = ${mix()};`);
  else writer.line(`hash = ${isNull} ? ${writer.constant(mixWord)}(hash, ${nullWord}) : ${mix()};`);
}

/** Condition: the key of group `g` is the row's. */
function sameKey({ writer }: KernelContext, type: DataType, c: number, { value, isNull }: Emitted): string {
  const equal = (): string => {
    switch (type.name) {
      case 'STRING':
        return `${writer.constant(equalText)}(o${c}h, o${c}v[g], o${c}e[g], ${value}b, ${value}s, ${value}e)`;
      case 'DOUBLE':
        return `(o${c}v[g] === ${value} || (${value} !== ${value} && o${c}v[g] !== o${c}v[g]))`;
      case 'BOOLEAN':
        return `(o${c}v[g] === 1) === ${value}`;
      default:
        return `o${c}v[g] === ${value}`;
    }
  };
  if (!type.nullable) return equal();
  const valid = `(o${c}n[g >> 3] & (1 << (g & 7))) !== 0`;
  if (isNull === 'false') return `${valid} && ${equal()}`;
  return `(${isNull} ? !(${valid}) : ${valid} && ${equal()})`;
}

/** First value of an accumulator, before any row; that of a minimum or maximum loses against every other one. */
function emitInitial({ writer, width }: KernelContext, { op, type }: Accumulator, c: number): void {
  if (type.nullable) writer.line(`o${c}n[g >> 3] &= ~(1 << (g & 7));`);
  if (type.name === 'STRING') writer.line(`o${c}v[g] = -1; o${c}e[g] = -1;`);
  else if (op === 'count') writer.line(`o${c}v[g] = 0;`);
  // -0 is the neutral element of addition: 0 + -0 would be 0.
  else if (op === 'sum')
    writer.line(`o${c}v[g] = ${isWide(type, width) ? '0n' : type.name === 'DOUBLE' ? '-0' : '0'};`);
  else if (type.name === 'DOUBLE') writer.line(`o${c}v[g] = ${op === 'min' ? 'NaN' : '-Infinity'};`);
  else {
    const [min, max] = borders(type, width);
    writer.line(`o${c}v[g] = ${op === 'min' ? max : min};`);
  }
}

/** Nothing is below the first one, nothing above the second one. */
function borders(type: DataType, width: Width): readonly [string, string] {
  if (type.name === 'INT') return ['-2147483648', '2147483647'];
  return isWide(type, width) ? ['-9223372036854775808n', '9223372036854775807n'] : ['-Infinity', 'Infinity'];
}

function isWide(type: DataType, width: Width): boolean {
  return type.name === 'BIGINT' && width === 'wide';
}

function emitAccumulate(context: KernelContext, accumulator: Accumulator, c: number, shared: SharedValues): void {
  const { writer, width, column } = context;
  const { op, argument, filter, type } = accumulator;
  let blocks = 0;
  const open = (condition: string): void => {
    writer.line(`if (${condition}) {`);
    blocks++;
  };
  if (filter !== undefined) {
    const { value, isNull } = shared.of(filter);
    open(isNull === 'false' ? value : `!${isNull} && ${value}`);
  }
  if (argument !== undefined) {
    // With a filter, only rows that pass it evaluate the argument.
    const emitted = shared.find(argument) ?? emitExpression(argument, writer, column, width);
    if (emitted.isNull !== 'false') open(`!${emitted.isNull}`);
    if (op === 'count') writer.line(`o${c}v[g] += 1;`);
    else if (type.name === 'STRING') emitTextExtreme(context, op === 'min', type, c, emitted.value);
    else {
      if (type.nullable) writer.line(`o${c}n[g >> 3] |= 1 << (g & 7);`);
      emitNumber(context, op, type, c, emitted.value);
    }
  } else writer.line(`o${c}v[g] += 1;`);
  for (; blocks > 0; blocks--) writer.line('}');
}

function emitNumber(
  { writer, width }: KernelContext,
  op: 'sum' | 'min' | 'max',
  type: DataType,
  c: number,
  value: string,
): void {
  if (op !== 'sum') {
    if (type.name === 'DOUBLE') {
      const better = writer.constant(op === 'min' ? leastDouble : greatestDouble);
      writer.line(`o${c}v[g] = ${better}(o${c}v[g], ${value});`);
    } else writer.line(`if (${value} ${op === 'min' ? '<' : '>'} o${c}v[g]) o${c}v[g] = ${value};`);
    return;
  }
  if (type.name === 'BIGINT' && width === 'narrow') {
    const sum = writer.fresh();
    writer.line(`const ${sum} = o${c}v[g] + ${value};`);
    writer.line(`if (${sum} > ${Number.MAX_SAFE_INTEGER} || ${sum} < ${Number.MIN_SAFE_INTEGER}) { ${writer.bail} }`);
    writer.line(`o${c}v[g] = ${sum};`);
    // Typed arrays of 32 and of 64 bits wrap around by themselves, as SUM does.
  } else writer.line(`o${c}v[g] += ${value};`);
}

/** A text that is replaced stays in the heap until the task ends: no more bytes than the task's input has. */
function emitTextExtreme(context: KernelContext, isMin: boolean, type: DataType, c: number, value: string): void {
  const { writer } = context;
  const text = `${value}b, ${value}s, ${value}e`;
  writer.line(
    `if (o${c}v[g] < 0 || ${writer.constant(compareText)}(${text}, o${c}h, o${c}v[g], o${c}e[g]) ${isMin ? '<' : '>'} 0) {`,
  );
  emitStore(context, type, c, 'g', { value, isNull: 'false' });
  writer.line('}');
}
