import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { PartitionLog } from '../../lib/embedded/partition-log.ts';
import { suite } from '../support/suite.ts';

const test = suite('embedded: the log of a partition');

interface Stored {
  readonly base: number;
  readonly bytes: Uint8Array;
}

/** Appends batches of the given sizes and record counts; contents differ by position. */
function filled(batches: readonly (readonly [size: number, records: number])[]): {
  log: PartitionLog;
  model: Stored[];
} {
  const log = new PartitionLog();
  const model: Stored[] = [];
  batches.forEach(([size, records], n) => {
    const bytes = Uint8Array.from({ length: size }, (_, at) => (n * 31 + at) % 251);
    const base = log.append(bytes, { lastOffsetDelta: records - 1, maxTimestamp: n }, 7);
    const stamped = bytes.slice();
    new DataView(stamped.buffer).setBigInt64(0, BigInt(base));
    new DataView(stamped.buffer).setInt32(12, 7);
    model.push({ base, bytes: stamped });
  });
  return { log, model };
}

const sizes = fc.array(
  fc.tuple(
    fc.oneof(fc.integer({ min: 61, max: 300 }), fc.integer({ min: 61, max: 90_000 })),
    fc.integer({ min: 1, max: 5 }),
  ),
  {
    minLength: 1,
    maxLength: 12,
  },
);

test('reads the bytes that were appended, from the batch that holds the offset, cut at the limit', () => {
  fc.assert(
    fc.property(sizes, fc.nat(), fc.nat({ max: 200_000 }), fc.boolean(), (batches, pick, limit, firstWhole) => {
      const { log, model } = filled(batches);
      const offset = pick % log.endOffset;
      const from = model.findLastIndex(stored => stored.base <= offset);
      const rest = Buffer.concat(model.slice(from).map(stored => stored.bytes));
      const first = model[from]!.bytes.length;
      const expected = first <= limit ? Math.min(limit, rest.length) : firstWhole ? first : 0;
      const slice = log.read(offset, limit, firstWhole);
      assert.is(slice.bytes, expected);
      assert.ok(Buffer.concat(slice.pieces).equals(rest.subarray(0, expected)));
      assert.is(log.bytesFrom(offset), rest.length);
    }),
    { numRuns: 60 },
  );
});

test('after a deletion the rest reads as before, and appending goes on', () => {
  fc.assert(
    fc.property(sizes, fc.nat(), (batches, pick) => {
      const { log, model } = filled(batches);
      const start = pick % (log.endOffset + 1);
      log.deleteBefore(start);
      assert.is(log.startOffset, start);
      const from = start === log.endOffset ? model.length : model.findLastIndex(stored => stored.base <= start);
      const rest = model.slice(from);
      assert.equal(log.batches().length, rest.length);
      for (const [n, bytes] of log.batches().entries()) assert.ok(Buffer.compare(bytes, rest[n]!.bytes) === 0);
      const next = log.append(new Uint8Array(100), { lastOffsetDelta: 0, maxTimestamp: 0 }, 7);
      assert.is(log.read(next, 1000, true).bytes, 100);
    }),
    { numRuns: 60 },
  );
});

test.run();
