import { type Check, invalid, type Option, readOptions } from './options.ts';

/** A duration; the parts add up: `{ hours: 1, minutes: 30 }`. */
export interface Duration {
  readonly days?: number;
  readonly hours?: number;
  readonly minutes?: number;
  readonly seconds?: number;
  readonly milliseconds?: number;
}

const unitMs = { days: 86_400_000, hours: 3_600_000, minutes: 60_000, seconds: 1000, milliseconds: 1 } as const;

const part: Option<number> = {
  check: (value, place) => {
    if (typeof value !== 'number' || !Number.isFinite(value)) throw invalid(place, 'a number', value);
    return value;
  },
  otherwise: () => 0,
};

/** Reads a Duration as milliseconds: a whole number, at least `msMin`. */
export function duration(msMin: number): Check<number> {
  return (value, place) => {
    const parts = readOptions<Required<Duration>>(place, value, {
      days: part,
      hours: part,
      minutes: part,
      seconds: part,
      milliseconds: part,
    });
    const ms =
      parts.days * unitMs.days +
      parts.hours * unitMs.hours +
      parts.minutes * unitMs.minutes +
      parts.seconds * unitMs.seconds +
      parts.milliseconds;
    if (!Number.isSafeInteger(ms)) throw invalid(place, 'a whole number of milliseconds', ms);
    if (ms < msMin) throw invalid(place, `a duration of at least ${msMin} ms`, `${ms} ms`, 'such as { hours: 1 }');
    return ms;
  };
}
