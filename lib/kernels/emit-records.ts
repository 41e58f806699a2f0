import { createScanner, type Scanner } from '../formats/json/emit-scanner.ts';
import { fieldStates, malformations } from '../formats/json/reasons.ts';
import type { BadRecords } from './bad-records.ts';
import { emitRowBody, outputColumns, reload, save } from './emit-output.ts';
import type { KernelContext } from './emit-store.ts';
import type { Fragment, FragmentInput } from './fragment.ts';
import type { KernelMemory } from './kernel-memory.ts';
import type { KernelWriter } from './kernel-writer.ts';

export type RecordsInput = Extract<FragmentInput, { kind: 'records' }>;

/** What a records kernel answers instead of a position. */
export const outcomes = {
  /** Narrow arithmetic does not suffice: run the task again with the wide kernel. */
  bail: -1,
  /** A record does not fit its batch. */
  corrupt: -2,
} as const;

/**
 * A generated loop over the records of one batch: `bytes[start, end)`, `view` on the same bytes. Records whose offset delta
 * (below `deltas`, or the batch is corrupt) is below `fromDelta` or not below `untilDelta` are skipped. Returns the position after the last record, or an outcome.
 */
export type RecordsKernel = (
  memory: KernelMemory,
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  records: number,
  baseOffset: number,
  deltas: number,
  fromDelta: number,
  untilDelta: number,
  lateAt: number,
) => number;

export interface BuiltRecordsKernel {
  readonly run: RecordsKernel;
  /** Bytes behind `end` that must be readable. */
  readonly overrunBytes: number;
}

/** Generates the loop: record frame, JSON scan, event time, filter, output. `bad` decides about bad records. */
export function buildRecordsKernel(
  writer: KernelWriter,
  fragment: Fragment,
  input: RecordsInput,
  width: 'narrow' | 'wide',
  bad: BadRecords,
): BuiltRecordsKernel {
  const { fields } = input.schema;
  const scanner = createScanner(writer, { fields, validate: input.json.validate, width });
  const context: KernelContext = { writer, width, fragment, column: index => scanner.column(index) };
  const columns = outputColumns(fragment.output, width);
  writer.line(scanner.declarations);
  writer.line('b = bytes; v = view; p = start;');
  for (const [i, field] of fields.entries()) if (field.type.name === 'STRING') writer.line(`f${i}b = b;`);
  writer.line('let next = p, delta = 0, length = 0, valueEnd = 0, rowsIn = 0;');
  writer.line('let windowStart = NaN, windowEnd = NaN, windowed = 0;');
  writer.line(reload(columns, true));
  writer.line('row: for (let i = 0; i < records; i++) {');
  emitFrame(writer);
  writer.line('rowsIn++;');
  emitScan(context, scanner, writer.constant(bad));
  emitRowBody(context, `${writer.constant(bad)}.noEventTime(baseOffset + delta, b, valueEnd - length, valueEnd);`);
  writer.line('}');
  writer.line(save(columns));
  writer.line('M.rowsIn += rowsIn;');
  writer.line('return next;');
  const run = writer.build<RecordsKernel>(
    'M, bytes, view, start, end, records, baseOffset, deltas, fromDelta, untilDelta, lateAt',
  );
  return { run, overrunBytes: scanner.overrunBytes };
}

/**
 * The frame of a record: length, attributes, timestamp delta, offset delta, key, value, headers. `next` is where it ends
 * by its length; every field is checked against that, so that no length can lead out of the batch.
 */
function emitFrame(writer: KernelWriter): void {
  const corrupt = `return ${outcomes.corrupt};`;
  writer.line('p = next;');
  emitVarint(writer, 'length');
  writer.line('next = p + length;');
  writer.line(`if (length < 6 || next > end) ${corrupt}`);
  writer.line('p++;');
  writer.line('while (b[p++] > 127 && p < next);');
  emitVarint(writer, 'delta');
  emitVarint(writer, 'length');
  writer.line('if (length > 0) p += length;');
  writer.line(`if (p > next) ${corrupt}`);
  emitVarint(writer, 'length');
  writer.line('valueEnd = length > 0 ? p + length : p;');
  writer.line(`if (valueEnd >= next || delta < 0 || delta >= deltas) ${corrupt}`);
  writer.line(
    `if ((b[valueEnd] !== 0 || valueEnd + 1 !== next) && !${writer.constant(headersFit)}(b, valueEnd, next)) ${corrupt}`,
  );
  writer.line('if (delta < fromDelta || delta >= untilDelta) continue;');
}

/** A zigzag varint of at most five bytes at `p`; longer ones fail the check of whatever they measure. */
function emitVarint(writer: KernelWriter, target: string): void {
  writer.line('c = b[p++];');
  writer.line('if (c > 127) {');
  writer.line('c &= 127;');
  writer.line('for (t = 7; t < 35; t += 7) { w = b[p++]; c |= (w & 127) << t; if (w < 128) break; }');
  writer.line('}');
  writer.line(`${target} = (c >>> 1) ^ -(c & 1);`);
}

/** A varint that does not end: less than any that does. */
const unreadable = Number.MIN_SAFE_INTEGER;

/** Whether a record's headers, from their count on, fill it to its end. */
function headersFit(bytes: Uint8Array, start: number, end: number): boolean {
  let p = start;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; p < end && shift < 35; shift += 7) {
      const byte = bytes[p++]!;
      value |= (byte & 127) << shift;
      if (byte < 128) return (value >>> 1) ^ -(value & 1);
    }
    return unreadable;
  };
  const count = varint();
  if (count < 0) return false;
  for (let i = 0; i < count; i++) {
    const name = varint();
    if (name < 0 || name > end - p) return false;
    p += name;
    const value = varint();
    if (value === unreadable || value > end - p) return false;
    if (value > 0) p += value;
  }
  return p === end;
}

/** Scans the value and sorts out bad records; behind it, the row is good, or bad and kept with NULLs. */
function emitScan({ writer, fragment }: KernelContext, scanner: Scanner, bad: string): void {
  const { fields } = fragment.input.schema;
  const states = fields.map((_, i) => `k${i}`);
  const record = 'baseOffset + delta, b, valueEnd - length, valueEnd';
  writer.line('e = valueEnd;');
  writer.line(`if (length < 0) { length = 0; m = ${malformations.noValue}; } else {`);
  scanner.emit();
  writer.line('}');
  writer.line('if (m !== 0) {');
  writer.line(`if (!${bad}.malformed(m, ${record})) continue;`);
  for (const state of states) writer.line(`${state} = ${fieldStates.null};`);
  writer.line('} else');
  const required = states
    .filter((_, i) => !fields[i]!.type.nullable)
    .map(state => `${state} !== ${fieldStates.present}`);
  const wrong = [...(states.length === 0 ? [] : [`(${states.join(' | ')}) >= ${fieldStates.wrongType}`]), ...required];
  writer.line(wrong.length === 0 ? '{}' : `if (${wrong.join(' || ')}) {`);
  if (wrong.length > 0) {
    writer.line(`if (!${bad}.wrongFields([${states.join(', ')}], ${record})) continue;`);
    writer.line('}');
  }
}
