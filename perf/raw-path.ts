import { assert } from '../lib/base/errors.ts';
import { nextBatch } from '../lib/formats/record-batch/header.ts';
import { compileFragment } from '../lib/kernels/compile.ts';
import type { FragmentResult } from '../lib/kernels/fragment.ts';
import { type LimitResult, rawPathLimit } from './limits/raw-path.ts';
import type { Measured } from './support/benchmark.ts';
import { bidFragment } from './support/bid-fragment.ts';
import { bidBatches } from './support/bids.ts';
import { type CaseResult, type Contender, interleaved } from './support/measure.ts';

export const description =
  'record batches in memory -> decode, scan 3 of 7 fields, tumbling count and max per key; against a bare loop (CRC32C by the same function on both sides, and on neither)';

const batches = 6;
const recordsPerBatch = 1000;
const tasksPerRun = 50;
const rounds = 9;
const warmUps = 3;

/**
 * Both sides read the same buffers, each one once a run, filled anew before the clock starts: 57 MB of slabs, more than
 * the caches hold.
 */
function contender(
  name: string,
  slabs: readonly Uint8Array[],
  bytes: Uint8Array,
  task: (fresh: Uint8Array) => number,
): Contender {
  return {
    name,
    prepare() {
      for (const slab of slabs) slab.set(bytes);
    },
    run() {
      let records = 0;
      for (const slab of slabs) records += task(slab);
      return records;
    },
  };
}

/** Ratios that the pool's cases will join: pool against pool. */
function ratioOf(cases: readonly CaseResult[], a: string, b: string): number {
  const rate = (name: string): number => cases.find(one => one.name === name)!.recordsPerSecond;
  return rate(a) / rate(b);
}

export async function run(): Promise<Measured> {
  const bytes = bidBatches(batches, recordsPerBatch);
  const offsets: number[] = [];
  for (let header = nextBatch(bytes, 0, bytes.length); header; header = nextBatch(bytes, header.end, bytes.length))
    offsets.push(header.start);
  const fragment = compileFragment(bidFragment());
  const braid = (fresh: Uint8Array, checkCrc: boolean): FragmentResult =>
    fragment.run({
      kind: 'records',
      bytes: fresh,
      start: 0,
      end: bytes.length,
      fromOffset: 0,
      untilOffset: batches * recordsPerBatch,
      checkCrc,
    });
  assertSame(braid(bytes, true), rawPathLimit(bytes, offsets, true));
  const slabs = Array.from({ length: tasksPerRun }, () => new Uint8Array(new SharedArrayBuffer(bytes.length + 4096)));
  const cases = await interleaved(
    [
      contender('braid inline, CRC', slabs, bytes, fresh => braid(fresh, true).rowsIn),
      contender('limit inline, CRC', slabs, bytes, fresh => rawPathLimit(fresh, offsets, true).rows),
      contender('braid inline, no CRC', slabs, bytes, fresh => braid(fresh, false).rowsIn),
      contender('limit inline, no CRC', slabs, bytes, fresh => rawPathLimit(fresh, offsets, false).rows),
    ],
    rounds,
    warmUps,
  );
  const ratios = {
    'braid/limit inline, CRC': ratioOf(cases, 'braid inline, CRC', 'limit inline, CRC'),
    'braid/limit inline, no CRC': ratioOf(cases, 'braid inline, no CRC', 'limit inline, no CRC'),
  };
  return { cases, ratios: { ...ratios, 'braid/limit': Math.min(...Object.values(ratios)) } };
}

/** Both give the same groups: a fast wrong answer is none. */
function assertSame(result: FragmentResult, limit: LimitResult): void {
  const groups = new Map<string, string>();
  for (let i = 0; i < limit.out.length; i += 4)
    groups.set(`${limit.out[i]} ${limit.out[i + 1]}`, `${limit.out[i + 2]} ${limit.out[i + 3]}`);
  const [windows, auctions, counts, maxima] = result.batch.columns.map(column => {
    assert(column.kind === 'timestamp' || column.kind === 'narrow', 'the columns are numbers');
    return column.values;
  });
  assert(result.batch.rows === groups.size, 'Braid and the limit find the same number of groups');
  for (let i = 0; i < result.batch.rows; i++)
    assert(
      groups.get(`${auctions![i]} ${windows![i]}`) === `${counts![i]} ${maxima![i]}`,
      'Braid and the limit find the same counts and maxima',
    );
}
