import { dataType } from '../data/data-type.ts';
import type { Field, Schema } from '../data/schema.ts';
import type { AggregateCall } from '../expressions/aggregate.ts';
import type { Expression } from '../expressions/expression.ts';
import { inline, inlineCall } from './rewrite.ts';

/**
 * Projections and filters that stand one behind the other and run as one loop: everything is expressed over `input`,
 * the schema at the beginning of the run. Immutable; each step gives the next fusion.
 *
 * Law: rows for which `filter` is not true are dropped before `columns` are computed.
 */
export interface Fusion {
  readonly input: Schema;
  /** Event time of a row, over `input`; undefined where there is none. */
  readonly eventTime: Expression | undefined;
  readonly filter: Expression | undefined;
  /** What comes out, over `input`, and as what. */
  readonly columns: readonly Expression[];
  readonly schema: Schema;
}

export function columnOf(field: Field, index: number): Expression {
  return Object.freeze({ kind: 'column', index, type: field.type });
}

/** Starts with nothing fused: all of `visible` comes out, which is the beginning of `input`. */
export function identity(input: Schema, visible = input.fields.length, eventTime?: Expression): Fusion {
  const fields = input.fields.slice(0, visible);
  return { input, eventTime, filter: undefined, columns: fields.map(columnOf), schema: { fields } };
}

/** True where the loop would change nothing. */
export function isIdentity(fusion: Fusion): boolean {
  return (
    fusion.filter === undefined &&
    fusion.columns.length === fusion.input.fields.length &&
    fusion.columns.every(
      (column, i) =>
        column.kind === 'column' &&
        column.index === i &&
        fusion.schema.fields[i]!.name === fusion.input.fields[i]!.name,
    )
  );
}

export function withFilter(fusion: Fusion, condition: Expression): Fusion {
  return { ...fusion, filter: conjunction(fusion.filter, inline(condition, fusion.columns)) };
}

export function withProjection(fusion: Fusion, columns: readonly Expression[], schema: Schema): Fusion {
  return { ...fusion, columns: columns.map(column => inline(column, fusion.columns)), schema };
}

export function withEventTime(fusion: Fusion, column: number): Fusion {
  return { ...fusion, eventTime: fusion.columns[column] };
}

export function inlineAll(fusion: Fusion, expressions: readonly Expression[]): readonly Expression[] {
  return expressions.map(expression => inline(expression, fusion.columns));
}

export function inlineCalls(fusion: Fusion, calls: readonly AggregateCall[]): readonly AggregateCall[] {
  return calls.map(call => inlineCall(call, fusion.columns));
}

function conjunction(left: Expression | undefined, right: Expression): Expression {
  if (left === undefined) return right;
  return Object.freeze({
    kind: 'call',
    fn: 'and',
    args: Object.freeze([left, right]),
    type: dataType('BOOLEAN', left.type.nullable || right.type.nullable),
  });
}
