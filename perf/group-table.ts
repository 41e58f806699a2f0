import { assert } from '../lib/base/errors.ts';
import { seededRandom } from '../lib/base/random.ts';
import { type Column, columnFrom } from '../lib/data/column.ts';
import { dataType } from '../lib/data/data-type.ts';
import { hashKeys } from '../lib/data/key-hash.ts';
import { gather } from '../lib/state/gather.ts';
import { type GroupLayout, type GroupTable, partialColumns } from '../lib/state/group-table.ts';
import { WindowedGroups } from '../lib/state/windowed-groups.ts';
import type { BenchmarkOptions, Measured } from './support/benchmark.ts';
import { type CaseResult, type Contender, interleaved } from './support/measure.ts';

export const description =
  'state alone: partials (count and max) merged into a table of 10^3 to 10^7 uniform keys, its emission and its snapshot; bytes per key and aggregate';

const rowsPerBatch = 8192;
const batchesPerRun = 16;
const bigint = dataType('BIGINT', false);
const text = dataType('STRING', false);

interface Batch {
  readonly columns: readonly Column[];
  readonly hashes: Int32Array;
}

/** One batch of partials, each of one record; `keyOf` gives the number of the key of a row. */
function batchOf(textKeys: boolean, random: () => number, keyOf: (row: number) => number): Batch {
  const numbers = Float64Array.from({ length: rowsPerBatch }, (_, row) => keyOf(row));
  const key: Column = textKeys
    ? columnFrom(
        text,
        Array.from(numbers, number => `customer-${number}`),
        'key',
      )
    : { kind: 'narrow', values: numbers, validity: undefined };
  const count: Column = { kind: 'narrow', values: new Float64Array(rowsPerBatch).fill(1), validity: undefined };
  const max: Column = {
    kind: 'narrow',
    values: Float64Array.from(numbers, () => Math.floor(random() * 1e6)),
    validity: undefined,
  };
  return { columns: [key, count, max], hashes: Int32Array.from(numbers, (_, row) => hashKeys([key], row)) };
}

const inOrder = Int32Array.from({ length: rowsPerBatch }, (_, row) => row);

function mergeAll(table: GroupTable, batches: readonly Batch[]): number {
  for (const { columns, hashes } of batches)
    table.merge(partialColumns(table.layout, columns, hashes, rowsPerBatch), inOrder, 0, rowsPerBatch);
  return batches.length * rowsPerBatch;
}

function emitAll(table: GroupTable): number {
  for (let from = 0; from < table.groups; from += 4096) {
    const to = Math.min(table.groups, from + 4096);
    for (const column of table.views()) gather([{ column, order: undefined, from, to }]);
  }
  return table.groups;
}

interface Filled {
  readonly name: string;
  readonly table: GroupTable;
  readonly state: WindowedGroups;
  readonly merge: Contender;
}

function filled(keys: number, textKeys: boolean): Filled {
  const layout: GroupLayout = {
    keys: [textKeys ? text : bigint],
    accumulators: [
      { op: 'count', type: bigint },
      { op: 'max', type: bigint },
    ],
  };
  const name = `10^${Math.log10(keys).toFixed(0)} ${textKeys ? 'text' : 'number'} keys`;
  const random = seededRandom(7);
  const state = new WindowedGroups(layout);
  const table = state.table(0);
  // Every key once, in an order that jumps about.
  let key = 0;
  const started = process.hrtime.bigint();
  let makingNs = 0n;
  const filling = Math.ceil(keys / rowsPerBatch);
  for (let batch = 0; batch < filling; batch++) {
    const before = process.hrtime.bigint();
    const made = batchOf(textKeys, random, () => (key = (key + 618_033_989) % keys));
    makingNs += process.hrtime.bigint() - before;
    mergeAll(table, [made]);
  }
  const ns = Number(process.hrtime.bigint() - started - makingNs) / (filling * rowsPerBatch);
  assert(table.groups === keys, 'every key was added');
  const bytes = table.bytes / table.groups / layout.accumulators.length;
  console.log(
    `  ${name.padEnd(20)} filling a new table ${ns.toFixed(0).padStart(5)} ns a record, ${bytes.toFixed(1)} bytes a key and aggregate`,
  );
  let batches: Batch[] = [];
  const merge: Contender = {
    name: `merge, ${name}`,
    prepare() {
      batches = Array.from({ length: batchesPerRun }, () =>
        batchOf(textKeys, random, () => Math.floor(random() * keys)),
      );
    },
    run: () => mergeAll(table, batches),
  };
  return { name, table, state, merge };
}

export async function run({ smoke }: BenchmarkOptions): Promise<Measured> {
  const [rounds, warmUps] = smoke ? [1, 0] : [15, 5];
  // Compiles everything before the first table is filled.
  filled(1000, false);
  const tables = smoke
    ? [filled(1e3, false), filled(1e4, false), filled(1e3, true)]
    : [1e3, 1e5, 1e6, 1e7].map(keys => filled(keys, false)).concat([1e3, 1e5, 1e6].map(keys => filled(keys, true)));
  const largest = tables
    .filter(({ table }) => table.groups <= 1e6)
    .reduce((a, b) => (b.table.groups >= a.table.groups ? b : a));
  const merges = await interleaved(
    tables.map(({ merge }) => merge),
    rounds,
    warmUps,
  );
  const whole = await interleaved(
    [
      { name: `emission, ${largest.name}`, run: () => emitAll(largest.table) },
      {
        name: `snapshot, ${largest.name}`,
        run: () => {
          largest.state.encode();
          return largest.table.groups;
        },
      },
    ],
    smoke ? 1 : 3,
    1,
  );
  const ns = (result: CaseResult): number => 1e9 / result.recordsPerSecond;
  const [base] = merges;
  for (const result of [...merges, ...whole])
    console.log(
      `  ${result.name.padEnd(30)} ${ns(result).toFixed(0).padStart(5)} ns a row, ${(ns(result) - ns(base!)).toFixed(0)} over 10^3 number keys`,
    );
  return { cases: [...merges, ...whole], ratios: {} };
}
