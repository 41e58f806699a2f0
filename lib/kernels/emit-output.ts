import { assert } from '../base/errors.ts';
import { emitCondition, type Width } from '../expressions/generate.ts';
import { emitPartial } from './emit-partial.ts';
import { bracketed, emitStore, type KernelContext, SharedValues } from './emit-store.ts';
import type { FragmentOutput, TumblingWindow } from './fragment.ts';
import { type OutputColumn, outputColumn, windowHash } from './kernel-memory.ts';

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
