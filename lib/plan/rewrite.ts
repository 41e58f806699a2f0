import { assert } from '../base/errors.ts';
import type { AggregateCall } from '../expressions/aggregate.ts';
import type { ColumnReference, Expression } from '../expressions/expression.ts';
import { operandsOf, sealed } from '../expressions/limits.ts';

/**
 * Rewrites of expression trees, which is all that fusing and push-down are: a projection is put into what reads it, and
 * columns get new numbers. Types are never changed, so only the size is checked again (PLAN_INVALID): a projection that is
 * read twice is put in twice.
 */

/** The expression with every column reference replaced by what `replace` gives for it. Unchanged trees are returned as they are. */
export function rewrite(expression: Expression, replace: (column: ColumnReference) => Expression): Expression {
  switch (expression.kind) {
    case 'literal':
      return expression;
    case 'column':
      return replace(expression);
    case 'call': {
      const args = expression.args.map(arg => rewrite(arg, replace));
      return args.every((arg, i) => arg === expression.args[i])
        ? expression
        : sealed({ ...expression, args: Object.freeze(args) });
    }
    case 'cast': {
      const operand = rewrite(expression.operand, replace);
      return operand === expression.operand ? expression : sealed({ ...expression, operand });
    }
    case 'case': {
      const branches = expression.branches.map(branch =>
        // biome-ignore lint/suspicious/noThenProperty: the branches of a CASE are called so; nobody awaits one.
        Object.freeze({ when: rewrite(branch.when, replace), then: rewrite(branch.then, replace) }),
      );
      const otherwise = rewrite(expression.otherwise, replace);
      return sealed({ ...expression, branches: Object.freeze(branches), otherwise });
    }
  }
}

/** Puts `columns`, the outputs of a projection, into an expression over that projection. */
export function inline(expression: Expression, columns: readonly Expression[]): Expression {
  return rewrite(expression, column => {
    const replacement = columns[column.index];
    assert(replacement !== undefined, `a plan refers to column ${column.index} of ${columns.length}`);
    return replacement;
  });
}

export function inlineCall(call: AggregateCall, columns: readonly Expression[]): AggregateCall {
  return {
    ...call,
    argument: call.argument && inline(call.argument, columns),
    filter: call.filter && inline(call.filter, columns),
  };
}

/** Adds the indexes of all columns that the expression reads. */
export function collectColumns(expression: Expression | undefined, into: Set<number>): void {
  if (expression !== undefined)
    rewrite(expression, column => {
      into.add(column.index);
      return column;
    });
}

/** Whether a row can make it throw: integers divided by zero, texts that are no number. May say so where none can. */
export function canFail(expression: Expression): boolean {
  const divides = expression.kind === 'call' && (expression.fn === '/' || expression.fn === '%');
  const fails =
    expression.kind === 'cast'
      ? expression.operand.type.name === 'STRING' || expression.type.name === 'STRING'
      : divides && expression.type.name !== 'DOUBLE';
  return fails || operandsOf(expression).some(canFail);
}
