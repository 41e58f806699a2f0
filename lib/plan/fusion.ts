import type { Field, Schema } from '../data/schema.ts';
import { call, literal } from '../expressions/build.ts';
import type { Expression } from '../expressions/expression.ts';
import { canFail, inline } from './rewrite.ts';

/**
 * Projections and filters that stand one behind the other and run as one loop: everything is expressed over `input`,
 * the schema at the beginning of the run. Immutable; each step gives the next fusion.
 *
 * Law: rows for which `filter` is not true are dropped before `columns` are computed.
 */
export interface Fusion {
  readonly input: Schema;
  /** How many columns of `input` are the rows themselves; what stands behind them is carried along (see RowFunctionSpec). */
  readonly declared: number;
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

/** Starts with nothing fused: the first `declared` columns of `input` come out. A column behind them is the event time. */
export function identity(input: Schema, declared = input.fields.length): Fusion {
  const fields = input.fields.slice(0, declared);
  const carried = input.fields[declared];
  return {
    input,
    declared,
    eventTime: carried && columnOf(carried, declared),
    filter: undefined,
    columns: fields.map(columnOf),
    schema: { fields },
  };
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

/**
 * Lets the event time come out as a last column, which goes around a row function: `behind` is what comes out of that,
 * the function's own columns and the event time.
 */
export function withCarried(fusion: Fusion, functionOutput: Schema): { fusion: Fusion; behind: Schema } {
  const { eventTime } = fusion;
  if (eventTime === undefined) return { fusion, behind: functionOutput };
  const taken = [...fusion.schema.fields, ...functionOutput.fields].map(field => field.name);
  let name = '$eventTime';
  while (taken.includes(name)) name = `$${name}`;
  const field = { name, type: eventTime.type };
  return {
    fusion: {
      ...fusion,
      columns: [...fusion.columns, eventTime],
      schema: { fields: [...fusion.schema.fields, field] },
    },
    behind: { fields: [...functionOutput.fields, field] },
  };
}

/**
 * Both conditions, the second only where the first is true. AND alone would look at the second where the first is NULL,
 * and fail a row there that the first has dropped.
 */
function conjunction(left: Expression | undefined, right: Expression): Expression {
  if (left === undefined) return right;
  const decided = left.type.nullable && canFail(right) ? call('coalesce', [left, literal(false)]) : left;
  return call('and', [decided, right]);
}
