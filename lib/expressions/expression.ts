import type { DataType, Value } from '../data/data-type.ts';

/**
 * The one typed expression tree of Braid: what the builder and SQL produce, what the interpreter evaluates and what
 * kernels are generated from. Nodes are frozen plain data, so that a tree can be posted to a worker as it is.
 * Every node carries its result type; building one (build.ts) checks the types by Flink's rules.
 */
export type Expression = Literal | ColumnReference | Call | Case | Cast;

interface Node {
  readonly type: DataType;
}
export interface Literal extends Node {
  readonly kind: 'literal';
  readonly value: Value;
}
/** Column `index` of the input schema. */
export interface ColumnReference extends Node {
  readonly kind: 'column';
  readonly index: number;
}
/** A built-in function or operator of the closed list in functions.ts. */
export interface Call extends Node {
  readonly kind: 'call';
  readonly fn: FunctionName;
  readonly args: readonly Expression[];
}
/** CASE WHEN condition THEN result ... ELSE otherwise END: only the branch that is taken is evaluated. */
export interface Case extends Node {
  readonly kind: 'case';
  readonly branches: readonly { readonly when: Expression; readonly then: Expression }[];
  readonly otherwise: Expression;
}
export interface Cast extends Node {
  readonly kind: 'cast';
  readonly operand: Expression;
}

export const functionNames = [
  '+',
  '-',
  '*',
  '/',
  '%',
  'negate',
  '=',
  '<>',
  '<',
  '<=',
  '>',
  '>=',
  'and',
  'or',
  'not',
  'isNull',
  'isNotNull',
  'coalesce',
  'abs',
  'least',
  'greatest',
  'lower',
  'upper',
  'charLength',
  'concat',
  'substring',
  'startsWith',
  'hour',
  'dayOfWeek',
  'floorTo',
  'plusMs',
] as const;
export type FunctionName = (typeof functionNames)[number];
