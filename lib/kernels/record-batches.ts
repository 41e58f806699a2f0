import { recordBytes } from '../formats/record-batch/decompress.ts';
import { type BatchHeader, checkCrc, corrupt, nextBatch } from '../formats/record-batch/header.ts';
import { outcomes } from './emit-records.ts';
import type { FragmentTask } from './fragment.ts';

export type RecordsTask = Extract<FragmentTask, { kind: 'records' }>;

/** The records of one batch, as a records kernel takes them. */
export interface RecordsOfBatch {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly start: number;
  readonly end: number;
  readonly header: BatchHeader;
  /** Offset deltas that belong to the task: from the first one, up to and without the second one. */
  readonly fromDelta: number;
  readonly untilDelta: number;
}

/**
 * Hands the record batches of a task to `run`, in order, with CRCs checked and unpacked where they have to be; control
 * batches, and batches that lie outside of the task's offsets, are left out. At least `overrunBytes` readable bytes follow
 * each batch: one at the very end of memory is copied.
 *
 * Returns the offset after the last record of the task; `outcomes.bail` as soon as `run` does. BATCH_CORRUPT where it finds
 * that records do not fill their batch.
 */
export function eachRecordBatch(
  task: RecordsTask,
  overrunBytes: number,
  run: (records: RecordsOfBatch) => number,
): number {
  const whole = plain(task.bytes);
  const wholeView = viewOf(whole);
  let nextOffset = task.fromOffset;
  for (
    let header = nextBatch(whole, task.start, task.end);
    header !== undefined && header.baseOffset < task.untilOffset;
    header = nextBatch(whole, header.end, task.end)
  ) {
    if (header.nextOffset <= task.fromOffset) continue;
    if (task.checkCrc) checkCrc(whole, header);
    nextOffset = Math.min(header.nextOffset, task.untilOffset);
    if (header.control) continue;
    const unpacked = recordBytes(whole, header);
    const records = { start: unpacked.start, end: unpacked.end, bytes: whole, view: wholeView };
    if (unpacked.bytes !== whole || whole.length - unpacked.end < overrunBytes) {
      records.bytes = new Uint8Array(unpacked.end - unpacked.start + overrunBytes);
      records.bytes.set(unpacked.bytes.subarray(unpacked.start, unpacked.end));
      records.view = viewOf(records.bytes);
      records.end -= records.start;
      records.start = 0;
    }
    const after = run({
      ...records,
      header,
      fromDelta: Math.max(0, task.fromOffset - header.baseOffset),
      untilDelta: Math.min(header.nextOffset, task.untilOffset) - header.baseOffset,
    });
    if (after === outcomes.bail) return after;
    if (after !== records.end) throw corrupt(header.baseOffset, 'has records that do not fit it', undefined);
  }
  return nextOffset;
}

/** Subclasses of Uint8Array would make the kernels' loops slower, once and for all. */
function plain(bytes: Uint8Array): Uint8Array {
  return Object.getPrototypeOf(bytes) === Uint8Array.prototype
    ? bytes
    : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
