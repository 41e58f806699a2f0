import { unreachable } from '../base/errors.ts';
import type { Call, Expression } from './expression.ts';
import type { Emitted } from './generate.ts';
import { emitTextExtreme } from './generate-text.ts';
import { anyNull, declare, type Generation, unlessNull } from './generation.ts';
import { divisionByZero, greatestDouble, leastDouble } from './runtime.ts';

type ArithmeticOperator = '+' | '-' | '*' | '/' | '%';

export function emitArithmetic(generation: Generation, call: Call, operator: ArithmeticOperator): Emitted {
  const [left, right] = call.args as readonly [Expression, Expression];
  const a = generation.emit(left);
  const b = generation.emit(right);
  const isNull = anyNull(generation, [a, b]);
  const name = left.type.name;
  if (name === 'DOUBLE')
    return { value: declare(generation.writer, 'const', `${a.value} ${operator} ${b.value}`), isNull };
  if ((operator === '/' || operator === '%') && !isNonZero(right)) emitZeroCheck(generation, name, b, isNull);
  if (name === 'INT') return { value: declare(generation.writer, 'const', int(operator, a.value, b.value)), isNull };
  if (generation.width === 'narrow') return emitNarrow(generation, operator, a, b, isNull, right);
  const wide = emitWide(generation, operator, a, b, isNull, right);
  // BIGINT % INT is an INT; in narrow code it is that number already.
  return call.type.name === 'INT'
    ? { value: declare(generation.writer, 'const', `Number(${wide.value})`), isNull }
    : wide;
}

/** Wraps at 32 bits, as Java does. A quotient or remainder of two 32-bit integers is exact as a double; `| 0` turns -0 into 0. */
function int(operator: ArithmeticOperator, a: string, b: string): string {
  return operator === '*' ? `Math.imul(${a}, ${b})` : `(${a} ${operator} ${b}) | 0`;
}

/** A non-zero literal divisor needs no check. Not so behind a cast: CAST(0.1 AS INT) is 0. */
function isNonZero(divisor: Expression): boolean {
  return divisor.kind === 'literal' && divisor.value !== null && Number(divisor.value) !== 0;
}

function emitZeroCheck({ writer, width }: Generation, name: string, divisor: Emitted, isNull: string): void {
  const zero = name === 'BIGINT' && width === 'wide' ? '0n' : '0';
  writer.line(`if (${unlessNull(isNull)}${divisor.value} === ${zero}) ${writer.constant(divisionByZero)}();`);
}

/** Wraps at 64 bits, as Java does. V8 computes asIntN(64, a + b) without allocating while it stays in registers. */
function emitWide(
  generation: Generation,
  operator: ArithmeticOperator,
  a: Emitted,
  b: Emitted,
  isNull: string,
  right: Expression,
): Emitted {
  // A bigint division by zero throws, and the value of a NULL row may be zero.
  const mayThrow = (operator === '/' || operator === '%') && isNull !== 'false' && !isNonZero(right);
  const divisor = mayThrow ? `(${isNull} ? 1n : ${b.value})` : b.value;
  return { value: declare(generation.writer, 'const', `BigInt.asIntN(64, ${a.value} ${operator} ${divisor})`), isNull };
}

/**
 * Safe integers in, a safe integer out, or `bail`. Why doubles are enough, with M = 2^53 - 1:
 * - sums, differences and products are exact up to M, and what is beyond M is rounded to something beyond M;
 * - the rounded quotient of two safe integers never reaches the next integer, because k - 1/b rounds to k only if
 *   k * b > M; hence truncation is exact, and so are a quotient times its divisor and the remainder.
 * `+ 0` turns -0 into 0: a narrow BIGINT is never -0, else keys that are equal would hash differently.
 */
function emitNarrow(
  generation: Generation,
  operator: ArithmeticOperator,
  a: Emitted,
  b: Emitted,
  isNull: string,
  right: Expression,
): Emitted {
  const { writer } = generation;
  const positive = right.kind === 'literal' && Number(right.value) > 0;
  switch (operator) {
    case '/':
      return { value: declare(writer, 'const', `Math.trunc(${a.value} / ${b.value}) + 0`), isNull };
    case '%':
      // Faster than `%`, which is a call of fmod for doubles.
      return {
        value: declare(writer, 'const', `${a.value} - Math.trunc(${a.value} / ${b.value}) * ${b.value}`),
        isNull,
      };
    default: {
      const zero = operator === '*' && !positive ? ' + 0' : '';
      const value = declare(writer, 'const', `${a.value} ${operator} ${b.value}${zero}`);
      emitSafeCheck(generation, value, isNull);
      return { value, isNull };
    }
  }
}

/** Bails where a number is no safe integer. */
export function emitSafeCheck({ writer }: Generation, value: string, isNull: string): void {
  const outside = `${value} > 9007199254740991 || ${value} < -9007199254740991`;
  writer.line(`if (${isNull === 'false' ? outside : `!${isNull} && (${outside})`}) ${writer.bail}`);
}

/** Unary minus and ABS; both wrap for the smallest integer. */
export function emitSigned(generation: Generation, call: Call, fn: 'negate' | 'abs'): Emitted {
  const operand = generation.emit(call.args[0]!);
  const { value, isNull } = operand;
  const wide = generation.width === 'wide';
  let code: string;
  switch (call.type.name) {
    case 'INT':
      code = fn === 'negate' ? `(0 - ${value}) | 0` : `(${value} < 0 ? 0 - ${value} : ${value}) | 0`;
      break;
    case 'BIGINT':
      if (wide)
        code =
          fn === 'negate' ? `BigInt.asIntN(64, -${value})` : `BigInt.asIntN(64, ${value} < 0n ? -${value} : ${value})`;
      else code = fn === 'negate' ? `0 - ${value}` : `Math.abs(${value})`;
      break;
    default:
      code = fn === 'negate' ? `-${value}` : `Math.abs(${value})`;
  }
  return { value: declare(generation.writer, 'const', code), isNull };
}

/** LEAST and GREATEST: NULL if any argument is. */
export function emitExtreme(generation: Generation, call: Call, fn: 'least' | 'greatest'): Emitted {
  const operands = call.args.map(argument => generation.emit(argument));
  const isNull = anyNull(generation, operands);
  const name = call.type.name;
  if (name === 'STRING') return emitTextExtreme(generation, operands, isNull, fn);
  const pick = (a: string, b: string): string => {
    switch (name) {
      case 'DOUBLE':
        return `${generation.writer.constant(fn === 'least' ? leastDouble : greatestDouble)}(${a}, ${b})`;
      case 'INT':
      case 'BIGINT':
      case 'TIMESTAMP':
        return `${b} ${fn === 'least' ? '<' : '>'} ${a} ? ${b} : ${a}`;
      default:
        return unreachable(name as never);
    }
  };
  const value = operands
    .map(operand => operand.value)
    .reduce((best, next) => declare(generation.writer, 'const', pick(best, next)));
  return { value, isNull };
}
