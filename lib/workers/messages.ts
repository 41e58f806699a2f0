import { BraidError, type BraidErrorCode } from '../base/errors.ts';
import type { Column } from '../data/column.ts';
import type { Fragment, FragmentResult, FragmentTask } from '../kernels/fragment.ts';

/** What a worker is given once, at its start. */
export interface WorkerSetup {
  readonly fragments: readonly Fragment[];
}

/** One task. The bytes lie in shared memory: posting them copies nothing. */
export interface WorkerRequest {
  readonly fragmentId: string;
  readonly task: FragmentTask | { readonly kind: 'warmUp' };
}

/** The result without its schema (the owner knows it), its buffers transferred; or the error as data, since a class does not survive the crossing. */
export type WorkerAnswer =
  | {
      readonly ok: true;
      readonly result: Omit<FragmentResult, 'batch'>;
      readonly rows: number;
      readonly columns: readonly Column[];
    }
  | { readonly ok: false; readonly error: WorkerError };

export interface WorkerError {
  readonly code: BraidErrorCode;
  readonly sentence: string;
  readonly place: string | undefined;
  readonly hint: string | undefined;
  readonly stack: string | undefined;
}

export function packError(thrown: unknown): WorkerError {
  if (thrown instanceof BraidError) {
    return { code: thrown.code, sentence: thrown.message, place: thrown.place, hint: thrown.hint, stack: thrown.stack };
  }
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  return { code: 'ASSERTION', sentence: error.message, place: undefined, hint: undefined, stack: error.stack };
}

/** `place` names the task, and goes in front of what the worker knew (an offset, a column). */
export function unpackError(error: WorkerError, place: string): BraidError {
  const cause = new Error(error.sentence);
  if (error.stack !== undefined) cause.stack = error.stack;
  return new BraidError(error.code, error.sentence, {
    place: error.place === undefined ? place : `${place}, ${error.place}`,
    hint: error.hint,
    cause,
  });
}

/** The distinct unshared buffers behind a result: what is moved instead of copied. */
export function transferables(result: FragmentResult): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>();
  const add = (view: ArrayBufferView | undefined): void => {
    if (view?.buffer instanceof ArrayBuffer) buffers.add(view.buffer);
  };
  const addColumn = (column: Column): void => {
    add(column.validity);
    switch (column.kind) {
      case 'utf8':
        add(column.bytes);
        add(column.starts);
        add(column.ends);
        break;
      case 'dictionary':
        add(column.codes);
        addColumn(column.dictionary);
        break;
      default:
        add(column.values);
    }
  };
  result.batch.columns.forEach(addColumn);
  add(result.hashes);
  return [...buffers];
}
