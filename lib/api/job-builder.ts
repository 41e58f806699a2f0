import type { Fields } from './fields.ts';
import { aName, invalid } from './options.ts';
import type { Source } from './sources.ts';
import { Stream } from './stream.ts';

/** A job that has a name and no source yet. */
export interface JobBuilder {
  /** Where its rows come from: `kafka(...)`, `rows(...)` or `fromObservable(...)`. */
  from<F extends Fields>(source: Source<F>): Stream<F>;
}

/**
 * Begins the description of a job. Its name stands in tags, metrics and events: up to 100 letters, digits, dots, dashes
 * and underscores. Nothing runs before `start()`.
 *
 * Errors: OPTION_INVALID for the name.
 *
 * @example
 * ```ts
 * import { avg, count, job, rows, schema, t } from 'braidstream';
 *
 * const flights = schema({ date: t.timestamp().notNull(), origin: t.string().notNull(), delay: t.int() });
 * await job('flight-delays')
 *   .from(rows(flights, [
 *     { date: Date.UTC(2001, 0, 1, 0, 1), origin: 'SEA', delay: 31 },
 *     { date: Date.UTC(2001, 0, 1, 0, 59), origin: 'SEA', delay: 2 },
 *     { date: Date.UTC(2001, 0, 1, 1, 0), origin: 'SEA', delay: 7 },
 *   ]))
 *   .watermark('date', { outOfOrderMs: 0 })
 *   .groupBy('origin')
 *   .tumble({ hours: 1 })
 *   .aggregate(f => ({ flights: count(), meanDelay: avg(f.delay.toDouble()) }))
 *   .select(r => ({ origin: r.origin, hour: r.windowStart.hour(), flights: r.flights, meanDelay: r.meanDelay }))
 *   .collect();
 * // => [
 * // =>   { origin: 'SEA', hour: 0n, flights: 2n, meanDelay: 16.5 },
 * // =>   { origin: 'SEA', hour: 1n, flights: 1n, meanDelay: 7 },
 * // => ]
 * ```
 */
export function job(name: string): JobBuilder {
  const checked = aName(name, 'job(name)');
  return {
    from(source) {
      if (typeof source !== 'object' || source === null || !('node' in source))
        throw invalid('from(source)', 'a source', source, 'kafka(...), rows(...) or fromObservable(...)');
      return new Stream(checked, source.node);
    },
  };
}
