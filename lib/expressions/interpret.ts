import { BraidError, unreachable } from '../base/errors.ts';
import type { TypeName, Value } from '../data/data-type.ts';
import {
  doubleToBigint,
  doubleToInt,
  formatBoolean,
  formatDouble,
  formatTimestamp,
  parseBoolean,
  parseDouble,
  parseInteger,
  parseTimestamp,
} from './casts.ts';
import type { Call, Cast, Expression } from './expression.ts';

/**
 * Evaluates an expression over one row: the reference that generated code is compared with, written for clarity and not
 * for speed. Three-valued logic; BIGINT is a bigint that wraps at 64 bits; CASE, AND, OR and COALESCE are lazy.
 *
 * `row` gives the value of input column `index` in the form of data-type.ts.
 * Errors: ROW_INVALID for an integer divided by zero and for a text that cannot be cast.
 */
export function interpret(expression: Expression, row: (index: number) => Value): Value {
  switch (expression.kind) {
    case 'literal':
      return expression.value;
    case 'column':
      return row(expression.index);
    case 'cast':
      return castValue(expression, interpret(expression.operand, row));
    case 'case': {
      const branch = expression.branches.find(({ when }) => interpret(when, row) === true);
      return interpret(branch === undefined ? expression.otherwise : branch.then, row);
    }
    case 'call':
      return interpretCall(expression, row);
    default:
      return unreachable(expression);
  }
}

function interpretCall(call: Call, row: (index: number) => Value): Value {
  switch (call.fn) {
    case 'and':
    case 'or': {
      const decisive = call.fn === 'or';
      let result: Value = !decisive;
      for (const operand of call.args) {
        const value = interpret(operand, row);
        if (value === decisive) return decisive;
        if (value === null) result = null;
      }
      return result;
    }
    case 'coalesce':
      for (const operand of call.args) {
        const value = interpret(operand, row);
        if (value !== null) return value;
      }
      return null;
    case 'isNull':
      return interpret(call.args[0]!, row) === null;
    case 'isNotNull':
      return interpret(call.args[0]!, row) !== null;
    default: {
      const values = call.args.map(argument => interpret(argument, row));
      return values.includes(null) ? null : applyStrict(call, values as NotNull[]);
    }
  }
}

type NotNull = Exclude<Value, null>;
type StrictCall = Exclude<Call['fn'], 'and' | 'or' | 'coalesce' | 'isNull' | 'isNotNull'>;

/** All functions that are NULL where any argument is; here none is. */
function applyStrict(call: Call, values: readonly NotNull[]): Value {
  const fn = call.fn as StrictCall;
  const [first, second, third] = values as [NotNull, NotNull, NotNull];
  switch (fn) {
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
      return arithmetic(fn, call, first as number, second as number);
    case 'negate':
      return fit(call.type.name, -(first as number));
    case 'abs':
      return absolute(call.type.name, first as number);
    case '=':
      return first === second;
    case '<>':
      return first !== second;
    case '<':
      return isLess(first, second);
    case '<=':
      return isLess(first, second) || first === second;
    case '>':
      return isLess(second, first);
    case '>=':
      return isLess(second, first) || first === second;
    case 'not':
      return !first;
    case 'least':
      return values.reduce((best, next) => (compareTotal(next, best) < 0 ? next : best));
    case 'greatest':
      return values.reduce((best, next) => (compareTotal(next, best) > 0 ? next : best));
    case 'lower':
      return String(first).toLowerCase();
    case 'upper':
      return String(first).toUpperCase();
    case 'charLength':
      return [...String(first)].length;
    case 'concat':
      return values.join('');
    case 'substring':
      return substring(String(first), second as number, third as number | undefined);
    case 'startsWith':
      return String(first).startsWith(String(second));
    case 'hour':
      return BigInt(new Date(first as number).getUTCHours());
    case 'dayOfWeek':
      return BigInt(new Date(first as number).getUTCDay() + 1);
    case 'plusMs':
      return (first as number) + (second as number);
    case 'floorTo':
      return floorDate(first as number, String(second));
    default:
      return unreachable(fn);
  }
}

