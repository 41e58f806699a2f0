import type { Schema } from '../data/schema.ts';
import type { Accumulator } from '../expressions/aggregate.ts';
import type { ColumnReference, Expression } from '../expressions/expression.ts';
import type { Fragment, FragmentInput, FragmentOutput } from '../kernels/fragment.ts';
import { collectColumns, rewrite } from './rewrite.ts';

/**
 * Projection push-down: the input schema of a fragment shrinks to the columns that it reads, in their old order, and all
 * references get the new numbers. For JSON this is what makes the scanner skip the bytes that nobody asked for.
 */
export function pushDownProjection(fragment: Fragment): Fragment {
  const used = new Set<number>();
  const note = (expression: Expression | undefined): void => collectColumns(expression, used);
  note(fragment.eventTime);
  note(fragment.filter);
  forEachOutputExpression(fragment.output, note);

  const kept = [...used].sort((a, b) => a - b);
  const newIndex = new Map(kept.map((old, index) => [old, index]));
  const renumber = (column: ColumnReference): Expression =>
    newIndex.get(column.index) === column.index
      ? column
      : Object.freeze({ ...column, index: newIndex.get(column.index)! });
  const move = (expression: Expression): Expression => rewrite(expression, renumber);

  return {
    id: fragment.id,
    input: narrowed(fragment.input, { fields: kept.map(index => fragment.input.schema.fields[index]!) }),
    eventTime: fragment.eventTime && move(fragment.eventTime),
    filter: fragment.filter && move(fragment.filter),
    output: mapOutput(fragment.output, move),
  };
}

function narrowed(input: FragmentInput, schema: Schema): FragmentInput {
  return { ...input, schema };
}

function forEachOutputExpression(output: FragmentOutput, visit: (expression: Expression | undefined) => void): void {
  if (output.kind === 'rows') output.columns.forEach(visit);
  else {
    output.keys.forEach(visit);
    for (const accumulator of output.accumulators) {
      visit(accumulator.argument);
      visit(accumulator.filter);
    }
  }
}

function mapOutput(output: FragmentOutput, move: (expression: Expression) => Expression): FragmentOutput {
  if (output.kind === 'rows') return { ...output, columns: output.columns.map(move) };
  return {
    ...output,
    keys: output.keys.map(move),
    accumulators: output.accumulators.map(
      (accumulator): Accumulator => ({
        ...accumulator,
        argument: accumulator.argument && move(accumulator.argument),
        filter: accumulator.filter && move(accumulator.filter),
      }),
    ),
  };
}
