import { BraidError } from '../base/errors.ts';
import { columnIndex, type Field, type Schema } from '../data/schema.ts';
import { columnAt } from '../expressions/build.ts';
import type { Expression } from '../expressions/expression.ts';
import type { AggregateExpression } from './aggregates.ts';
import type { Fields } from './fields.ts';
import { type AnyExpression, type ExpressionOf, isExpression, typed } from './typed-expression.ts';

/** The columns of a stream as expressions: what `where`, `select` and `aggregate` give to their function. */
export type Columns<F extends Fields> = { readonly [K in keyof F & string]: ExpressionOf<F[K]> };

/** What a `select` yields: an expression for each new column. */
export type Selection = Readonly<Record<string, AnyExpression>>;
/** What an `aggregate` yields. */
export type Aggregates = Readonly<Record<string, AggregateExpression>>;

/** The columns of a schema. One that does not exist is COLUMN_UNKNOWN with a hint, for those who write JavaScript. */
export function columnsOf<F extends Fields>(schema: Schema): Columns<F> {
  const columns: Record<string, AnyExpression> = Object.create(null) as Record<string, AnyExpression>;
  schema.fields.forEach((field, index) => {
    columns[field.name] = typed(columnAt(schema, index));
  });
  return new Proxy(Object.freeze(columns), {
    get(target, name) {
      if (typeof name === 'string' && !(name in target)) columnIndex(schema, name);
      return target[name as string];
    },
  }) as unknown as Columns<F>;
}

/** Named expressions, in their order: what `place` was given. Errors: TYPE_MISMATCH for a value that is no expression. */
export function namedExpressions(place: string, given: unknown): { fields: Field[]; expressions: Expression[] } {
  const entries = namedEntries(place, given);
  const expressions = entries.map(([name, value]) => {
    if (isExpression(value)) return value.node;
    throw new BraidError('TYPE_MISMATCH', `${name} is not a value of a row`, {
      place: `${place}.${name}`,
      hint: hintFor(value),
    });
  });
  return { fields: entries.map(([name], i) => ({ name, type: expressions[i]!.type })), expressions };
}

/** The entries of an object that a function of the user returned. */
export function namedEntries(place: string, given: unknown): [string, unknown][] {
  if (typeof given !== 'object' || given === null || Object.keys(given).length === 0)
    throw new BraidError('PLAN_INVALID', `${place} yields no columns`, {
      place,
      hint: 'return an object with one at least: row => ({ name: row.name })',
    });
  return Object.entries(given);
}

function hintFor(value: unknown): string {
  if (typeof value === 'object' && value !== null && 'call' in value)
    return 'an aggregate stands in aggregate(...), behind groupBy(...) and a window';
  return 'write a constant as literal(...)';
}
