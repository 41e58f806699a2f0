import { BraidError } from '../base/errors.ts';
import type { Expression } from './expression.ts';

/** Levels of an expression tree. Everything that walks a tree recurses, so this bounds the stack. */
export const expressionDepthMax = 256;
/** Nodes of an expression tree; a node that is used twice counts twice, as it would in generated code. */
export const expressionNodesMax = 10_000;

interface Size {
  readonly nodes: number;
  readonly depth: number;
}
/** Sizes of trees that were built here: without it, building a tree bottom-up would be quadratic. */
const known = new WeakMap<Expression, Size>();

/** The direct sub-expressions of a node, in the order of evaluation. */
export function operandsOf(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case 'literal':
    case 'column':
      return [];
    case 'cast':
      return [expression.operand];
    case 'call':
      return expression.args;
    case 'case':
      return [...expression.branches.flatMap(branch => [branch.when, branch.then]), expression.otherwise];
  }
}

/** Freezes a new node and checks that the tree under it stays within the limits: PLAN_INVALID else. */
export function sealed<E extends Expression>(expression: E): Readonly<E> {
  const size = measure(expression, 1);
  if (size.nodes > expressionNodesMax || size.depth > expressionDepthMax)
    throw new BraidError(
      'PLAN_INVALID',
      `an expression with ${size.nodes} nodes or more, on ${size.depth} levels, is too large`,
      {
        hint: `at most ${expressionNodesMax} nodes and ${expressionDepthMax} levels; split it over two selections`,
      },
    );
  known.set(expression, size);
  return Object.freeze(expression);
}

/**
 * Stops as soon as a limit is passed: a tree that came as plain data may be deeper than the stack, and one whose nodes are
 * shared may have more of them than can be counted.
 */
function measure(expression: Expression, level: number): Size {
  let nodes = 1;
  let depth = 1;
  for (const operand of operandsOf(expression)) {
    const size =
      known.get(operand) ?? (level > expressionDepthMax ? { nodes: 1, depth: 1 } : measure(operand, level + 1));
    nodes += size.nodes;
    depth = Math.max(depth, size.depth + 1);
    if (nodes > expressionNodesMax) break;
  }
  return { nodes, depth };
}
