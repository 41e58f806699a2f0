import { decodeUtf8 } from '../base/byte-reader.ts';
import { didYouMean } from '../base/did-you-mean.ts';
import { BraidError } from '../base/errors.ts';
import { type DataType, dataType, formatType, type TypeName, type Value } from '../data/data-type.ts';
import { columnIndex, type Schema } from '../data/schema.ts';
import { canCast, castTargets } from './casts.ts';
import {
  type Case,
  type ColumnReference,
  type Expression,
  type FunctionName,
  functionNames,
  type Literal,
} from './expression.ts';
import { commonTypeOf, functionRules } from './functions.ts';
import { sealed } from './limits.ts';

/**
 * A constant. Without `name` its type is that of the value: boolean BOOLEAN, string STRING, bigint BIGINT; a number is
 * INT, or BIGINT if it is a safe integer beyond 32 bits, else DOUBLE. NULL and TIMESTAMP (milliseconds) need `name`.
 * Errors: TYPE_MISMATCH where the value is not one of that type.
 *
 *     literal(5)  literal(5, 'DOUBLE')  literal(Date.UTC(2001, 0, 1), 'TIMESTAMP')  literal(null, 'INT')
 */
export function literal(value: Value, name: TypeName | undefined = typeOf(value)): Literal {
  if (name === undefined)
    throw new BraidError('TYPE_MISMATCH', 'NULL needs a type', { hint: "name it: literal(null, 'INT')" });
  return sealed({ kind: 'literal', value: checked(value, name), type: dataType(name, value === null) });
}

function typeOf(value: Value): TypeName | undefined {
  switch (typeof value) {
    case 'boolean':
      return 'BOOLEAN';
    case 'string':
      return 'STRING';
    case 'bigint':
      return 'BIGINT';
    case 'number':
      if ((value | 0) === value) return 'INT';
      return Number.isSafeInteger(value) ? 'BIGINT' : 'DOUBLE';
    default:
      return undefined;
  }
}

/** The value in the form that its type has everywhere (see data-type.ts). */
function checked(value: Value, name: TypeName): Value {
  if (value === null) return null;
  switch (name) {
    case 'BOOLEAN':
      if (typeof value === 'boolean') return value;
      break;
    case 'STRING':
      // Half of a surrogate pair has no UTF-8 form; encoding replaces it.
      if (typeof value === 'string') return decodeUtf8(new TextEncoder().encode(value));
      break;
    case 'INT':
      if (typeof value === 'number' && (value | 0) === value) return value + 0;
      break;
    case 'BIGINT': {
      const whole = typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value));
      if (whole && BigInt.asIntN(64, BigInt(value)) === BigInt(value)) return BigInt(value);
      break;
    }
    case 'DOUBLE':
      if (typeof value === 'number') return value;
      break;
    case 'TIMESTAMP':
      if (typeof value === 'number' && Number.isSafeInteger(value)) return value + 0;
      break;
  }
  throw new BraidError('TYPE_MISMATCH', `the constant ${shown(value)} is not a ${name}`, { place: 'literal' });
}

function shown(value: Value): string {
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 64)) : String(value);
}

/** A column of the input, by name. Errors: COLUMN_UNKNOWN, with the nearest name as a hint. */
export function column(schema: Schema, name: string): ColumnReference {
  return columnAt(schema, columnIndex(schema, name));
}

/** A column of the input, by index. */
export function columnAt(schema: Schema, index: number): ColumnReference {
  const field = schema.fields[index];
  if (field === undefined)
    throw new BraidError('COLUMN_UNKNOWN', `there is no column ${index}, only ${schema.fields.length}`);
  return sealed({ kind: 'column', index, type: field.type });
}

/**
 * A call of a built-in function. Arguments are checked, and numbers widened, by Flink's rules (functions.ts).
 * Errors: TYPE_MISMATCH for a wrong type or number of arguments, PLAN_INVALID for a tree that became too large.
 */
export function call(fn: FunctionName, args: readonly Expression[]): Expression {
  const rule = Object.hasOwn(functionRules, fn) ? functionRules[fn] : undefined;
  if (rule === undefined)
    throw new BraidError('TYPE_MISMATCH', `there is no function ${fn}`, {
      place: fn,
      hint: didYouMean(fn, functionNames),
    });
  if (args.length < rule.argsMin || args.length > rule.argsMax)
    throw new BraidError('TYPE_MISMATCH', `${rule.sql} got ${args.length} arguments`, {
      place: rule.sql,
      hint: rule.argsMin === rule.argsMax ? `it takes ${rule.argsMin}` : `it takes ${rule.argsMin} to ${rule.argsMax}`,
    });
  const { result, operands } = rule.resolve(args, rule.sql);
  const widened = operands === undefined ? args : args.map(argument => widen(argument, operands));
  return sealed({ kind: 'call', fn, args: Object.freeze([...widened]), type: result });
}

/** Casts where the type differs; a cast of a literal number is a literal. */
function widen(expression: Expression, name: TypeName): Expression {
  if (expression.type.name === name) return expression;
  if (expression.kind === 'literal') {
    if (expression.value === null) return literal(null, name);
    if (name === 'DOUBLE') return literal(Number(expression.value), name);
    if (name === 'BIGINT' && typeof expression.value === 'number') return literal(BigInt(expression.value), name);
  }
  return cast(expression, name);
}

/**
 * CAST. Numbers that do not fit wrap (integers) or saturate (DOUBLE to integer), fractions are cut off; a text that is no
 * such value fails the row with ROW_INVALID when it is met. Errors: TYPE_MISMATCH where there is no such cast.
 */
export function cast(operand: Expression, name: TypeName): Expression {
  if (!canCast(operand.type.name, name))
    throw new BraidError('TYPE_MISMATCH', `${formatType(operand.type)} cannot be cast to ${name}`, {
      place: `CAST(... AS ${name})`,
      hint: `${operand.type.name} can be cast to ${castTargets(operand.type.name).join(', ')}`,
    });
  if (operand.type.name === name) return operand;
  return sealed({ kind: 'cast', operand, type: dataType(name, operand.type.nullable) });
}

/**
 * CASE WHEN ... THEN ... ELSE ... END; without `otherwise` it is NULL where no condition is true. The results widen to
 * their common type. Errors: TYPE_MISMATCH for a condition that is not BOOLEAN or results that do not go together.
 */
export function caseWhen(
  branches: readonly { readonly when: Expression; readonly then: Expression }[],
  otherwise?: Expression,
): Case {
  if (branches.length === 0) throw new BraidError('TYPE_MISMATCH', 'CASE needs a WHEN', { place: 'CASE' });
  for (const [i, { when }] of branches.entries())
    if (when.type.name !== 'BOOLEAN')
      throw new BraidError('TYPE_MISMATCH', `a condition is BOOLEAN, not ${formatType(when.type)}`, {
        place: `WHEN ${i + 1} of CASE`,
        hint: 'compare it with something',
      });
  const results = branches.map(branch => branch.then);
  const name = commonTypeOf(otherwise === undefined ? results : [...results, otherwise], 'CASE');
  const last = widen(otherwise ?? literal(null, name), name);
  const type: DataType = dataType(name, last.type.nullable || results.some(result => result.type.nullable));
  return sealed({
    kind: 'case',
    // biome-ignore lint/suspicious/noThenProperty: SQL's own word; these nodes are never awaited.
    branches: Object.freeze(branches.map(({ when, then }) => Object.freeze({ when, then: widen(then, name) }))),
    otherwise: last,
    type,
  });
}
