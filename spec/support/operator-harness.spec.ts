import * as assert from 'uvu/assert';
import { batchFrom } from '../../lib/data/batch.ts';
import { dataType } from '../../lib/data/data-type.ts';
import { keyGroupOf } from '../../lib/data/key-hash.ts';
import { interpretFragment } from '../../lib/kernels/interpret.ts';
import type { Operator, PartialInput } from '../../lib/operators/operator.ts';
import { createWindowAggregate } from '../../lib/operators/window-aggregate.ts';
import {
  aggregateNaively,
  type EventStep,
  partialScript,
  takePartials,
  windowAggregateSpec,
} from './naive-aggregate.ts';
import { checkOperator, type OperatorCase } from './operator-harness.ts';
import { suite } from './suite.ts';

/** The harness itself: each way of running an operator has a bug that it alone, or it first, finds. */
const spec = suite('operator harness');

const bigint = dataType('BIGINT', false);
const of = windowAggregateSpec([bigint], [{ op: 'count', type: bigint }], { sizeMs: 10, offsetMs: 0 });
const events = (...times: number[]): EventStep => ({
  kind: 'batch',
  events: times.flatMap(time => [1n, 2n, 3n, 4n, 5n].map(key => ({ time, keys: [key], values: [1n] }))),
});
const script: EventStep[] = [
  events(0, 12),
  { kind: 'watermark', at: 9 },
  events(5, 15, 25),
  events(26, 35),
  { kind: 'watermark', at: 29 },
  events(31),
  { kind: 'end' },
];
const inputs = partialScript(of, script, { local: false, dictionary: false, wide: false, hash: hash => hash });
const expected = aggregateNaively(of, script);

type Aggregate = Operator<PartialInput>;

function check(plant: (good: Aggregate) => Aggregate): void {
  const whole: OperatorCase<PartialInput> = {
    create: () => plant(createWindowAggregate(of, interpretFragment, 2)),
    batchOf: input => input.batch,
    split: input => Array.from({ length: input.batch.rows }, (_, row) => takePartials(input, at => at === row)),
    restrict: (input, owns) => takePartials(input, row => owns(keyGroupOf(input.hashes![row]!))),
    order: row => String(row.window),
  };
  checkOperator(whole, inputs, expected);
}

/** The operator with some methods replaced. */
function replaced(good: Aggregate, bad: Partial<Aggregate>): Aggregate {
  return {
    onBatch: bad.onBatch ?? ((input, outbox) => good.onBatch(input, outbox)),
    onWatermark: bad.onWatermark ?? ((watermark, outbox) => good.onWatermark(watermark, outbox)),
    snapshot: bad.snapshot ?? (() => good.snapshot()),
    restore: bad.restore ?? (snapshot => good.restore(snapshot)),
  };
}

spec('passes an operator that is right', () => {
  check(good => good);
});

