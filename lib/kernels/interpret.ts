import { assert, BraidError } from '../base/errors.ts';
import type { Batch } from '../data/batch.ts';
import { columnFrom, valueAt } from '../data/column.ts';
import type { DataType, Value } from '../data/data-type.ts';
import { hashKeys } from '../data/key-hash.ts';
import type { Accumulator } from '../expressions/aggregate.ts';
import type { Expression } from '../expressions/expression.ts';
import { interpret } from '../expressions/interpret.ts';
import { fieldStates, malformations } from '../formats/json/reasons.ts';
import { readByReference } from '../formats/json/reference.ts';
import { checkCrc, nextBatch } from '../formats/record-batch/header.ts';
import { RecordWalker } from '../formats/record-batch/walk.ts';
import { BadRecords } from './bad-records.ts';
import type { CompiledFragment, Fragment, FragmentResult, FragmentTask, TumblingWindow } from './fragment.ts';
import { windowRange } from './window-range.ts';

type Row = readonly Value[];

/**
 * Runs a fragment row by row over JavaScript values, with JSON.parse and the expression interpreter: the reference that
 * `compileFragment` is compared with. Its JSON is always checked in full.
 */
export function interpretFragment(fragment: Fragment): CompiledFragment {
  return {
    run(task) {
      assert(task.kind === fragment.input.kind, `the fragment ${fragment.id} does not take ${task.kind}`);
      const output = fragment.output.kind === 'rows' ? new Rows(fragment) : new Partials(fragment);
      const state = { rowsIn: 0, rowsPassed: 0, maxEventTime: Number.NEGATIVE_INFINITY };
      const onRow = (row: Row, noEventTime: () => void): void => {
        const value = (expression: Expression): Value => interpret(expression, index => row[index]!);
        const time = fragment.eventTime === undefined ? undefined : value(fragment.eventTime);
        if (time === null) {
          noEventTime();
          return;
        }
        if (typeof time === 'number') state.maxEventTime = Math.max(state.maxEventTime, time);
        if (fragment.filter !== undefined && value(fragment.filter) !== true) return;
        if (isOnTime(fragment, task, time)) return;
        state.rowsPassed++;
        output.add(value, typeof time === 'number' ? time : 0);
      };
      const input =
        task.kind === 'records' ? readRecords(fragment, task, state, onRow) : readColumns(task.batch, state, onRow);
      const batch = output.batch();
      const partial = fragment.output.kind === 'partial' ? fragment.output : undefined;
      return {
        ...state,
        ...input,
        batch,
        hashes: partial === undefined ? undefined : hashesOf(batch, partial.window === undefined ? 0 : 1, partial.keys),
        windows: partial?.window === undefined ? undefined : windowRange(batch),
      };
    },
  };
}

type ReadResult = Pick<FragmentResult, 'badRecords' | 'nextOffset'>;
type OnRow = (row: Row, noEventTime: () => void) => void;

function readColumns(batch: Batch, state: { rowsIn: number }, onRow: OnRow): ReadResult {
  for (let row = 0; row < batch.rows; row++) {
    state.rowsIn++;
    onRow(
      batch.columns.map(column => valueAt(column, row)),
      () => {
        throw new BraidError('EVENT_TIME_MISSING', 'the event time is NULL', { place: `row ${row}` });
      },
    );
  }
  return { badRecords: [], nextOffset: -1 };
}

function readRecords(
  fragment: Fragment,
  task: Extract<FragmentTask, { kind: 'records' }>,
  state: { rowsIn: number },
  onRow: OnRow,
): ReadResult {
  const { input } = fragment;
  assert(input.kind === 'records', 'a task of records is for a fragment that reads them');
  const { fields } = input.schema;
  const bad = new BadRecords(input.json.badRecords, fields);
  const walker = new RecordWalker();
  let nextOffset = task.fromOffset;
  for (
    let header = nextBatch(task.bytes, task.start, task.end);
    header !== undefined && header.baseOffset < task.untilOffset;
    header = nextBatch(task.bytes, header.end, task.end)
  ) {
    if (header.nextOffset <= task.fromOffset) continue;
    if (task.checkCrc) checkCrc(task.bytes, header);
    nextOffset = Math.min(header.nextOffset, task.untilOffset);
    walker.walk(task.bytes, header, { checkCrc: false });
    for (let i = 0; i < walker.count; i++) {
      const offset = walker.offsets[i]!;
      if (offset < task.fromOffset || offset >= task.untilOffset) continue;
      state.rowsIn++;
      const start = walker.valueStarts[i]!;
      const end = walker.valueEnds[i]!;
      const at = [offset, walker.bytes, start, start < 0 ? start : end] as const;
      const read = start < 0 ? undefined : readByReference(walker.bytes.subarray(start, end), fields);
      const isRight = (f: number): boolean =>
        read!.states[f] === fieldStates.present ||
        (read!.states[f]! < fieldStates.wrongType && fields[f]!.type.nullable);
      if (read === undefined) {
        if (!bad.malformed(start < 0 ? malformations.noValue : -1, ...at)) continue;
      } else if (!fields.every((_, f) => isRight(f)) && !bad.wrongFields(read.states, ...at)) continue;
      onRow(read?.values ?? fields.map(() => null), () => bad.noEventTime(...at));
    }
  }
  return { badRecords: bad.take(), nextOffset };
}

