import { BraidError, unreachable } from '../base/errors.ts';
import type { DataType } from '../data/data-type.ts';
import type { Case, Expression, Literal } from './expression.ts';
import { emitCast } from './generate-cast.ts';
import { emitFunction } from './generate-function.ts';
import { assign, declare, declareMutable, type Generation, isTrue } from './generation.ts';
import { expressionDepthMax, expressionNodesMax } from './limits.ts';
import { emptyBytes } from './runtime.ts';

/**
 * Generated code of one value.
 *
 * `value` is a JavaScript variable or literal, free of side effects and readable wherever the variables around the
 * call of `emitExpression` are. By type:
 * - BOOLEAN: a JavaScript boolean (not 0 or 1). INT: a number, 32-bit integer. DOUBLE, TIMESTAMP: a number.
 * - BIGINT: narrow, a number that is a safe integer and never -0; wide, a bigint of 64 bits.
 * - STRING: `value` names three variables, `${value}b` (Uint8Array) and `${value}s`, `${value}e` (start and end, int).
 *
 * `isNull` is a JavaScript boolean expression without side effects, 'false' where the value cannot be NULL. Where it is
 * true, the value is unspecified but of the right JavaScript type (so that loops stay monomorphic); for STRING, any
 * bytes with a start and an end within them.
 */
export interface Emitted {
  readonly value: string;
  readonly isNull: string;
}

export interface CodeWriter {
  /** Appends a line: a statement, or the opening or closing of a block. */
  line(code: string): void;
  /** A variable name (and label) that was not used before. */
  fresh(): string;
  /** Name of a hoisted constant: numbers, bigints, byte arrays, functions. Nothing of a user is spliced into code. */
  constant(value: unknown): string;
  /** Statement that abandons the narrow kernel, e.g. `return undefined;`. */
  readonly bail: string;
}

/**
 * `narrow`: BIGINT values are JavaScript numbers; whatever could leave the safe integers is checked and executes
 * `writer.bail`, whereupon the caller runs the same rows again `wide`, where BIGINT values are bigints that wrap at 64 bits.
 */
export type Width = 'narrow' | 'wide';

/**
 * Appends the code that computes `expression` and returns where its value is. What SQL evaluates lazily (CASE, AND,
 * OR, COALESCE) is behind an `if`: a branch that is not taken neither divides by zero nor bails.
 *
 * `column` gives the code of an input column. Its variables must be declared already, outside of the code that is
 * appended here, since the first use may be within an `if`.
 *
 * Errors: PLAN_INVALID for a tree that is too deep or too large. The generated code throws ROW_INVALID, exactly where
 * the interpreter does.
 */
export function emitExpression(
  expression: Expression,
  writer: CodeWriter,
  column: (index: number) => Emitted,
  width: Width,
): Emitted {
  let nodes = 0;
  let depth = 0;
  const generation: Generation = {
    writer,
    width,
    emit(node) {
      if (++nodes > expressionNodesMax || ++depth > expressionDepthMax)
        throw new BraidError('PLAN_INVALID', 'an expression is too large or too deep to generate code for', {
          hint: `at most ${expressionNodesMax} nodes and ${expressionDepthMax} levels`,
        });
      const emitted = emitNode(generation, node, column);
      depth--;
      return emitted;
    },
  };
  return generation.emit(expression);
}

/** As `emitExpression`, for a condition: a JavaScript boolean expression that says whether it is true (not false, not NULL). */
export function emitCondition(
  condition: Expression,
  writer: CodeWriter,
  column: (index: number) => Emitted,
  width: Width,
): string {
  return isTrue(emitExpression(condition, writer, column, width));
}

function emitNode(generation: Generation, node: Expression, column: (index: number) => Emitted): Emitted {
  switch (node.kind) {
    case 'literal':
      return emitLiteral(generation, node);
    case 'column': {
      const emitted = column(node.index);
      // The callback's own text is used more than once and behind operators.
      return /^\w+$/.test(emitted.isNull) ? emitted : { value: emitted.value, isNull: `(${emitted.isNull})` };
    }
    case 'cast':
      return emitCast(generation, node);
    case 'case':
      return emitCase(generation, node);
    case 'call':
      return emitFunction(generation, node);
    default:
      return unreachable(node);
  }
}

function emitLiteral(generation: Generation, { value, type }: Literal): Emitted {
  if (value === null) return { value: nullValue(generation, type), isNull: 'true' };
  switch (type.name) {
    case 'BOOLEAN':
      return { value: value === true ? 'true' : 'false', isNull: 'false' };
    case 'STRING':
      return { value: textConstant(generation, new TextEncoder().encode(String(value))), isNull: 'false' };
    case 'BIGINT': {
      const wide = BigInt(value);
      if (generation.width === 'wide') return { value: wide < 0n ? `(${wide}n)` : `${wide}n`, isNull: 'false' };
      const narrow = Number(wide);
      if (Number.isSafeInteger(narrow)) return { value: numberLiteral(narrow), isNull: 'false' };
      generation.writer.line(generation.writer.bail);
      return { value: '0', isNull: 'false' };
    }
    default:
      return { value: numberLiteral(Number(value)), isNull: 'false' };
  }
}

/** The text of a number, from its value alone: digits, sign, point and exponent, or one of three words. */
function numberLiteral(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value < 0 ? '(-Infinity)' : 'Infinity';
  return value < 0 || Object.is(value, -0) ? `(-${-value})` : `${value}`;
}

function textConstant({ writer }: Generation, bytes: Uint8Array): string {
  const name = writer.fresh();
  writer.line(`const ${name}b = ${writer.constant(bytes)}, ${name}s = 0, ${name}e = ${bytes.length};`);
  return name;
}

function nullValue(generation: Generation, type: DataType): string {
  switch (type.name) {
    case 'BOOLEAN':
      return 'false';
    case 'STRING':
      return textConstant(generation, emptyBytes);
    case 'BIGINT':
      return generation.width === 'wide' ? '0n' : '0';
    default:
      return '0';
  }
}

/** A labelled block: each condition is reached only if those before it were not true. */
function emitCase(generation: Generation, node: Case): Emitted {
  const { writer } = generation;
  const value = declareMutable(generation, node.type);
  const isNull = node.type.nullable ? declare(writer, 'let', 'false') : 'false';
  const done = writer.fresh();
  const settle = (result: Emitted): void => {
    assign(generation, node.type, value, result.value);
    if (isNull !== 'false') writer.line(`${isNull} = ${result.isNull};`);
  };
  writer.line(`${done}: {`);
  for (const branch of node.branches) {
    writer.line(`if (${isTrue(generation.emit(branch.when))}) {`);
    settle(generation.emit(branch.then));
    writer.line(`break ${done};`);
    writer.line('}');
  }
  settle(generation.emit(node.otherwise));
  writer.line('}');
  return { value, isNull };
}
