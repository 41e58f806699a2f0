import { BraidError } from '../../lib/base/errors.ts';
import type { Value } from '../../lib/data/data-type.ts';
import type { Schema } from '../../lib/data/schema.ts';
import type { Expression } from '../../lib/expressions/expression.ts';
import {
  type CodeWriter,
  type Emitted,
  emitCondition,
  emitExpression,
  type Width,
} from '../../lib/expressions/generate.ts';
import { interpret } from '../../lib/expressions/interpret.ts';

/** What an evaluation came to: a value, or the code of the error that it threw. */
export type Outcome = { readonly value: Value } | { readonly error: string };

/** Code of one expression, its hoisted constants, and how its columns are called (`c0`, `n0`; texts `c0b c0s c0e`). */
export interface GeneratedCode {
  readonly code: string;
  readonly constants: readonly unknown[];
  readonly parameters: readonly string[];
}

/** The result is an array [is NULL, value] (texts: bytes, start, end), or `undefined` where narrow code bails. */
export function generateCode(expression: Expression, schema: Schema, width: Width): GeneratedCode {
  const lines: string[] = [];
  const constants: unknown[] = [];
  let names = 0;
  const writer: CodeWriter = {
    line: code => lines.push(code),
    fresh: () => `v${names++}`,
    constant(value) {
      const at = constants.indexOf(value);
      return `k${at < 0 ? constants.push(value) - 1 : at}`;
    },
    bail: 'return undefined;',
  };
  const parameters = schema.fields.flatMap(({ type }, i) => [
    ...(type.name === 'STRING' ? [`c${i}b`, `c${i}s`, `c${i}e`] : [`c${i}`]),
    ...(type.nullable ? [`n${i}`] : []),
  ]);
  const column = (index: number): Emitted => ({
    value: `c${index}`,
    isNull: schema.fields[index]!.type.nullable ? `n${index}` : 'false',
  });
  const { value, isNull } = emitExpression(expression, writer, column, width);
  const result = expression.type.name === 'STRING' ? `${value}b, ${value}s, ${value}e` : value;
  if (expression.type.name === 'BOOLEAN') {
    const condition = emitCondition(expression, writer, column, width);
    lines.push(`return [${isNull}, ${result}, ${condition}];`);
  } else lines.push(`return [${isNull}, ${result}];`);
  return { code: lines.join('\n'), constants, parameters };
}

type Compiled = (row: readonly Value[]) => unknown;

/** Runs generated code over rows as values; NULLs are given as garbage of the right type, as a kernel may. */
function compile(expression: Expression, schema: Schema, width: Width): Compiled {
  const { code, constants, parameters } = generateCode(expression, schema, width);
  const names = constants.map((_, i) => `k${i}`);
  const run = new Function(...names, `'use strict'; return function (${parameters.join(', ')}) {\n${code}\n}`)(
    ...constants,
  ) as (...args: unknown[]) => unknown;
  return row =>
    run(
      ...schema.fields.flatMap(({ type }, i) => {
        const value = row[i]!;
        const present = argumentsOf(value ?? garbage[type.name], width);
        return type.nullable ? [...present, value === null] : present;
      }),
    );
}

/** Zero divisors and numbers that are not safe: what lies in the value of a NULL row must never matter. */
const garbage = {
  BOOLEAN: true,
  INT: 0,
  BIGINT: 2n ** 60n,
  DOUBLE: Number.NaN,
  STRING: 'garbage',
  TIMESTAMP: Number.NaN,
} as const;

const encoder = new TextEncoder();

function argumentsOf(value: NonNullable<Value>, width: Width): unknown[] {
  if (typeof value === 'string') {
    const bytes = encoder.encode(`<${value}>`);
    return [bytes, 1, bytes.length - 1];
  }
  return [typeof value === 'bigint' && width === 'narrow' ? Number(value) : value];
}

/** All ways to evaluate: the interpreter, wide code, and narrow code where it applies and does not bail. */
export interface Evaluations {
  readonly interpreted: Outcome;
  readonly wide: Outcome;
  /** 'bailed' where the code gave up; 'unfit' where the row has a BIGINT that is no safe integer. */
  readonly narrow: Outcome | 'bailed' | 'unfit';
}

export function evaluator(expression: Expression, schema: Schema): (row: readonly Value[]) => Evaluations {
  const wide = compile(expression, schema, 'wide');
  const narrow = compile(expression, schema, 'narrow');
  const { name } = expression.type;
  return row => ({
    interpreted: attempt(() => interpret(expression, index => row[index]!)),
    wide: attempt(() => resultOf(wide(row), name)),
    narrow: row.some(value => typeof value === 'bigint' && !Number.isSafeInteger(Number(value)))
      ? 'unfit'
      : attemptNarrow(() => narrow(row), name),
  });
}

function attempt(evaluate: () => Value): Outcome {
  try {
    return { value: evaluate() };
  } catch (error) {
    if (error instanceof BraidError) return { error: error.code };
    throw error;
  }
}

function attemptNarrow(run: () => unknown, name: string): Outcome | 'bailed' {
  let bailed = false;
  const outcome = attempt(() => {
    const result = run();
    bailed = result === undefined;
    return bailed ? null : resultOf(result, name);
  });
  return bailed ? 'bailed' : outcome;
}

/** Reads a result and holds its representation: no value that is not exactly of the form that `Emitted` promises. */
function resultOf(result: unknown, name: string): Value {
  const [isNull, value, second, third] = result as [boolean, unknown, unknown, unknown];
  if (typeof isNull !== 'boolean') throw new Error(`isNull is ${String(isNull)}`);
  if (name === 'BOOLEAN' && second !== (!isNull && value === true)) throw new Error('emitCondition differs');
  const form = (right: boolean): void => {
    if (!right) throw new Error(`${String(value)} is not of the form of a ${name}`);
  };
  if (isNull) {
    if (name === 'BIGINT') form(typeof value === 'number' || typeof value === 'bigint');
    else form(typeof value === { BOOLEAN: 'boolean', STRING: 'object' }[name] || typeof value === 'number');
    return null;
  }
  switch (name) {
    case 'BOOLEAN':
      form(typeof value === 'boolean');
      return value as boolean;
    case 'INT':
      form(Object.is((value as number) | 0, value));
      return value as number;
    case 'BIGINT':
      if (typeof value === 'bigint') return value;
      form(Number.isSafeInteger(value) && !Object.is(value, -0));
      return BigInt(value as number);
    case 'STRING':
      return new TextDecoder('utf-8', { ignoreBOM: true, fatal: true }).decode(
        (value as Uint8Array).subarray(second as number, third as number),
      );
    default:
      form(typeof value === 'number');
      return value as number;
  }
}
