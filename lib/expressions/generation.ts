import type { DataType } from '../data/data-type.ts';
import type { Expression } from './expression.ts';
import type { CodeWriter, Emitted, Width } from './generate.ts';
import { emptyBytes } from './runtime.ts';

/** What the parts of the generator share while they emit one expression. */
export interface Generation {
  readonly writer: CodeWriter;
  readonly width: Width;
  /** Emits a sub-expression. */
  emit(expression: Expression): Emitted;
}

/** Declares a variable with an initial value and returns its name. */
export function declare(writer: CodeWriter, keyword: 'const' | 'let', initial: string): string {
  const name = writer.fresh();
  writer.line(`${keyword} ${name} = ${initial};`);
  return name;
}

/** Declares the variable (for STRING: the three variables) of a value that is assigned in branches. */
export function declareMutable({ writer, width }: Generation, type: DataType): string {
  switch (type.name) {
    case 'BOOLEAN':
      return declare(writer, 'let', 'false');
    case 'STRING': {
      const name = writer.fresh();
      writer.line(`let ${name}b = ${writer.constant(emptyBytes)}, ${name}s = 0, ${name}e = 0;`);
      return name;
    }
    case 'BIGINT':
      return declare(writer, 'let', width === 'wide' ? '0n' : '0');
    default:
      return declare(writer, 'let', '0');
  }
}

/** Bytes, start and end of a STRING. */
export function textVariables(value: string): readonly [string, string, string] {
  return [`${value}b`, `${value}s`, `${value}e`];
}

/** Copies a value into variables that `declareMutable` made. */
export function assign({ writer }: Generation, type: DataType, target: string, value: string): void {
  if (type.name !== 'STRING') {
    writer.line(`${target} = ${value};`);
    return;
  }
  const from = textVariables(value);
  writer.line(
    textVariables(target)
      .map((name, i) => `${name} = ${from[i]};`)
      .join(' '),
  );
}

/** NULL where any operand is: what all functions but the lazy ones do. */
export function anyNull(generation: Generation, operands: readonly Emitted[]): string {
  const parts = [...new Set(operands.map(operand => operand.isNull).filter(isNull => isNull !== 'false'))];
  if (parts.length === 0) return 'false';
  if (parts.includes('true')) return 'true';
  return parts.length === 1 ? parts[0]! : declare(generation.writer, 'const', parts.join(' || '));
}

/** A JavaScript boolean expression: the condition is true, not false and not NULL. */
export function isTrue({ value, isNull }: Emitted): string {
  if (isNull === 'false') return value;
  return isNull === 'true' ? 'false' : `(!${isNull} && ${value})`;
}

/** Prefix of a check that does not concern NULL rows, whose values are unspecified. */
export function unlessNull(isNull: string): string {
  return isNull === 'false' ? '' : `!${isNull} && `;
}

/** A bigint from a number. BigInt refuses what is no integer, which the value of a NULL row may be. */
export function toBigint(value: string, isNull: string): string {
  return isNull === 'false' ? `BigInt(${value})` : `${isNull} ? 0n : BigInt(${value})`;
}
