import { formatType } from '../data/data-type.ts';
import type { Schema } from '../data/schema.ts';
import type { AggregateCall } from './aggregate.ts';
import { formatDouble, formatTimestamp } from './casts.ts';
import type { Call, Expression, Literal } from './expression.ts';
import { functionRules } from './functions.ts';

/** How tightly an operator binds; what binds less tightly than its place asks for gets parentheses. */
const binding = { or: 1, and: 2, not: 3, comparison: 4, sum: 5, product: 6, sign: 7, atom: 8 } as const;

/** An expression as SQL, for explain: `price * 2 > 100 AND auction % 3 = 1`. Columns are named by `schema`. */
export function formatExpression(expression: Expression, schema: Schema): string {
  return format(expression, schema).text;
}

/** `SUM(price) FILTER (WHERE bidder > 5)` */
export function formatAggregate({ fn, argument, filter }: AggregateCall, schema: Schema): string {
  const over = argument === undefined ? '*' : formatExpression(argument, schema);
  return filter === undefined ? `${fn}(${over})` : `${fn}(${over}) FILTER (WHERE ${formatExpression(filter, schema)})`;
}

interface Formatted {
  readonly text: string;
  readonly binds: number;
}

function format(expression: Expression, schema: Schema): Formatted {
  const atom = (text: string): Formatted => ({ text, binds: binding.atom });
  switch (expression.kind) {
    case 'literal':
      return formatLiteral(expression);
    case 'column':
      return atom(identifier(schema.fields[expression.index]?.name ?? `column ${expression.index}`));
    case 'cast':
      return atom(`CAST(${formatExpression(expression.operand, schema)} AS ${typeOf(expression)})`);
    case 'case': {
      const branches = expression.branches.map(
        ({ when, then }) => `WHEN ${formatExpression(when, schema)} THEN ${formatExpression(then, schema)}`,
      );
      return atom(`CASE ${branches.join(' ')} ELSE ${formatExpression(expression.otherwise, schema)} END`);
    }
    case 'call':
      return formatCall(expression, schema);
  }
}

function formatCall(call: Call, schema: Schema): Formatted {
  const { sql } = functionRules[call.fn];
  const operand = (index: number, binds: number): string => {
    const formatted = format(call.args[index]!, schema);
    return formatted.binds < binds ? `(${formatted.text})` : formatted.text;
  };
  // Operators of one level group to the left, so the right operand has to bind more tightly.
  const infix = (binds: number, left = binds): Formatted => ({
    text: `${operand(0, left)} ${sql} ${operand(1, binds + 1)}`,
    binds,
  });
  switch (call.fn) {
    case '+':
    case '-':
      return infix(binding.sum);
    case '*':
    case '/':
    case '%':
      return infix(binding.product);
    case '=':
    case '<>':
    case '<':
    case '<=':
    case '>':
    case '>=':
      return infix(binding.comparison, binding.comparison + 1);
    case 'and':
    case 'or': {
      const binds = binding[call.fn];
      return { text: call.args.map((_, i) => operand(i, binds + 1)).join(` ${sql} `), binds };
    }
    case 'not':
      return { text: `NOT ${operand(0, binding.not)}`, binds: binding.not };
    case 'negate':
      return { text: `-${operand(0, binding.sign + 1)}`, binds: binding.sign };
    case 'isNull':
    case 'isNotNull':
      return { text: `${operand(0, binding.comparison + 1)} ${sql}`, binds: binding.comparison };
    case 'plusMs': {
      const ms = call.args[1]!;
      const seconds = ms.kind === 'literal' ? Number(ms.value) / 1000 : '?';
      return { text: `${operand(0, binding.sum)} + INTERVAL '${seconds}' SECOND`, binds: binding.sum };
    }
    case 'floorTo': {
      const unit = call.args[1]!;
      const name = unit.kind === 'literal' ? String(unit.value) : '?';
      return { text: `FLOOR(${operand(0, 0)} TO ${name})`, binds: binding.atom };
    }
    default:
      return { text: `${sql}(${call.args.map((_, i) => operand(i, 0)).join(', ')})`, binds: binding.atom };
  }
}

function formatLiteral({ value, type }: Literal): Formatted {
  if (value === null) return { text: 'NULL', binds: binding.atom };
  const text = literalText(value, type.name);
  return { text, binds: text.startsWith('-') ? binding.sign : binding.atom };
}

function literalText(value: NonNullable<Literal['value']>, name: string): string {
  switch (name) {
    case 'BOOLEAN':
      return value === true ? 'TRUE' : 'FALSE';
    case 'STRING':
      return `'${String(value).replaceAll("'", "''")}'`;
    case 'DOUBLE':
      return formatDouble(Number(value));
    case 'TIMESTAMP':
      return `TIMESTAMP '${formatTimestamp(Number(value))}'`;
    default:
      return String(value);
  }
}

function typeOf(expression: Expression): string {
  return formatType({ name: expression.type.name, nullable: true });
}

/** Back quotes around what is no plain name. */
export function identifier(name: string): string {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? name : `\`${name.replaceAll('`', '``')}\``;
}
