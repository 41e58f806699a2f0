import { assert } from '../lib/base/errors.ts';
import { SlabPool } from '../lib/data/slab.ts';
import { nextBatch } from '../lib/formats/record-batch/header.ts';
import { compileFragment } from '../lib/kernels/compile.ts';
import type { FragmentResult, FragmentTask } from '../lib/kernels/fragment.ts';
import { createWindowAggregate, type WindowAggregate } from '../lib/operators/window-aggregate.ts';
import { createPiscinaPool } from '../lib/workers/piscina-pool.ts';
import type { FragmentPool } from '../lib/workers/pool.ts';
import { type LimitResult, rawPathLimit } from './limits/raw-path.ts';
import { RawPathLimitPool } from './limits/raw-path-pool.ts';
import type { BenchmarkOptions, Measured } from './support/benchmark.ts';
import { bidAggregate, bidFragment } from './support/bid-fragment.ts';
import { bidBatches } from './support/bids.ts';
import { type CaseResult, type Contender, interleaved } from './support/measure.ts';

export const description =
  'record batches in memory -> decode, scan 3 of 7 fields, tumbling count and max per key; against a bare loop, inline and with 2 pool threads; CRC32C by the same function on both sides, and on neither';

const batches = 6;
const recordsPerBatch = 1000;
const recordsPerTask = batches * recordsPerBatch;
const tasksPerRun = 50;
const threads = 2;
const tasksInFlight = threads * 3;
const bytes = bidBatches(batches, recordsPerBatch);
const offsets = offsetsOf(bytes);

export async function run({ smoke }: BenchmarkOptions): Promise<Measured> {
  const [rounds, warmUps] = smoke ? [1, 0] : [9, 3];
  const fragment = compileFragment(bidFragment());
  const inline = (slab: Uint8Array, checkCrc: boolean): FragmentResult => fragment.run(taskOver(slab, checkCrc));
  assertSame(inline(bytes, true), rawPathLimit(bytes, offsets, true));
  const slabs = Array.from({ length: tasksPerRun }, () => new Uint8Array(new SharedArrayBuffer(bytes.length + 4096)));
  const pool = createPiscinaPool({ threads, fragments: [bidFragment()] });
  const limitPool = new RawPathLimitPool(threads);
  const slabPool = new SlabPool(64 << 20);
  try {
    await pool.ready();
    const contenders = [true, false].flatMap(checkCrc => {
      const crc = checkCrc ? 'CRC' : 'no CRC';
      return [
        overSlabs(`braid inline, ${crc}`, slabs, slab => inline(slab, checkCrc).rowsIn),
        overSlabs(`limit inline, ${crc}`, slabs, slab => rawPathLimit(slab, offsets, checkCrc).rows),
        { name: `braid pool of ${threads}, ${crc}`, run: () => runPool(pool, slabPool, checkCrc) },
        { name: `limit pool of ${threads}, ${crc}`, run: () => runLimitPool(limitPool, checkCrc) },
      ];
    });
    const cases = await interleaved(contenders, rounds, warmUps);
    const ratios: Record<string, number> = {};
    for (const how of ['inline', `pool of ${threads}`])
      for (const crc of ['CRC', 'no CRC'])
        ratios[`braid/limit ${how}, ${crc}`] = ratioOf(cases, `braid ${how}, ${crc}`, `limit ${how}, ${crc}`);
    return { cases, ratios: { ...ratios, 'braid/limit': Math.min(...Object.values(ratios)) } };
  } finally {
    await Promise.all([pool.destroy(), limitPool.destroy()]);
  }
}

function offsetsOf(records: Uint8Array): number[] {
  const starts: number[] = [];
  for (
    let header = nextBatch(records, 0, records.length);
    header;
    header = nextBatch(records, header.end, records.length)
  )
    starts.push(header.start);
  return starts;
}

function taskOver(slab: Uint8Array, checkCrc: boolean): FragmentTask {
  return {
    kind: 'records',
    bytes: slab,
    start: 0,
    end: bytes.length,
    fromOffset: 0,
    untilOffset: recordsPerTask,
    checkCrc,
  };
}

/**
 * Both sides read the same buffers, each one once a run, filled anew before the clock starts: 57 MB of slabs, more than
 * the caches hold.
 */
function overSlabs(name: string, slabs: readonly Uint8Array[], task: (slab: Uint8Array) => number): Contender {
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

/** As a source does it: bytes are copied into a slab, a worker makes partials of them, the owner merges these. */
async function runPool(pool: FragmentPool, slabPool: SlabPool, checkCrc: boolean): Promise<number> {
  const aggregate: WindowAggregate = createWindowAggregate(bidAggregate(), compileFragment);
  const outbox = { full: false, emit: () => {} };
  let records = 0;
  let sent = 0;
  const lane = async (): Promise<void> => {
    while (sent < tasksPerRun) {
      sent++;
      const slab = slabPool.hold(bytes);
      const result = await pool.run('bids', taskOver(slab.bytes, checkCrc), 'bids');
      aggregate.onBatch(result, outbox);
      slab.release();
      records += result.rowsIn;
    }
  };
  await Promise.all(Array.from({ length: tasksInFlight }, lane));
  assert(aggregate.groups === groupsOf(bytes).size, 'the merged partials have every group once');
  return records;
}

/** As there is nothing to prepare, fresh buffers are part of the work: for both sides. */
async function runLimitPool(pool: RawPathLimitPool, checkCrc: boolean): Promise<number> {
  const { records, groups } = await pool.run(bytes, offsets, checkCrc, tasksPerRun, tasksInFlight);
  assert(groups.size === groupsOf(bytes).size, 'the merged groups of the limit are all there');
  return records;
}

function ratioOf(cases: readonly CaseResult[], a: string, b: string): number {
  const rate = (name: string): number => cases.find(one => one.name === name)!.recordsPerSecond;
  return rate(a) / rate(b);
}

let known: ReadonlyMap<string, string> | undefined;

/** Auction and window -> count and maximum, by the bare loop. */
function groupsOf(records: Uint8Array): ReadonlyMap<string, string> {
  known ??= groupsIn(rawPathLimit(records, offsets, false));
  return known;
}

function groupsIn({ out }: LimitResult): Map<string, string> {
  const groups = new Map<string, string>();
  for (let i = 0; i < out.length; i += 4) groups.set(`${out[i]} ${out[i + 1]}`, `${out[i + 2]} ${out[i + 3]}`);
  return groups;
}

/** Both give the same groups: a fast wrong answer is none. */
function assertSame(result: FragmentResult, limit: LimitResult): void {
  const groups = groupsIn(limit);
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
