/**
 * Parts of a TIMESTAMP (milliseconds since 1970-01-01T00:00:00, no zone), in the proleptic Gregorian calendar. All of it
 * is exact for every time that a JavaScript Date can hold (8.64e15 ms around 1970). Flink 2.3 rounds fractions of a
 * second before 1970 towards 1970; here they are floored like all others.
 */
const dayMs = 86_400_000;

export const floorUnits = ['SECOND', 'MINUTE', 'HOUR', 'DAY', 'WEEK', 'MONTH', 'QUARTER', 'YEAR'] as const;
export type FloorUnit = (typeof floorUnits)[number];

export function isFloorUnit(name: unknown): name is FloorUnit {
  return (floorUnits as readonly unknown[]).includes(name);
}

/** Hour of the day, 0 to 23. */
export function hourOf(time: number): number {
  const hours = Math.floor(time / 3_600_000);
  return hours - Math.floor(hours / 24) * 24;
}

/** 1 for Sunday to 7 for Saturday. 1970-01-01 was a Thursday. */
export function dayOfWeek(time: number): number {
  const days = Math.floor(time / dayMs) + 4;
  return days - Math.floor(days / 7) * 7 + 1;
}

/** Start of the unit that a time lies in. Weeks start on Sunday, as in Flink. */
export const floorTo: Readonly<Record<FloorUnit, (time: number) => number>> = {
  SECOND: time => Math.floor(time / 1000) * 1000,
  MINUTE: time => Math.floor(time / 60_000) * 60_000,
  HOUR: time => Math.floor(time / 3_600_000) * 3_600_000,
  DAY: time => Math.floor(time / dayMs) * dayMs,
  WEEK: time => (Math.floor((Math.floor(time / dayMs) + 4) / 7) * 7 - 4) * dayMs,
  MONTH: time => startOfMonths(time, 1),
  QUARTER: time => startOfMonths(time, 3),
  YEAR: time => startOfMonths(time, 12),
};

function startOfMonths(time: number, unit: number): number {
  const months = monthsOf(Math.floor(time / dayMs));
  return daysOf(Math.floor(months / unit) * unit) * dayMs;
}

/**
 * Months since March of the year 0 map to days by a fixed pattern (153 days for five months), since leap days end the
 * year then. Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms" (2014). No Date object, hence no garbage.
 */
function monthsOf(days: number): number {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  return (yearOfEra + era * 400) * 12 + monthFromMarch + 2;
}

/** Days from 1970-01-01 to the first day of a month, counted in months since January of the year 0. */
function daysOf(months: number): number {
  const fromMarch = months - 2;
  const year = Math.floor(fromMarch / 12);
  const month = fromMarch - year * 12;
  return (
    365 * year +
    Math.floor(year / 4) -
    Math.floor(year / 100) +
    Math.floor(year / 400) +
    Math.floor((153 * month + 2) / 5) -
    719_468
  );
}
