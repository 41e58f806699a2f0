import { assert, BraidError } from '../base/errors.ts';
import { type Batch, batchFrom } from '../data/batch.ts';
import type { Width } from '../expressions/generate.ts';
import { BadRecords } from './bad-records.ts';
import { buildColumnsKernel, type ColumnsKernel } from './emit-columns.ts';
import { outputColumns } from './emit-output.ts';
import { type BuiltRecordsKernel, buildRecordsKernel, outcomes, type RecordsInput } from './emit-records.ts';
import type { CompiledFragment, Fragment, FragmentResult, FragmentTask } from './fragment.ts';
import { KernelMemory } from './kernel-memory.ts';
import { KernelWriter } from './kernel-writer.ts';
import { eachRecordBatch, type RecordsTask } from './record-batches.ts';
import { windowRange } from './window-range.ts';

type ColumnsTask = Extract<FragmentTask, { kind: 'columns' }>;

/** After so many tasks in a row that did not fit narrow arithmetic, the wide kernel is tried first, for `wideTasks` tasks. */
const bailsInARow = 3;
const wideTasks = 64;

/**
 * Generates the fragment's loop. Two widths of it: the narrow one keeps BIGINT as safe integers in doubles and is what
 * runs; where a value or a result is no safe integer, it gives up and the whole task is run again by the wide one, with
 * 64-bit integers, which is generated when it is first needed. Both give the same result where both can.
 *
 * `run` is synchronous and keeps nothing of a task but memory to be used again; results own their buffers.
 * Errors of `run`: BATCH_CORRUPT, CODEC_UNSUPPORTED, BATCH_TOO_LARGE; ROW_INVALID and EVENT_TIME_MISSING with the offset
 * as place, where policy is `fail`; ROW_INVALID of an expression, whatever the policy. The caller adds topic and partition.
 */
export function compileFragment(fragment: Fragment): CompiledFragment {
  const kernels: Partial<Record<Width, Kernel>> = {};
  const kernelOf = (width: Width): Kernel => (kernels[width] ??= createKernel(fragment, width));
  // Generated at once: a fragment that cannot be generated fails where it is compiled.
  kernelOf('narrow');
  let bails = 0;
  let wideLeft = 0;
  return {
    run(task) {
      assert(task.kind === fragment.input.kind, `the fragment ${fragment.id} does not take ${task.kind}`);
      if (wideLeft > 0) wideLeft--;
      else {
        const result = kernelOf('narrow')(task);
        if (result !== undefined) {
          bails = 0;
          return result;
        }
        if (++bails >= bailsInARow) wideLeft = wideTasks;
      }
      const result = kernelOf('wide')(task);
      assert(result !== undefined, 'a wide kernel never gives up');
      return result;
    },
  };
}

/** Runs a task; undefined where narrow arithmetic does not suffice. */
type Kernel = (task: FragmentTask) => FragmentResult | undefined;

function createKernel(fragment: Fragment, width: Width): Kernel {
  const { input, output } = fragment;
  const window = output.kind === 'partial' ? output.window : undefined;
  const memory = new KernelMemory(outputColumns(output, width), window, output.kind === 'partial' && output.local);
  const bad = new BadRecords(input.kind === 'records' ? input.json.badRecords : 'fail', input.schema.fields);
  const writer = new KernelWriter(`return ${outcomes.bail};`);
  let firstRow = 0;
  const noEventTime = (row: number): never => {
    throw new BraidError('EVENT_TIME_MISSING', 'the event time is NULL', { place: `row ${firstRow + row}` });
  };
  const run =
    input.kind === 'records'
      ? runRecords(buildRecordsKernel(writer, fragment, input satisfies RecordsInput, width, bad), memory)
      : runColumns(buildColumnsKernel(writer, fragment, width, noEventTime), memory, batchFrom(input.schema, []));
  return task => {
    memory.reset();
    firstRow = task.kind === 'columns' ? (task.firstRow ?? 0) : 0;
    try {
      const nextOffset = run(task as never);
      if (nextOffset === outcomes.bail) return undefined;
      const batch = memory.batch(output.schema);
      return {
        rowsIn: memory.rowsIn,
        rowsPassed: memory.rowsPassed,
        maxEventTime: memory.maxEventTime,
        batch,
        hashes: output.kind === 'partial' ? memory.hashes.slice(0, memory.rows) : undefined,
        windows: window === undefined ? undefined : windowRange(batch),
        badRecords: bad.take(),
        nextOffset: task.kind === 'records' ? nextOffset : -1,
      };
    } finally {
      bad.take();
    }
  };
}

function lateAtOf(fragmentTask: FragmentTask): number {
  return fragmentTask.lateAt ?? Number.NaN;
}

/**
 * Calls of a new loop over nothing, some 2 ms in all. V8 compiles a long loop while it runs (OSR), from what it has seen by
 * then, and it only begins to note what it sees after a function has run for a while. Without these calls it has not seen
 * what comes after the loop when it compiles it, and throws away what it compiled at the end of every batch.
 */
const warmUps = 512;

/** Runs the loop over each batch of a task. Returns the offset after the last record, or `outcomes.bail`. */
function runRecords(kernel: BuiltRecordsKernel, memory: KernelMemory): (task: RecordsTask) => number {
  const { run, overrunBytes } = kernel;
  const nothing = new Uint8Array(0);
  const noView = new DataView(nothing.buffer);
  for (let i = 0; i < warmUps; i++) run(memory, nothing, noView, 0, 0, 0, 0, 0, 0, 0, Number.NaN);
  return task => {
    const lateAt = lateAtOf(task);
    return eachRecordBatch(task, overrunBytes, ({ bytes, view, start, end, header, fromDelta, untilDelta }) => {
      const { records, baseOffset, nextOffset } = header;
      const deltas = nextOffset - baseOffset;
      return run(memory, bytes, view, start, end, records, baseOffset, deltas, fromDelta, untilDelta, lateAt);
    });
  };
}

function runColumns(run: ColumnsKernel, memory: KernelMemory, nothing: Batch): (task: ColumnsTask) => number {
  for (let i = 0; i < warmUps; i++) run(memory, nothing, Number.NaN);
  return task => run(memory, task.batch, lateAtOf(task));
}
