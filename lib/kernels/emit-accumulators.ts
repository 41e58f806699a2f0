import type { DataType } from '../data/data-type.ts';
import type { Accumulator } from '../expressions/aggregate.ts';
import { emitExpression, type Width } from '../expressions/generate.ts';
import { compareText, greatestDouble, leastDouble } from '../expressions/runtime.ts';
import { emitStore, type KernelContext, type SharedValues } from './emit-store.ts';

/** First value of an accumulator, before any row; that of a minimum or maximum loses against every other one. */
export function emitInitial({ writer, width }: KernelContext, { op, type }: Accumulator, c: number): void {
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

export function emitAccumulate(
  context: KernelContext,
  accumulator: Accumulator,
  c: number,
  shared: SharedValues,
): void {
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
