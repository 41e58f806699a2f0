import { avg, count, job, type KafkaCluster, kafka, kafkaSink, max, schema, sum, t } from '../../lib/index.ts';

const flight = schema({
  date: t.timestamp().notNull(),
  delay: t.int().notNull(),
  distance: t.int().notNull(),
  origin: t.string().notNull(),
});

/** How late the flights of each airport leave, hour by hour: out of two Kafka clusters, into one that is healthy. */
export function flightDelays(clusters: readonly KafkaCluster[], recordsPerSecondMax: number) {
  return job('flight-delays')
    .from(
      kafka({
        topic: 'flights',
        clusters,
        schema: flight,
        bounded: true,
        recordsPerSecondMax,
        holdWatermarkMs: 60_000,
      }),
    )
    .watermark('date', { outOfOrderMs: 0 })
    .groupBy('origin')
    .tumble({ hours: 1 })
    .aggregate(f => ({
      flights: count(),
      meanDelay: avg(f.delay.toDouble()),
      maxDelay: max(f.delay),
      late: count().filter(f.delay.gt(15)),
      distance: sum(f.distance.toBigint()),
    }))
    .select(({ origin, windowStart, flights, meanDelay, maxDelay, late, distance }) => {
      const lateShare = late.toDouble().div(flights);
      return { origin, hour: windowStart, flights, meanDelay, maxDelay, lateShare, distance };
    })
    .to(kafkaSink({ topic: 'delays', clusters, key: 'origin' }));
}
