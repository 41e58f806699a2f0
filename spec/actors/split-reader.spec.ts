import * as assert from 'uvu/assert';
import type { Split } from '../../actors/split.ts';
import { SplitReader, type SplitReaderLimits } from '../../actors/split-reader.ts';
import { ManualClock } from '../../lib/base/clock.ts';
import { BraidError } from '../../lib/base/errors.ts';
import { SlabPool } from '../../lib/data/slab.ts';
import type { FetchRequest, FetchResponse } from '../../lib/kafka/transport.ts';
import { FakeClient, fakeCluster, settle } from '../support/fake-client.ts';
import { joined, recordBatch } from '../support/record-batches.ts';
import { suite } from '../support/suite.ts';

const test = suite('split reader');

const limits: SplitReaderLimits = {
  waitMsMax: 100,
  partitionBytesMax: 1 << 20,
  inFlightBytesMax: 4 << 20,
  queuedBytesMax: 1 << 20,
  queuedRecordsMax: Number.POSITIVE_INFINITY,
  pieceRecordsMax: Number.POSITIVE_INFINITY,
  retryDelayMs: 100,
};

interface Asked {
  readonly node: number;
  readonly request: FetchRequest;
  answer(...parts: FetchResponse['partitions']): void;
  fail(thrown: unknown): void;
}

const part = (partition: number, records: Uint8Array, error = 0) => ({
  partition,
  error,
  highWatermark: 1_000,
  logStart: 0,
  records,
});
const batch = (count: number, baseOffset: number) =>
  recordBatch(
    Array.from({ length: count }, () => ({ value: '{}' })),
    baseOffset,
  );

/** A reader whose fetches wait for their answers, and whose leaders are where the spec says. */
function subject(
  partitions: number,
  options: { endOffset?: number; leaders?: readonly number[]; limits?: Partial<SplitReaderLimits> } = {},
) {
  const clock = new ManualClock();
  const slabs = new SlabPool(64 << 20);
  const leaders = new Map(Array.from({ length: partitions }, (_, p) => [p, options.leaders?.[p] ?? 1]));
  const asked: Asked[] = [];
  const told: string[] = [];
  class Client extends FakeClient {
    override metadata(topics: readonly string[]) {
      return Promise.resolve(
        topics.map(topic => ({
          topic,
          partitions: [...leaders].map(([partition, leader]) => ({ partition, leader, error: 0 })),
        })),
      );
    }
    override fetch(node: number, request: FetchRequest) {
      return new Promise<FetchResponse>((resolve, reject) => {
        asked.push({
          node,
          request,
          answer: (...parts) => resolve({ throttleMs: 0, partitions: parts }),
          fail: reject,
        });
      });
    }
  }
  const splits = Array.from(
    { length: partitions },
    (_, partition): Split => ({
      id: partition,
      cluster: 'east',
      topic: 'trips',
      partition,
      endOffset: options.endOffset ?? Number.POSITIVE_INFINITY,
      fetchOffset: 0,
      ownedOffset: 0,
      highWatermark: 0,
      leader: 1,
      pieces: [],
      queuedRecords: 0,
      queuedBytes: 0,
      emptySince: undefined,
      recordsIn: 0,
    }),
  );
  const reader = new SplitReader(
    new Client('east', 1, fakeCluster(partitions)),
    splits,
    { ...limits, ...options.limits },
    {
      clock,
      slabs,
      onPiece: split => told.push(`piece of ${split.partition}`),
      onEmpty: split => told.push(`empty ${split.partition}`),
      onThrottled: split => told.push(`throttled ${split.partition}`),
      onRequestFailed: (_, error) => told.push(`failed: ${error.code}`),
      onFatal: error => told.push(`fatal: ${error.code}`),
    },
  );
  reader.start();
  const offsets = (split: Split) => split.pieces.map(({ fromOffset, nextOffset }) => [fromOffset, nextOffset]);
  const pass = async (ms: number) => {
    clock.advance(ms);
    await settle();
  };
  return { reader, splits, leaders, asked, told, clock, slabs, offsets, pass };
}

/** Takes what was asked since, by broker. */
const taken = (asked: Asked[]): Asked[] => asked.splice(0).sort((a, b) => a.node - b.node);
const offsetsOf = ({ request }: Asked) =>
  request.partitions.map(({ partition, offset }) => [partition, offset]).sort(([a], [b]) => a! - b!);

test('a split whose leader moves while an answer is under way is read once', async () => {
  const { splits, leaders, asked, offsets, pass } = subject(2);
  await settle();
  leaders.set(0, 2);
  leaders.set(1, 1);
  // The old leader of partition 0 is slow; partition 1 says that something has moved.
  const [first] = asked.splice(0);
  assert.equal(offsetsOf(first!), [
    [0, 0],
    [1, 0],
  ]);
  first!.answer(part(0, batch(10, 0)), part(1, new Uint8Array(), 6));
  await settle();
  await pass(100);
  assert.equal(
    taken(asked).map(each => [each.node, offsetsOf(each)]),
    [
      [1, [[1, 0]]],
      [2, [[0, 10]]],
    ],
  );
  assert.equal(offsets(splits[0]!), [[0, 10]]);
});

