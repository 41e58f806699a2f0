import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { SplitWatermarks } from '../../lib/data/watermark.ts';
import { suite } from '../support/suite.ts';

const watermarks = suite('split watermarks');

function three(outOfOrderMs = 5): SplitWatermarks {
  const splits = new SplitWatermarks(outOfOrderMs);
  for (const id of [0, 1, 2]) splits.add(id);
  return splits;
}

watermarks('a split stands one millisecond and the disorder behind its latest row', () => {
  const splits = new SplitWatermarks(5);
  splits.add(7);
  splits.observe(7, 100);
  assert.is(splits.combined, 94);
  splits.observe(7, 90);
  assert.is(splits.combined, 94);
});

watermarks('the slowest split bounds all, also one that was never heard of', () => {
  const splits = three();
  splits.observe(0, 100);
  splits.observe(1, 50);
  assert.is(splits.combined, -Infinity);
  assert.equal(splits.slowest(), [2]);
  splits.observe(2, 70);
  assert.is(splits.combined, 44);
  assert.equal(splits.slowest(), [1]);
});

watermarks('an idle split holds nobody back, and rejoins without moving the watermark', () => {
  const splits = three();
  splits.observe(0, 100);
  splits.observe(1, 200);
  splits.idle(2);
  assert.is(splits.combined, 94);
  splits.observe(2, 10);
  assert.is(splits.stateOf(2), 'active');
  splits.observe(0, 300);
  assert.is(splits.combined, 94);
  splits.observe(2, 150);
  assert.is(splits.combined, 144);
});

watermarks('a held split stops the watermark until it returns or is released', () => {
  const splits = three();
  for (const id of [0, 1, 2]) splits.observe(id, 100);
  splits.hold(1);
  splits.observe(0, 500);
  splits.observe(2, 500);
  assert.is(splits.combined, 94);
  splits.observe(1, 110);
  assert.is(splits.stateOf(1), 'held', 'rows that were under way do not mean that the split is back');
  assert.is(splits.combined, 104);
  splits.release(1);
  assert.is(splits.combined, 494);
  splits.wake(1);
  splits.observe(0, 900);
  splits.observe(2, 900);
  assert.is(splits.combined, 494);
});

watermarks('the watermark stays where all splits are idle, and ends only when all have ended', () => {
  const splits = three();
  for (const id of [0, 1, 2]) splits.observe(id, 100);
  for (const id of [0, 1, 2]) splits.idle(id);
  assert.is(splits.combined, 94);
  splits.end(0);
  splits.end(1);
  assert.is(splits.combined, 94, 'the idle split may still come back with rows');
  splits.idle(0);
  assert.is(splits.stateOf(0), 'ended');
  splits.end(2);
  assert.is(splits.combined, Infinity);
});

watermarks('without event time the only watermark is the final one', () => {
  const splits = new SplitWatermarks(undefined);
  splits.add(0);
  splits.observe(0, -Infinity);
  splits.observe(0, 100);
  assert.is(splits.combined, -Infinity);
  splits.end(0);
  assert.is(splits.combined, Infinity);
});

watermarks('a programmer error is named', () => {
  const splits = three();
  assert.throws(() => splits.observe(9, 1), /no split 9/);
  assert.throws(() => splits.add(0), /twice/);
  splits.end(0);
  assert.throws(() => splits.observe(0, 1), /after its end/);
});

type Move = {
  readonly move: 'observe' | 'idle' | 'wake' | 'hold' | 'release' | 'end';
  readonly split: number;
  readonly at: number;
};

const moves: fc.Arbitrary<Move[]> = fc.array(
  fc.record({
    move: fc.constantFrom('observe', 'observe', 'observe', 'observe', 'idle', 'wake', 'hold', 'release', 'end'),
    split: fc.nat(3),
    at: fc.integer({ min: -1000, max: 1000 }),
  }),
  { maxLength: 60 },
);

/** The definition, written down once more: recomputed from the whole history at each step. */
class Model {
  readonly state = new Map<number, string>([0, 1, 2, 3].map(id => [id, 'active']));
  readonly max = new Map<number, number>([0, 1, 2, 3].map(id => [id, -Infinity]));
  readonly history: number[] = [-Infinity];
  apply({ move, split, at }: Move): void {
    const state = this.state.get(split)!;
    if (move === 'observe') {
      this.max.set(split, Math.max(this.max.get(split)!, at));
      if (state === 'idle') this.state.set(split, 'active');
    } else if (state !== 'ended') {
      if (move === 'end') this.state.set(split, 'ended');
      if (move === 'idle') this.state.set(split, 'idle');
      if (move === 'wake') this.state.set(split, 'active');
      if (move === 'hold') this.state.set(split, 'held');
      if (move === 'release' && state === 'held') this.state.set(split, 'idle');
    }
    const states = [...this.state.values()];
    const marks = [0, 1, 2, 3]
      .filter(id => ['active', 'held'].includes(this.state.get(id)!))
      .map(id => this.max.get(id)! - 10 - 1);
    if (states.every(s => s === 'ended')) this.history.push(Infinity);
    else if (marks.length > 0) this.history.push(Math.min(...marks));
  }
  get combined(): number {
    return Math.max(...this.history);
  }
}

watermarks('equals its definition after any sequence of moves, and never goes back', () => {
  fc.assert(
    fc.property(moves, script => {
      const splits = new SplitWatermarks(10);
      for (const id of [0, 1, 2, 3]) splits.add(id);
      const model = new Model();
      let before = splits.combined;
      for (const step of script) {
        if (step.move === 'observe' && splits.stateOf(step.split) === 'ended') continue;
        if (step.move === 'observe') splits.observe(step.split, step.at);
        else splits[step.move](step.split);
        model.apply(step);
        assert.is(splits.combined, model.combined);
        assert.ok(splits.combined >= before);
        before = splits.combined;
      }
    }),
    { numRuns: 500 },
  );
});

watermarks.run();
