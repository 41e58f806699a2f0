import { avg, count, job, type KafkaCluster, kafka, kafkaSink, max, schema, sum, t } from '../../lib/index.ts';

const flights = schema({
  date: t.timestamp().notNull(),
  delay: t.int().notNull(),
  distance: t.int().notNull(),
  origin: t.string().notNull(),
});

/** How late the flights of each airport leave, hour by hour: out of two Kafka clusters, into whichever is healthy. */
export function flightDelays(clusters: readonly KafkaCluster[], recordsPerSecondMax: number, threads: number) {
  return job('flight-delays', { threads })
    .from(
      kafka({
        topic: 'flights',
        clusters,
        schema: flights,
        bounded: true,
        recordsPerSecondMax,
        holdWatermarkMs: 60_000,
      }),
    )
    .watermark('date', { outOfOrderMs: 0 })
    .keyBy('origin')
    .tumble({ hours: 1 })
    .aggregate(flight => ({
      flights: count(),
      mean_delay: avg(flight.delay.toDouble()),
      max_delay: max(flight.delay),
      late: count().filter(flight.delay.gt(15)),
      distance: sum(flight.distance.toBigint()),
    }))
    .select(hour => ({
      origin: hour.origin,
      hour: hour.window_start,
      flights: hour.flights,
      mean_delay: hour.mean_delay,
      max_delay: hour.max_delay,
      late_share: hour.late.toDouble().div(hour.flights.toDouble()),
      distance: hour.distance,
    }))
    .to(kafkaSink({ topic: 'delays', clusters, key: 'origin', active: clusters[0]!.name }));
}
