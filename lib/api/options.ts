import { didYouMean } from '../base/did-you-mean.ts';
import { BraidError } from '../base/errors.ts';
import { checkTopicName } from '../kafka/topic-name.ts';

/**
 * Options are `unknown` at the border and read once: whoever gets what `readOptions` returns need not check again. Each
 * error names its place (`kafka.clusters[1].brokers`) and says what would be right.
 */

/** Takes what was given, or throws OPTION_INVALID. */
export type Check<T> = (value: unknown, place: string) => T;

export interface Option<T> {
  readonly check: Check<T>;
  /** Where the option is left out; undefined: it is required. */
  readonly otherwise: (() => T) | undefined;
}

export function required<T>(check: Check<T>): Option<T> {
  return { check, otherwise: undefined };
}

/** An option that may be left out (or be `undefined`). */
export function optional<T, D extends T | undefined>(check: Check<T>, otherwise: D): Option<T | D> {
  return { check, otherwise: () => otherwise };
}

/**
 * Reads an object of options. Errors: OPTION_INVALID for one that is missing or wrong, OPTION_UNKNOWN for one that does
 * not exist, with the nearest name as a hint.
 */
export function readOptions<T extends object>(
  place: string,
  given: unknown,
  options: { readonly [K in keyof T]: Option<T[K]> },
): T {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw invalid(place, 'an object of options', given);
  const names = Object.keys(options) as (keyof T & string)[];
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(options, name)) continue;
    throw new BraidError('OPTION_UNKNOWN', `there is no option ${name}`, {
      place: `${place}.${name}`,
      hint: didYouMean(name, names) ?? `options are ${names.join(', ')}`,
    });
  }
  const read = Object.fromEntries(
    names.map(name => {
      const value: unknown = (given as Record<string, unknown>)[name];
      const { check, otherwise } = options[name];
      if (value !== undefined) return [name, check(value, `${place}.${name}`)];
      if (otherwise !== undefined) return [name, otherwise()];
      throw new BraidError('OPTION_INVALID', `the option ${name} is missing`, { place: `${place}.${name}` });
    }),
  );
  return Object.freeze(read) as T;
}

/** OPTION_INVALID: what belongs at a place, and what was there. */
export function invalid(place: string, wanted: string, given: unknown, hint?: string): BraidError {
  return new BraidError('OPTION_INVALID', `${wanted} belongs here, not ${shown(given)}`, { place, hint });
}

/** Kind and beginning of a value; never the inside of an object, which may be a secret. */
function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}...` : value);
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  return typeof value === 'function' ? 'a function' : String(value);
}

export const aBoolean: Check<boolean> = (value, place) => {
  if (typeof value !== 'boolean') throw invalid(place, 'true or false', value);
  return value;
};

/** A whole number within borders. `Infinity` where `max` is Infinity. */
export function wholeNumber(min: number, max: number, unit: string): Check<number> {
  return (value, place) => {
    const fits =
      typeof value === 'number' && value >= min && value <= max && (Number.isInteger(value) || value === max);
    if (!fits) {
      const range = max === Number.POSITIVE_INFINITY ? `at least ${min}` : `from ${min} to ${max}`;
      throw invalid(place, `a whole number of ${unit}, ${range},`, value);
    }
    return value;
  };
}

const yearMs = 366 * 86_400_000;
/** A duration in milliseconds, up to a year. */
export const milliseconds = wholeNumber(0, yearMs, 'milliseconds');

export function oneOf<const W extends string>(...words: readonly W[]): Check<W> {
  return (value, place) => {
    const word = words.find(candidate => candidate === value);
    if (word === undefined)
      throw invalid(
        place,
        `one of ${words.join(', ')}`,
        value,
        typeof value === 'string' ? didYouMean(value, words) : undefined,
      );
    return word;
  };
}

export function aFunction<F>(value: unknown, place: string): F {
  if (typeof value !== 'function') throw invalid(place, 'a function', value);
  return value as F;
}

export function listOf<T>(check: Check<T>, what: string): Check<readonly T[]> {
  return (value, place) => {
    if (!Array.isArray(value) || value.length === 0) throw invalid(place, `a list of ${what}, one at least,`, value);
    return Object.freeze(value.map((item, i) => check(item, `${place}[${i}]`)));
  };
}

/** Names of jobs, clusters and operators: they stand in tags, metrics and file names. */
export const aName: Check<string> = (value, place) => {
  if (typeof value !== 'string' || !/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(value))
    throw invalid(place, 'a name', value, 'up to 100 letters, digits, dots, dashes and underscores');
  // Charts and metrics keep plain objects by name.
  if (value in Object.prototype) throw invalid(place, 'a name that JavaScript objects do not reserve', value);
  return value;
};

/** A text that is not empty. */
export function aText(what: string): Check<string> {
  return (value, place) => {
    if (typeof value !== 'string' || value === '') throw invalid(place, what, value);
    return value;
  };
}

/** Kafka's rule. Errors: TOPIC_NAME_INVALID. */
export const aTopic: Check<string> = (value, place) => {
  if (typeof value !== 'string') throw invalid(place, 'the name of a topic', value);
  try {
    checkTopicName(value);
  } catch (thrown) {
    if (!(thrown instanceof BraidError)) throw thrown;
    throw new BraidError(thrown.code, thrown.message, { place, hint: thrown.hint });
  }
  return value;
};
