import { type Clock, systemClock } from '../../lib/base/clock.ts';

/** Time that runs `times` as fast as it does outside, so that back-offs of seconds can be watched. */
export function fastClock(times: number): Clock {
  return {
    now: () => systemClock.now() * times,
    after: (ms, callback) => systemClock.after(ms / times, callback),
    every: (ms, callback) => systemClock.every(ms / times, callback),
  };
}
