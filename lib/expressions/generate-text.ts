import { unreachable } from '../base/errors.ts';
import type { Call } from './expression.ts';
import type { Emitted } from './generate.ts';
import { anyNull, assign, declare, declareMutable, type Generation, textVariables } from './generation.ts';
import { charLength, compareText, equalText, startsWith, TextHeap } from './runtime.ts';

type TextFunction = 'lower' | 'upper' | 'charLength' | 'concat' | 'substring' | 'startsWith';

export function emitTextComparison(
  { writer }: Generation,
  a: Emitted,
  b: Emitted,
  isNull: string,
  operator: string,
): Emitted {
  const operands = [...textVariables(a.value), ...textVariables(b.value)].join(', ');
  const code =
    operator === '===' || operator === '!=='
      ? `${operator === '!==' ? '!' : ''}${writer.constant(equalText)}(${operands})`
      : `${writer.constant(compareText)}(${operands}) ${operator} 0`;
  return { value: declare(writer, 'const', code), isNull };
}

export function emitTextExtreme(
  generation: Generation,
  operands: readonly Emitted[],
  isNull: string,
  fn: 'least' | 'greatest',
): Emitted {
  const { writer } = generation;
  const type = { name: 'STRING', nullable: true } as const;
  const value = declareMutable(generation, type);
  operands.forEach((operand, i) => {
    const better = `${writer.constant(compareText)}(${[...textVariables(operand.value), ...textVariables(value)].join(', ')}) ${fn === 'least' ? '<' : '>'} 0`;
    if (i > 0) writer.line(`if (${better}) {`);
    assign(generation, type, value, operand.value);
    if (i > 0) writer.line('}');
  });
  return { value, isNull };
}

export function emitText(generation: Generation, call: Call, fn: TextFunction): Emitted {
  const { writer } = generation;
  const operands = call.args.map(argument => generation.emit(argument));
  const isNull = anyNull(generation, operands);
  const text = textVariables(operands[0]!.value).join(', ');
  switch (fn) {
    case 'charLength':
      return { value: declare(writer, 'const', `${writer.constant(charLength)}(${text})`), isNull };
    case 'startsWith': {
      const prefix = textVariables(operands[1]!.value).join(', ');
      return { value: declare(writer, 'const', `${writer.constant(startsWith)}(${text}, ${prefix})`), isNull };
    }
    case 'lower':
    case 'upper':
      return emitWritten(generation, isNull, heap => writer.line(`${heap}.${fn}(${text});`));
    case 'concat':
      return emitWritten(generation, isNull, heap => {
        const length = operands.map(({ value }) => `${value}e - ${value}s`).join(' + ');
        writer.line(`${heap}.begin(${length});`);
        for (const { value } of operands) writer.line(`${heap}.append(${textVariables(value).join(', ')});`);
      });
    case 'substring':
      return emitSubstring(generation, call, operands, isNull);
    default:
      return unreachable(fn);
  }
}

function emitSubstring(generation: Generation, call: Call, operands: readonly Emitted[], isNull: string): Emitted {
  const { writer } = generation;
  const [text, from, length] = operands as readonly [Emitted, Emitted, Emitted | undefined];
  const cut = emitWritten(generation, isNull, heap =>
    writer.line(
      `${heap}.slice(${textVariables(text.value).join(', ')}, ${from.value}, ${length?.value ?? '2147483647'});`,
    ),
  );
  if (length === undefined || !call.type.nullable) return cut;
  // A negative length gives NULL.
  return {
    value: cut.value,
    isNull: declare(writer, 'const', isNull === 'false' ? `${length.value} < 0` : `${isNull} || ${length.value} < 0`),
  };
}

/** Lets `write` leave a text in the heap, unless the value is NULL, and takes it over into variables. */
export function emitWritten(generation: Generation, isNull: string, write: (heap: string) => void): Emitted {
  const { writer } = generation;
  const value = declareMutable(generation, { name: 'STRING', nullable: true });
  if (isNull === 'true') return { value, isNull };
  const heap = writer.constant(TextHeap.shared);
  if (isNull !== 'false') writer.line(`if (!${isNull}) {`);
  write(heap);
  writer.line(`${value}b = ${heap}.bytes; ${value}s = ${heap}.start; ${value}e = ${heap}.end;`);
  if (isNull !== 'false') writer.line('}');
  return { value, isNull };
}