function windowStart({ sizeMs, offsetMs }: TumblingWindow, time: number): number {
  const into = (time - offsetMs) % sizeMs;
  return time - (into < 0 ? into + sizeMs : into);
}

/** A task that asks for late rows only does not want this one. */
function isOnTime({ output }: Fragment, task: FragmentTask, time: Value | undefined): boolean {
  if (task.lateAt === undefined || output.kind !== 'rows' || output.lateWindow === undefined) return false;
  return windowStart(output.lateWindow, Number(time)) + output.lateWindow.sizeMs - 1 > task.lateAt;
}

type Evaluate = (expression: Expression) => Value;

class Rows {
  readonly #fragment: Fragment;
  readonly #rows: Row[] = [];

  constructor(fragment: Fragment) {
    this.#fragment = fragment;
  }
  add(value: Evaluate): void {
    const { output } = this.#fragment;
    if (output.kind === 'rows') this.#rows.push(output.columns.map(value));
  }
  batch(): Batch {
    return batchOf(this.#fragment, this.#rows);
  }
}

class Partials {
  readonly #fragment: Fragment;
  readonly #groups = new Map<unknown, Value[]>();

  constructor(fragment: Fragment) {
    this.#fragment = fragment;
  }

  add(value: Evaluate, time: number): void {
    const { output } = this.#fragment;
    assert(output.kind === 'partial', 'partials are what the fragment yields');
    const keys = output.keys.map(key => {
      const keyValue = value(key);
      // -0 is the same key as 0.
      return key.type.name === 'DOUBLE' && keyValue === 0 ? 0 : keyValue;
    });
    const window = output.window === undefined ? [] : [windowStart(output.window, time)];
    const name = output.local
      ? JSON.stringify([...window, ...keys].map(part => `${typeof part} ${String(part)}`))
      : Symbol();
    let group = this.#groups.get(name);
    if (group === undefined) {
      group = [...window, ...keys, ...output.accumulators.map(({ op }) => (op === 'count' ? 0n : null))];
      this.#groups.set(name, group);
    }
    const first = window.length + keys.length;
    output.accumulators.forEach((accumulator, i) => {
      group[first + i] = accumulated(accumulator, group[first + i]!, value);
    });
  }

  batch(): Batch {
    return batchOf(this.#fragment, [...this.#groups.values()]);
  }
}

function accumulated({ op, argument, filter, type }: Accumulator, before: Value, value: Evaluate): Value {
  if (filter !== undefined && value(filter) !== true) return before;
  const now = argument === undefined ? null : value(argument);
  if (argument !== undefined && now === null) return before;
  if (op === 'count') return (before as bigint) + 1n;
  if (before === null || now === null) return now;
  if (op === 'sum') return sum(type, before, now);
  return compare(now, before) < 0 === (op === 'min') ? now : before;
}

function sum(type: DataType, a: Value, b: Value): Value {
  if (type.name === 'INT') return ((a as number) + (b as number)) | 0;
  return type.name === 'BIGINT' ? BigInt.asIntN(64, (a as bigint) + (b as bigint)) : (a as number) + (b as number);
}

/** Texts by code points; doubles as Java has them: -0 before 0, NaN after everything. */
function compare(a: Value, b: Value): number {
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b));
  if (Object.is(a, b)) return 0;
  if (a === b) return Object.is(a, -0) ? -1 : 1;
  if (Number.isNaN(a)) return 1;
  if (Number.isNaN(b)) return -1;
  return a! < b! ? -1 : 1;
}

function batchOf({ output }: Fragment, rows: readonly Row[]): Batch {
  const columns = output.schema.fields.map(({ name, type }, c) =>
    columnFrom(
      type,
      rows.map(row => row[c]),
      name,
    ),
  );
  return { schema: output.schema, rows: rows.length, columns };
}

function hashesOf(batch: Batch, firstKey: number, keys: readonly Expression[]): Int32Array {
  const columns = batch.columns.slice(firstKey, firstKey + keys.length);
  return Int32Array.from({ length: batch.rows }, (_, row) => hashKeys(columns, row));
}
