import { job, type KafkaCluster, kafka, type Row, schema, t } from '../../lib/index.ts';
import { serveParent } from './side-process.ts';
import { delaysTopic } from './topics.ts';
import type { DelayedAirport } from './view.ts';

/**
 * A process that runs a second job, on the results of the first: it follows `delays` in both clusters and tells which
 * airports were the most delayed in the hour that was closed last. It runs until it is killed.
 */
export interface MostDelayedInput {
  readonly clusters: readonly KafkaCluster[];
}

const shown = 5;
const tellEveryMs = 250;

const delays = schema({
  origin: t.string().notNull(),
  hour: t.timestamp().notNull(),
  flights: t.bigint().notNull(),
  meanDelay: t.double().notNull(),
});

serveParent<MostDelayedInput, readonly DelayedAirport[], void>(({ clusters }, tell) => {
  /** By airport, so that a row that lies in both clusters counts once. */
  let airports = new Map<string, Row<typeof delays>>();
  let hour = Number.NEGATIVE_INFINITY;
  let toldAt = Number.NEGATIVE_INFINITY;
  return job('most-delayed')
    .from(kafka({ topic: delaysTopic, clusters, schema: delays, startFrom: 'latest', badRecords: 'skip' }))
    .toObservable()
    .forEach(row => {
      if (row.hour < hour) return;
      if (row.hour > hour) {
        // A row of the next hour says that the one before is complete.
        if (performance.now() - toldAt >= tellEveryMs && airports.size > 0) {
          toldAt = performance.now();
          tell(mostDelayed([...airports.values()]));
        }
        airports = new Map();
        hour = row.hour;
      }
      airports.set(row.origin, row);
    });
});

function mostDelayed(rows: readonly Row<typeof delays>[]): DelayedAirport[] {
  return rows
    .toSorted((a, b) => b.meanDelay - a.meanDelay)
    .slice(0, shown)
    .map(({ origin, hour, flights, meanDelay }) => ({
      origin,
      hour: new Date(hour).toISOString().slice(0, 19),
      flights: Number(flights),
      meanDelay: meanDelay,
    }));
}
