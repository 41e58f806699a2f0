import * as assert from 'uvu/assert';
import { Pacer } from '../../actors/pacer.ts';
import { ManualClock } from '../../lib/base/clock.ts';
import { suite } from '../support/suite.ts';

const pacer = suite('pacer');

pacer('lets a rate through, in the order it was asked for', async () => {
  const clock = new ManualClock();
  const bucket = new Pacer(1_000, clock, 0);
  const passed: string[] = [];
  const ask = (name: string, records: number): void => {
    void Promise.resolve(bucket.take(records)).then(() => passed.push(`${name}@${clock.now()}`));
  };
  ask('east', 100);
  ask('west', 100);
  ask('east', 100);
  for (let ms = 0; ms <= 300; ms += 50) {
    await Promise.resolve();
    await Promise.resolve();
    clock.advance(50);
  }
  await Promise.resolve();
  assert.equal(
    passed.map(each => each.split('@')[0]),
    ['east', 'west', 'east'],
  );
  assert.ok(Number(passed[1]!.split('@')[1]) >= 100);
  assert.ok(Number(passed[2]!.split('@')[1]) >= 200);
});

pacer('a split that asks for nothing leaves its share to the others', async () => {
  const clock = new ManualClock();
  const bucket = new Pacer(1_000, clock, 0);
  let records = 0;
  const read = async (): Promise<void> => {
    for (let i = 0; i < 100; i++) {
      await bucket.take(10);
      records += 10;
    }
  };
  void read();
  for (let ms = 0; ms < 500; ms += 5) {
    clock.advance(5);
    await Promise.resolve();
    await Promise.resolve();
    await Promise.resolve();
  }
  assert.ok(records >= 480 && records <= 520, `${records} records in half a second at 1,000 a second`);
});

pacer('an unlimited rate never waits', () => {
  assert.is(new Pacer(Number.POSITIVE_INFINITY, new ManualClock()).take(1_000_000), undefined);
});

pacer('release lets everybody go and leaves no timer', async () => {
  const clock = new ManualClock();
  const bucket = new Pacer(1, clock, 0);
  await bucket.take(1_000);
  const waiting = bucket.take(1);
  bucket.release();
  await waiting;
  assert.is(clock.pending, 0);
});

pacer.run();