test('two brokers that answer for the same offset: the first answer counts', async () => {
  const { splits, leaders, asked, told, offsets, pass } = subject(2);
  await settle();
  const [old] = asked.splice(0);
  // A second loop learns that partition 0 has moved: here by a refresh that partition 1 caused, at a broker of its own.
  leaders.set(1, 2);
  old!.answer(part(0, batch(5, 0)), part(1, new Uint8Array(), 6));
  await settle();
  await pass(100);
  const [fromOne, fromTwo] = taken(asked);
  assert.equal([fromOne!.node, fromTwo!.node], [1, 2]);
  leaders.set(0, 2);
  fromTwo!.answer(part(1, new Uint8Array(), 6));
  await settle();
  await pass(100);
  const [again] = asked.splice(0);
  assert.equal(
    [again!.node, offsetsOf(again!)],
    [
      2,
      [
        [0, 5],
        [1, 0],
      ],
    ],
  );
  again!.answer(part(0, joined(batch(5, 5), batch(5, 10))), part(1, new Uint8Array()));
  await settle();
  fromOne!.answer(part(0, joined(batch(5, 5), batch(5, 10), batch(5, 15))));
  await settle();
  assert.equal(offsets(splits[0]!), [
    [0, 5],
    [5, 15],
  ]);
  assert.is(splits[0]!.fetchOffset, 15);
  assert.equal(told, ['piece of 0', 'piece of 0']);
});

test('a broker whose loop has ended is asked again when it leads again', async () => {
  const { leaders, asked, pass } = subject(1);
  await settle();
  for (const leader of [2, 1, 2]) {
    leaders.set(0, leader);
    asked.splice(0)[0]!.answer(part(0, new Uint8Array(), 6));
    await settle();
    await pass(100);
    assert.equal(
      asked.map(each => each.node),
      [leader],
    );
  }
});

test('a partition whose batch was cut off is asked for first by its own broker, whatever others answer meanwhile', async () => {
  const { asked, pass } = subject(4, { leaders: [1, 1, 2, 2] });
  await settle();
  const [one, two] = taken(asked);
  assert.equal([one!.node, two!.node], [1, 2]);
  const [head, behind] = one!.request.partitions.map(each => each.partition);
  one!.answer(part(head!, batch(3, 0)), part(behind!, batch(3, 0).subarray(0, 70)));
  two!.answer(part(2, batch(3, 0)), part(3, batch(3, 0)));
  await settle();
  await pass(0);
  const again = asked.find(each => each.node === 1)!;
  assert.is(again.request.partitions[0]!.partition, behind);
});

test('the first partition of a request that holds no whole batch is corrupt', async () => {
  const { asked, told } = subject(1);
  await settle();
  asked[0]!.answer(part(0, batch(3, 0).subarray(0, 70)));
  await settle();
  assert.equal(told, ['fatal: BATCH_CORRUPT']);
});

test('nothing behind the end of a bounded split is kept, and it is not asked for again', async () => {
  const { splits, asked, offsets } = subject(1, { endOffset: 12, limits: { pieceRecordsMax: 5 } });
  await settle();
  asked.splice(0)[0]!.answer(part(0, joined(batch(5, 0), batch(5, 5), batch(5, 10), batch(5, 15))));
  await settle();
  assert.equal(offsets(splits[0]!), [
    [0, 5],
    [5, 10],
    [10, 15],
  ]);
  assert.equal(asked, []);
});

test('where compaction has taken the offsets before the end, the batch behind them ends the split', async () => {
  const { splits, asked, offsets } = subject(1, { endOffset: 12 });
  await settle();
  asked.splice(0)[0]!.answer(part(0, batch(5, 40)));
  await settle();
  assert.equal(offsets(splits[0]!), [[0, 45]]);
  assert.equal(asked, []);
});

test('what an error means: the connection, a passing confusion, a defect', async () => {
  const table: readonly (readonly [unknown, readonly string[]])[] = [
    [new BraidError('CONNECTION_LOST', 'reset'), ['failed: CONNECTION_LOST']],
    [new BraidError('CLUSTER_UNREACHABLE', 'gone'), ['failed: CLUSTER_UNREACHABLE']],
    [new BraidError('BROKER_ERROR', 'no such broker at present', { retriable: true }), []],
    [new BraidError('BROKER_ERROR', 'not allowed'), ['fatal: BROKER_ERROR']],
    [new TypeError('undefined is no function'), ['fatal: ASSERTION']],
  ];
  for (const [thrown, expected] of table) {
    const { asked, told, pass } = subject(1);
    await settle();
    asked.splice(0)[0]!.fail(thrown);
    await settle();
    await pass(100);
    assert.equal(told, expected);
    assert.is(asked.length, expected[0]?.startsWith('fatal') ? 0 : 1, 'asked again after the delay, or not at all');
  }
});

test('after a stop nothing is taken, no timer is left and the budget is whole', async () => {
  const { reader, splits, asked, told, clock, slabs, pass } = subject(1);
  await settle();
  assert.ok(slabs.leftBytes < slabs.budgetBytes, 'room is set aside while a fetch is under way');
  reader.stop();
  asked.splice(0)[0]!.answer(part(0, batch(5, 0)));
  await settle();
  assert.equal([told, asked, splits[0]!.pieces], [[], [], []]);
  assert.is(clock.pending, 0);
  assert.is(slabs.leftBytes, slabs.budgetBytes);
  const pausing = subject(1);
  await settle();
  pausing.asked.splice(0)[0]!.fail(new BraidError('CONNECTION_LOST', 'reset'));
  await settle();
  assert.is(pausing.clock.pending, 1);
  pausing.reader.stop();
  await settle();
  assert.is(pausing.clock.pending, 0);
  assert.equal(pausing.asked, []);
  await pass(0);
});

test.run();
