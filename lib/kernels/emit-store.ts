import type { DataType } from '../data/data-type.ts';
import { sameExpression } from '../expressions/aggregates.ts';
import type { Expression } from '../expressions/expression.ts';
import { type Emitted, emitExpression, type Width } from '../expressions/generate.ts';
import type { Fragment } from './fragment.ts';
import type { KernelWriter } from './kernel-writer.ts';

/** What the parts of the generator share. `column` is the code of an input column. */
export interface KernelContext {
  readonly writer: KernelWriter;
  readonly width: Width;
  readonly fragment: Fragment;
  readonly column: (index: number) => Emitted;
}

/** Expressions that occur more than once are computed once a row. Only for code that every row reaches. */
export class SharedValues {
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

export function bracketed(condition: string): string {
  return `(${condition})`;
}

/** Stores a value at row `row` of column c. */
export function emitStore(
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
