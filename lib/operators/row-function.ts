import { BraidError, sentenceOf } from '../base/errors.ts';
import { type Batch, propertyOf, type Row } from '../data/batch.ts';
import { columnFrom, valueAt } from '../data/column.ts';
import type { Operator } from './operator.ts';
import type { RowFunctionSpec } from './row-function-spec.ts';
import { emptySnapshot, restoreNothing } from './stateless.ts';
import { takeRows } from './take-rows.ts';

/**
 * Map or filter with a plain TypeScript function, which is called once for each row, in order, with an object of its
 * own. The function must be synchronous: what it returns is a row of the output schema (map) or true or false (filter).
 * Errors: ROW_FUNCTION_FAILED where it throws or returns something else, ROW_INVALID where a column of the row it
 * returned has the wrong type; both name the operator and the row.
 */
export function createRowFunction(spec: RowFunctionSpec): Operator {
  const { apply } = spec;
  const run = apply.kind === 'map' ? mapper(spec, apply.fn) : filterer(spec, apply.fn);
  return {
    onBatch(batch, outbox) {
      // Before anything else: the function must not see a row twice.
      if (outbox.full) return false;
      const out = run(batch);
      if (out.rows > 0) outbox.emit(out);
      return true;
    },
    onWatermark: () => true,
    snapshot: () => emptySnapshot,
    restore: restoreNothing,
  };
}

function mapper(spec: RowFunctionSpec, fn: (row: Row) => Row): (batch: Batch) => Batch {
  const seen = spec.input.fields.length - spec.carried;
  const made = spec.output.fields.slice(0, spec.output.fields.length - spec.carried);
  return batch => {
    const values = made.map((): unknown[] => []);
    forEachRow(spec, batch, row => {
      const result: unknown = fn(row);
      if (typeof result !== 'object' || result === null || isThenable(result))
        throw wrongResult('a row', result, 'return an object with the columns of the output schema');
      // Read here, since a property may be a getter that throws.
      made.forEach(({ name }, c) => {
        values[c]!.push(propertyOf(result as Row, name));
      });
    });
    const columns = made.map(({ name, type }, c) => columnFrom(type, values[c]!, `${spec.name}.${name}`));
    const carried = batch.columns.slice(seen);
    return { schema: spec.output, rows: batch.rows, columns: [...columns, ...carried], changes: batch.changes };
  };
}

function filterer(spec: RowFunctionSpec, fn: (row: Row) => boolean): (batch: Batch) => Batch {
  return batch => {
    const kept = new Int32Array(batch.rows);
    let rows = 0;
    forEachRow(spec, batch, (row, i) => {
      const result: unknown = fn(row);
      if (typeof result !== 'boolean') throw wrongResult('true or false', result, 'compare, or use Boolean(...)');
      if (result) kept[rows++] = i;
    });
    if (rows === batch.rows) return { ...batch, schema: spec.output };
    const order = kept.subarray(0, rows);
    const { changes } = batch;
    return {
      schema: spec.output,
      rows,
      columns: batch.columns.map(column => takeRows(column, order)),
      changes: changes && Uint8Array.from(order, row => changes[row]!),
    };
  };
}

function forEachRow(spec: RowFunctionSpec, batch: Batch, visit: (row: Row, index: number) => void): void {
  const fields = spec.input.fields.slice(0, spec.input.fields.length - spec.carried);
  const rowAt = (i: number): Row => {
    const row = Object.create(null) as Row;
    for (let c = 0; c < fields.length; c++) row[fields[c]!.name] = valueAt(batch.columns[c]!, i);
    return row;
  };
  for (let i = 0; i < batch.rows; i++) {
    try {
      visit(rowAt(i), i);
    } catch (thrown) {
      const hint = thrown instanceof WrongResult ? thrown.hint : undefined;
      const reason = sentenceOf(thrown);
      throw new BraidError('ROW_FUNCTION_FAILED', `the ${spec.apply.kind} function ${spec.name} failed: ${reason}`, {
        // The function may have changed the row that it was given.
        place: `${spec.name}, row ${printRow(rowAt(i))}`,
        hint,
        cause: thrown,
      });
    }
  }
}

/** Not an error of the function's own. */
class WrongResult extends Error {
  readonly hint: string;
  constructor(sentence: string, hint: string) {
    super(sentence);
    this.hint = hint;
  }
}

function wrongResult(wanted: string, result: unknown, hint: string): WrongResult {
  return isThenable(result)
    ? new WrongResult(
        'it returned a promise',
        'row functions are synchronous: do what waits before the job or behind it',
      )
    : new WrongResult(`it returned ${result === null ? 'null' : typeof result} instead of ${wanted}`, hint);
}

function isThenable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

/** The row as one line of at most 300 characters. */
function printRow(row: Row): string {
  const text = JSON.stringify(row, (_, value) => (typeof value === 'bigint' ? String(value) : value));
  return text.length <= 300 ? text : `${text.slice(0, 300)}...`;
}
