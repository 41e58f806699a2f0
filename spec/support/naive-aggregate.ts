import type { Batch, Row } from '../../lib/data/batch.ts';
import {
  type Column,
  columnFrom,
  type DictionaryColumn,
  isValid,
  type Utf8Column,
  valueAt,
} from '../../lib/data/column.ts';
import type { DataType, Value } from '../../lib/data/data-type.ts';
import { hashKeys } from '../../lib/data/key-hash.ts';
import { columnAt } from '../../lib/expressions/build.ts';
import type { Expression } from '../../lib/expressions/expression.ts';
import type { PartialInput } from '../../lib/operators/operator.ts';
import type { WindowAggregateSpec } from '../../lib/operators/window-aggregate-spec.ts';
import type { Step } from './operator-harness.ts';

/** A window aggregate by a Map of objects: what it means, and nothing of how lib does it. */
export interface Accumulation {
  readonly op: 'count' | 'sum' | 'min' | 'max';
  readonly type: DataType;
}

/** One event: when, which keys, and a value for each accumulation (for `count` anything but null counts). */
export interface Event {
  readonly time: number;
  readonly keys: readonly Value[];
  readonly values: readonly Value[];
}

export type EventStep =
  | { readonly kind: 'batch'; readonly events: readonly Event[] }
  | { readonly kind: 'watermark'; readonly at: number }
  | { readonly kind: 'end' };

interface Group {
  readonly window: number;
  readonly keys: readonly Value[];
  readonly accumulators: Value[];
}

const windowOf = (time: number, sizeMs: number, offsetMs: number): number =>
  Math.floor((time - offsetMs) / sizeMs) * sizeMs + offsetMs;

/** Output rows of each step: [window, keys..., accumulators...] under the names of the partial schema. */
export function aggregateNaively(spec: WindowAggregateSpec, script: readonly EventStep[]): Row[][] {
  const groups = new Map<string, Group>();
  const { sizeMs, offsetMs } = spec.window;
  let watermark = Number.NEGATIVE_INFINITY;
  return script.map(step => {
    if (step.kind === 'batch') {
      for (const event of step.events) {
        const window = windowOf(event.time, sizeMs, offsetMs);
        if (window + sizeMs - 1 > watermark) take(groups, spec.accumulators, window, event.keys, event.values, addOne);
      }
      return [];
    }
    watermark = Math.max(watermark, step.kind === 'end' ? Number.POSITIVE_INFINITY : step.at);
    const closed = [...groups].filter(([, group]) => group.window + sizeMs - 1 <= watermark);
    for (const [id] of closed) groups.delete(id);
    return closed
      .map(([, group]) => group)
      .sort((a, b) => a.window - b.window)
      .map(group => rowOf(spec, group));
  });
}

type Combine = (op: Accumulation['op'], type: DataType, state: Value | undefined, value: Value) => Value;

function take(
  groups: Map<string, Group>,
  accumulations: readonly Accumulation[],
  window: number,
  keys: readonly Value[],
  values: readonly Value[],
  combine: Combine,
): void {
  const normal = keys.map(key => (key === 0 ? 0 : key));
  const id = JSON.stringify([window, ...normal.map(key => [typeof key, String(key)])]);
  const group = groups.get(id) ?? { window, keys: normal, accumulators: [] };
  groups.set(id, group);
  accumulations.forEach(({ op, type }, a) => {
    group.accumulators[a] = combine(op, type, group.accumulators[a], values[a]!);
  });
}

const addOne: Combine = (op, type, state, value) =>
  op === 'count' ? ((state as bigint) ?? 0n) + (value === null ? 0n : 1n) : combined(op, type, state, value);

const mergeOne: Combine = (op, type, state, value) =>
  op === 'count' ? ((state as bigint) ?? 0n) + (value as bigint) : combined(op, type, state, value);

function combined(op: 'sum' | 'min' | 'max', type: DataType, state: Value | undefined, value: Value): Value {
  if (value === null) return state ?? null;
  if (state === null || state === undefined) return value;
  if (op === 'sum') {
    if (typeof value === 'bigint') return BigInt.asIntN(64, (state as bigint) + value);
    const sum = (state as number) + (value as number);
    return type.name === 'INT' ? sum | 0 : sum;
  }
  const wanted = op === 'min' ? -1 : 1;
  return Math.sign(compare(value, state)) === wanted ? value : state;
}

/** NaN after everything, -0 before 0, texts by their UTF-8. */
function compare(a: Value, b: Value): number {
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b));
  if (typeof a === 'number' && typeof b === 'number') {
    if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
    if (a === 0 && b === 0) return Number(Object.is(b, -0)) - Number(Object.is(a, -0));
  }
  return a! < b! ? -1 : a! > b! ? 1 : 0;
}

function rowOf(spec: WindowAggregateSpec, group: Group): Row {
  const values = [group.window, ...group.keys, ...group.accumulators];
  return Object.fromEntries(spec.partials.fields.map((field, c) => [field.name, values[c]!]));
}

/** How partials are handed over: it must make no difference. */
export interface Handover {
  /** Combine the events of one window and key first, as the local phase does. */
  readonly local: boolean;
  /** Texts as codes into a dictionary. */
  readonly dictionary: boolean;
  /** BIGINT as 64-bit integers also where doubles would do. */
  readonly wide: boolean;
  /** The hash that is handed over; another than the real one makes collisions. */
  readonly hash: (hash: number) => number;
}