/** The types say `number`; BIGINT comes as bigint, for which the operators are the same. */
function arithmetic(operator: '+' | '-' | '*' | '/' | '%', call: Call, a: number, b: number): Value {
  const name = call.args[0]!.type.name;
  if (name !== 'DOUBLE' && (operator === '/' || operator === '%') && Number(b) === 0)
    throw new BraidError('ROW_INVALID', 'an integer was divided by zero', {
      hint: 'guard it with CASE WHEN, or cast to DOUBLE, where the result is Infinity or NaN',
    });
  // Integers are computed as bigints, so that no intermediate result is rounded.
  const [x, y] = name === 'DOUBLE' ? [a, b] : [BigInt(a) as unknown as number, BigInt(b) as unknown as number];
  switch (operator) {
    case '+':
      return fit(call.type.name, x + y);
    case '-':
      return fit(call.type.name, x - y);
    case '*':
      return fit(call.type.name, x * y);
    case '/':
      return fit(call.type.name, x / y);
    case '%':
      return fit(call.type.name, x % y);
  }
}

function absolute(name: TypeName, value: number): Value {
  if (name === 'DOUBLE') return Math.abs(value);
  return fit(name, value < 0 ? -value : value);
}

/** Wraps an integer to the width of its type. */
function fit(name: TypeName, value: number | bigint): Value {
  if (name === 'DOUBLE') return Number(value);
  return name === 'INT' ? Number(BigInt.asIntN(32, BigInt(value))) : BigInt.asIntN(64, BigInt(value));
}

function isLess(a: NotNull, b: NotNull): boolean {
  return typeof a === 'string' && typeof b === 'string' ? compareCodePoints(a, b) < 0 : a < b;
}

/** Texts by code point, which is the order of their UTF-8 bytes; doubles as Java orders them: -0 < 0, NaN last. */
function compareTotal(a: NotNull, b: NotNull): number {
  if (typeof a === 'string' && typeof b === 'string') return compareCodePoints(a, b);
  const rank = (value: NotNull): number => (Number.isNaN(value) ? 1 : 0);
  if (rank(a) !== rank(b)) return rank(a) - rank(b);
  if (a < b) return -1;
  if (a > b) return 1;
  return Number(Object.is(b, -0)) - Number(Object.is(a, -0));
}

function compareCodePoints(a: string, b: string): number {
  const left = [...a];
  const right = [...b];
  const at = left.findIndex((character, i) => character !== right[i]);
  if (at < 0) return left.length - right.length;
  return at < right.length ? left[at]!.codePointAt(0)! - right[at]!.codePointAt(0)! : 1;
}

function substring(text: string, from: number, length: number | undefined): string | null {
  if (length !== undefined && length < 0) return null;
  const characters = [...text];
  const start = from > 0 ? from - 1 : from === 0 ? 0 : characters.length + from;
  if (start < 0) return '';
  return characters.slice(start, length === undefined ? undefined : start + length).join('');
}

function floorDate(time: number, unit: string): number {
  const date = new Date(time);
  switch (unit) {
    case 'WEEK':
      date.setUTCDate(date.getUTCDate() - date.getUTCDay());
      break;
    case 'YEAR':
      date.setUTCMonth(0, 1);
      break;
    case 'QUARTER':
      date.setUTCMonth(date.getUTCMonth() - (date.getUTCMonth() % 3), 1);
      break;
    case 'MONTH':
      date.setUTCDate(1);
      break;
  }
  if (unit === 'SECOND') date.setUTCMilliseconds(0);
  else if (unit === 'MINUTE') date.setUTCSeconds(0, 0);
  else if (unit === 'HOUR') date.setUTCMinutes(0, 0, 0);
  else date.setUTCHours(0, 0, 0, 0);
  return date.getTime();
}

function castValue(cast: Cast, value: Value): Value {
  if (value === null) return null;
  const from = cast.operand.type.name;
  switch (cast.type.name) {
    case 'BOOLEAN':
      if (typeof value === 'string') return parseBoolean(value);
      return typeof value === 'boolean' ? value : Number(value) !== 0;
    case 'INT':
      if (typeof value === 'string') return Number(parseInteger(value, 'INT'));
      return from === 'DOUBLE' ? doubleToInt(value as number) : fit('INT', BigInt(value));
    case 'BIGINT':
      if (typeof value === 'string') return parseInteger(value, 'BIGINT');
      return from === 'DOUBLE' ? doubleToBigint(value as number) : BigInt(value);
    case 'DOUBLE':
      return typeof value === 'string' ? parseDouble(value) : Number(value);
    case 'TIMESTAMP':
      return typeof value === 'string' ? parseTimestamp(value) : value;
    case 'STRING':
      if (typeof value === 'boolean') return formatBoolean(value);
      if (from === 'DOUBLE') return formatDouble(value as number);
      return from === 'TIMESTAMP' ? formatTimestamp(value as number) : String(value);
    default:
      return unreachable(cast.type.name);
  }
}
