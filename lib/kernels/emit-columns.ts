import type { Batch } from '../data/batch.ts';
import type { Column } from '../data/column.ts';
import type { DataType } from '../data/data-type.ts';
import type { Expression } from '../expressions/expression.ts';
import type { Emitted } from '../expressions/generate.ts';
import { operandsOf } from '../expressions/limits.ts';
import { emitRowBody, outputColumns, reload, save } from './emit-output.ts';
import type { KernelContext } from './emit-store.ts';
import type { Fragment } from './fragment.ts';
import type { KernelMemory } from './kernel-memory.ts';
import type { KernelWriter } from './kernel-writer.ts';

/** A generated loop over the rows of a columnar batch. Returns 0, or `outcomes.bail`. */
export type ColumnsKernel = (memory: KernelMemory, batch: Batch, lateAt: number) => number;

/** Generates the loop: columns, event time, filter, output. `noEventTime(row)` throws. */
export function buildColumnsKernel(
  writer: KernelWriter,
  fragment: Fragment,
  width: 'narrow' | 'wide',
  noEventTime: (row: number) => never,
): ColumnsKernel {
  const { fields } = fragment.input.schema;
  const context: KernelContext = { writer, width, fragment, column: index => columnCode(fields[index]!.type, index) };
  const columns = outputColumns(fragment.output, width);
  const used = [...columnsUsed(fragment)].sort((a, b) => a - b);
  const input = writer.constant(columnFor);
  for (const index of used) {
    const { type } = fields[index]!;
    writer.line(`const i${index} = ${input}(batch.columns[${index}], ${width === 'wide'});`);
    writer.line(`if (i${index} === undefined) { ${writer.bail} }`);
    if (type.name === 'STRING') {
      writer.line(`const f${index}b = i${index}.bytes, i${index}s = i${index}.starts, i${index}e = i${index}.ends;`);
    } else writer.line(`const i${index}v = i${index}.values;`);
    if (type.nullable) writer.line(`const i${index}n = i${index}.validity;`);
  }
  writer.line('let windowStart = NaN, windowEnd = NaN, windowed = 0;');
  writer.line('const rows = batch.rows;');
  writer.line(reload(columns, true));
  writer.line('row: for (let i = 0; i < rows; i++) {');
  for (const index of used) emitLoad(writer, fields[index]!.type, index);
  emitRowBody(context, `${writer.constant(noEventTime)}(i);`);
  writer.line('}');
  writer.line(save(columns));
  writer.line('M.rowsIn += rows;');
  writer.line('return 0;');
  return writer.build<ColumnsKernel>('M, batch, lateAt');
}

function columnCode(type: DataType, index: number): Emitted {
  return { value: `f${index}`, isNull: type.nullable ? `n${index}` : 'false' };
}

function emitLoad(writer: KernelWriter, type: DataType, index: number): void {
  if (type.nullable)
    writer.line(`const n${index} = i${index}n !== undefined && (i${index}n[i >> 3] & (1 << (i & 7))) === 0;`);
  if (type.name === 'STRING') writer.line(`const f${index}s = i${index}s[i], f${index}e = i${index}e[i];`);
  else writer.line(`const f${index} = i${index}v[i]${type.name === 'BOOLEAN' ? ' === 1' : ''};`);
}

/** A column in the one form that the kernel's code reads; undefined where narrow code meets a wide column. */
function columnFor(column: Column, isWide: boolean): Column | undefined {
  switch (column.kind) {
    case 'wide':
      return isWide ? column : undefined;
    case 'narrow':
      return isWide
        ? { kind: 'wide', values: BigInt64Array.from(column.values, value => BigInt(value)), validity: column.validity }
        : column;
    case 'dictionary': {
      const { dictionary, codes, validity } = column;
      const starts = Int32Array.from(codes, code => dictionary.starts[code] ?? 0);
      const ends = Int32Array.from(codes, code => dictionary.ends[code] ?? 0);
      return { kind: 'utf8', bytes: dictionary.bytes, starts, ends, validity };
    }
    default:
      return column;
  }
}

function columnsUsed({ eventTime, filter, output }: Fragment): Set<number> {
  const roots: (Expression | undefined)[] = [eventTime, filter];
  if (output.kind === 'rows') roots.push(...output.columns);
  else {
    roots.push(...output.keys);
    for (const { argument, filter: condition } of output.accumulators) roots.push(argument, condition);
  }
  const used = new Set<number>();
  const visit = (expression: Expression): void => {
    if (expression.kind === 'column') used.add(expression.index);
    operandsOf(expression).forEach(visit);
  };
  for (const root of roots) if (root !== undefined) visit(root);
  return used;
}