/** The script as the window aggregate gets it. */
export function partialScript(
  spec: WindowAggregateSpec,
  script: readonly EventStep[],
  handover: Handover,
): Step<PartialInput>[] {
  return script.map(step =>
    step.kind === 'batch' ? { kind: 'batch', input: partialsOf(spec, step.events, handover) } : step,
  );
}

function partialsOf(spec: WindowAggregateSpec, events: readonly Event[], handover: Handover): PartialInput {
  const { sizeMs, offsetMs } = spec.window;
  const singles = events.map(({ time, keys, values }): Group => {
    const accumulators = values.map((value, a) =>
      spec.accumulators[a]!.op === 'count' ? (value === null ? 0n : 1n) : value,
    );
    return { window: windowOf(time, sizeMs, offsetMs), keys, accumulators };
  });
  if (!handover.local) return inputOf(spec, singles, handover);
  const groups = new Map<string, Group>();
  for (const { window, keys, accumulators } of singles)
    take(groups, spec.accumulators, window, keys, accumulators, mergeOne);
  return inputOf(spec, [...groups.values()], handover);
}

function inputOf(spec: WindowAggregateSpec, groups: readonly Group[], handover: Handover): PartialInput {
  const { fields } = spec.partials;
  const rows = groups.map(({ window, keys, accumulators }) => [window, ...keys, ...accumulators]);
  const columns = fields.map((field, c) => {
    const column = columnFrom(
      field.type,
      rows.map(row => row[c]),
      field.name,
    );
    return withGarbage(inForm(column, handover));
  });
  const keys = columns.slice(1, 1 + spec.keys);
  const hashes = Int32Array.from(groups, (_, row) => handover.hash(hashKeys(keys, row)));
  return partialInput({ schema: spec.partials, rows: groups.length, columns }, hashes);
}

function inForm(column: Column, handover: Handover): Column {
  if (handover.wide && column.kind === 'narrow')
    return { kind: 'wide', values: BigInt64Array.from(column.values, BigInt), validity: column.validity };
  return handover.dictionary && column.kind === 'utf8' ? withDictionary(column) : column;
}

/** What stands in a NULL row is unspecified and never read: here it is something that would do harm. */
function withGarbage(column: Column): Column {
  if (column.validity === undefined) return column;
  const rows = column.kind === 'utf8' ? 0 : 'codes' in column ? column.codes.length : column.values.length;
  for (let row = 0; row < rows; row++) {
    if (isValid(column.validity, row)) continue;
    if (column.kind === 'dictionary') column.codes[row] = 1_000_000;
    else if (column.kind === 'wide') column.values[row] = -(2n ** 63n);
    else if (column.kind !== 'utf8') column.values[row] = column.values instanceof Float64Array ? Number.NaN : 255;
  }
  return column;
}

function withDictionary(column: Utf8Column): DictionaryColumn {
  return {
    kind: 'dictionary',
    dictionary: { ...column, validity: undefined },
    codes: Int32Array.from(column.starts.keys()),
    validity: column.validity,
  };
}

function partialInput(batch: Batch, hashes: Int32Array): PartialInput {
  const starts = (batch.columns[0] as Column & { kind: 'timestamp' }).values;
  const windows = batch.rows === 0 ? undefined : { first: Math.min(...starts), last: Math.max(...starts) };
  return { batch, hashes, windows };
}

/** A spec with named partial columns; `finish` passes them through, or those that satisfy `filter`. */
export function windowAggregateSpec(
  keys: readonly DataType[],
  accumulations: readonly Accumulation[],
  window: WindowAggregateSpec['window'],
  filter?: (schema: WindowAggregateSpec['partials']) => Expression,
): WindowAggregateSpec {
  const partials = {
    fields: [
      { name: 'window', type: { name: 'TIMESTAMP', nullable: false } as const },
      ...keys.map((type, k) => ({ name: `key${k}`, type })),
      ...accumulations.map(({ op, type }, a) => ({ name: `${op}${a}`, type })),
    ],
  };
  return {
    kind: 'windowAggregate',
    name: 'totals',
    window,
    partials,
    keys: keys.length,
    accumulators: accumulations.map(({ op, type }) => ({ op, type, argument: undefined, filter: undefined })),
    finish: {
      id: 'totals.finish',
      input: { kind: 'columns', schema: partials },
      eventTime: undefined,
      filter: filter?.(partials),
      output: { kind: 'rows', columns: partials.fields.map((_, c) => columnAt(partials, c)), schema: partials },
    },
  };
}

/** A part of a partial input, by rows. */
export function takePartials(input: PartialInput, keep: (row: number) => boolean): PartialInput {
  const rows: number[] = [];
  for (let row = 0; row < input.batch.rows; row++) if (keep(row)) rows.push(row);
  const columns = input.batch.columns.map((column, c) => takeColumn(input.batch, column, c, rows));
  const hashes = Int32Array.from(rows, row => input.hashes![row]!);
  return partialInput({ schema: input.batch.schema, rows: rows.length, columns }, hashes);
}

function takeColumn(batch: Batch, column: Column, c: number, rows: readonly number[]): Column {
  const { name, type } = batch.schema.fields[c]!;
  const values = rows.map(row => valueAt(column, row));
  return withGarbage(columnFrom(type, values, name));
}
