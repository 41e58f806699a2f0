import * as assert from 'uvu/assert';
import { LocalPhase } from '../../actors/local-phase.ts';
import { suite } from '../support/suite.ts';

const localPhase = suite('local phase');

localPhase('stays on while partials shrink the input', () => {
  const changes: boolean[] = [];
  const phase = new LocalPhase(on => changes.push(on));
  for (let task = 0; task < 100; task++) {
    assert.ok(phase.combineNext());
    phase.measured(8_000, 200);
  }
  assert.equal(changes, []);
});

localPhase('goes off where every row is its own partial, and comes back when the data repeats again', () => {
  const changes: { on: boolean; ratio: number }[] = [];
  const phase = new LocalPhase((on, ratio) => changes.push({ on, ratio }), { probeEvery: 4 });
  let repetitive = false;
  let combined = 0;
  for (let task = 0; task < 200; task++) {
    if (task === 100) repetitive = true;
    if (!phase.combineNext()) continue;
    combined++;
    phase.measured(8_000, repetitive ? 10 : 7_900);
  }
  assert.equal(
    changes.map(change => change.on),
    [false, true],
  );
  assert.ok(changes[0]!.ratio > 0.8);
  assert.ok(combined < 150, 'most tasks ran one by one in between');
});

localPhase.run();
