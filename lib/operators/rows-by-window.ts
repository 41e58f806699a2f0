import { assert } from '../base/errors.ts';

/** Rows of a batch by window: those of one window are `rows[from..to)`, in the order of the batch. */
export interface RowsByWindow {
  readonly rows: Int32Array;
  readonly windows: readonly { readonly start: number; readonly from: number; readonly to: number }[];
}

/** Sorts the rows of a batch by their window start, windows in order; `sizeMs` is what the starts are apart. */
export function rowsByWindow(starts: Float64Array, rows: number, sizeMs: number): RowsByWindow {
  if (rows === 0) return { rows: new Int32Array(0), windows: [] };
  let first = starts[0]!;
  let last = first;
  for (let row = 1; row < rows; row++) {
    const start = starts[row]!;
    if (start < first) first = start;
    if (start > last) last = start;
  }
  if (first === last) return { rows: inOrder(rows), windows: [{ start: first, from: 0, to: rows }] };
  const span = (last - first) / sizeMs + 1;
  // A few rows that are far apart would make a counting sort walk through the time between them.
  return span <= 4 * rows + 1024
    ? countingSort(starts, rows, first, sizeMs, span)
    : comparisonSort(starts.subarray(0, rows));
}

function inOrder(rows: number): Int32Array {
  const out = new Int32Array(rows);
  for (let row = 0; row < rows; row++) out[row] = row;
  return out;
}

function countingSort(starts: Float64Array, rows: number, first: number, sizeMs: number, span: number): RowsByWindow {
  assert(Number.isInteger(span), 'window starts that are not a whole number of windows apart');
  const bounds = new Int32Array(span + 1);
  for (let row = 0; row < rows; row++) {
    const next = (starts[row]! - first) / sizeMs + 1;
    assert(Number.isInteger(next), 'window starts that are not a whole number of windows apart');
    bounds[next] = bounds[next]! + 1;
  }
  const windows: { start: number; from: number; to: number }[] = [];
  for (let w = 0; w < span; w++) {
    const from = bounds[w]!;
    const to = from + bounds[w + 1]!;
    bounds[w + 1] = to;
    if (from < to) windows.push({ start: first + w * sizeMs, from, to });
  }
  const sorted = new Int32Array(rows);
  for (let row = 0; row < rows; row++) {
    const w = (starts[row]! - first) / sizeMs;
    sorted[bounds[w]!] = row;
    bounds[w] = bounds[w]! + 1;
  }
  return { rows: sorted, windows };
}

function comparisonSort(starts: Float64Array): RowsByWindow {
  const rows = inOrder(starts.length).sort((a, b) => starts[a]! - starts[b]! || a - b);
  const windows: { start: number; from: number; to: number }[] = [];
  for (let from = 0, to = 0; from < rows.length; from = to) {
    const start = starts[rows[from]!]!;
    while (to < rows.length && starts[rows[to]!] === start) to++;
    windows.push({ start, from, to });
  }
  return { rows, windows };
}