const planted: readonly (readonly [bug: string, foundBy: RegExp, plant: (good: Aggregate) => Aggregate])[] = [
  [
    'a restore that forgets a key group',
    /^restored after every step: step \d/,
    good =>
      replaced(good, {
        restore: snapshot => good.restore({ ...snapshot, keyGroups: new Map([...snapshot.keyGroups].slice(1)) }),
      }),
  ],
  [
    'a restore that forgets the watermark, so that late rows are taken',
    /^restored after every step: step \d/,
    good =>
      replaced(good, {
        restore: snapshot => good.restore({ ...snapshot, meta: { ...snapshot.meta, watermark: 'none' } }),
      }),
  ],
  [
    'a restore that adds to what was there',
    /^restored over other state: step \d/,
    good => {
      let seen: PartialInput | undefined;
      return replaced(good, {
        onBatch(input, outbox) {
          seen = input;
          return good.onBatch(input, outbox);
        },
        restore(snapshot) {
          good.restore(snapshot);
          if (seen !== undefined) good.onBatch(seen, { full: false, emit: () => {} });
        },
      });
    },
  ],
  [
    'a snapshot that empties the state',
    /^restored after every step|^after snapshots that nobody uses/,
    good =>
      replaced(good, {
        snapshot() {
          const snapshot = good.snapshot();
          good.restore({ ...snapshot, keyGroups: new Map() });
          return snapshot;
        },
      }),
  ],
  [
    'state that is shared by all instances and not in the snapshot',
    /step \d/,
    (() => {
      let batches = 0;
      return (good: Aggregate) =>
        replaced(good, { onBatch: (input, outbox) => (++batches % 7 === 0 ? true : good.onBatch(input, outbox)) });
    })(),
  ],
  [
    'an operator that loses a row of a batch',
    /^whole batches: step \d/,
    good =>
      replaced(good, {
        onBatch: (input, outbox) =>
          good.onBatch(
            takePartials(input, row => row < input.batch.rows - 1),
            outbox,
          ),
      }),
  ],
  [
    'an operator that takes one row of a batch only when it is alone',
    /^row by row: step \d/,
    good =>
      replaced(good, { onBatch: (input, outbox) => (input.batch.rows === 1 ? true : good.onBatch(input, outbox)) }),
  ],
  [
    'an operator that does not look whether the outbox is full',
    /^outbox of one batch, full half the time: it emitted into a full outbox/,
    good =>
      replaced(good, {
        onWatermark: (watermark, outbox) =>
          good.onWatermark(watermark, { full: false, emit: batch => outbox.emit(batch) }),
      }),
  ],
  [
    'an operator that loses its place when the outbox is full',
    /^outbox of one batch, full half the time: step \d/,
    good =>
      replaced(good, {
        onWatermark: (watermark, outbox) =>
          good.onWatermark(watermark, {
            get full() {
              return false;
            },
            emit: batch => (outbox.full ? undefined : outbox.emit(batch)),
          }),
      }),
  ],
  [
    'an operator that waits without a reason',
    /^whole batches: it returned false although the outbox is not full/,
    good => replaced(good, { onBatch: () => false }),
  ],
  [
    'a batch that changes after it was emitted',
    /a batch changed after it was emitted/,
    good => {
      let last: BigInt64Array | Float64Array | undefined;
      return replaced(good, {
        onWatermark(watermark, outbox) {
          return good.onWatermark(watermark, {
            get full() {
              return outbox.full;
            },
            emit(batch) {
              const [, key] = batch.columns;
              if (last instanceof Float64Array) last.fill(0);
              if (key?.kind === 'narrow') last = key.values;
              outbox.emit(batch);
            },
          });
        },
      });
    },
  ],
  [
    'an operator that changes its input',
    /^whole batches: batch \d was changed/,
    good =>
      replaced(good, {
        onBatch(input, outbox) {
          const taken = good.onBatch(input, outbox);
          const [, key] = input.batch.columns;
          const column = key as { values: Float64Array };
          const before = column.values.slice();
          column.values.fill(7);
          queueMicrotask(() => column.values.set(before));
          return taken;
        },
      }),
  ],
  [
    'key groups that stray between instances',
    /^two instances that exchange key groups: .*strayed/,
    good =>
      replaced(good, {
        restore: snapshot =>
          good.restore({ ...snapshot, keyGroups: new Map([...snapshot.keyGroups, ...kept(snapshot)]) }),
      }),
  ],
];

/** All state that was ever restored in this spec, of which no instance but one should have any. */
const everything = new Map<number, Uint8Array>();
function kept(snapshot: { readonly keyGroups: ReadonlyMap<number, Uint8Array> }): ReadonlyMap<number, Uint8Array> {
  const others = snapshot.keyGroups.size === 0 ? new Map(everything) : new Map<number, Uint8Array>();
  for (const [keyGroup, bytes] of snapshot.keyGroups) everything.set(keyGroup, bytes);
  return others;
}

for (const [bug, foundBy, plant] of planted) {
  spec(`finds ${bug}`, () => {
    assert.throws(
      () => check(plant),
      (error: Error) => foundBy.test(error.message) || assert.unreachable(error.message),
    );
  });
}

spec('finds rows in the wrong order', () => {
  const schema = { fields: [{ name: 'n', type: bigint }] };
  const batch = batchFrom(schema, [{ n: 1n }, { n: 2n }]);
  const backwards: OperatorCase<typeof batch> = {
    create: () => ({
      onBatch: (input, outbox) => {
        outbox.emit(input);
        return true;
      },
      onWatermark: () => true,
      snapshot: () => ({ version: 1, meta: {}, keyGroups: new Map() }),
      restore: () => {},
    }),
    batchOf: input => input,
    split: () => [],
    order: 'exact',
  };
  assert.throws(
    () => checkOperator(backwards, [{ kind: 'batch', input: batch }], [[{ n: 2n }, { n: 1n }]]),
    /whole batches: step 0/,
  );
});

spec.run();
