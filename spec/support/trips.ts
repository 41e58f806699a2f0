import { type JobPorts, startJob } from '../../actors/job.ts';
import type { Fields } from '../../lib/api/fields.ts';
import type { Sink } from '../../lib/api/sinks.ts';
import type { Stream } from '../../lib/api/stream.ts';
import { decodeUtf8 } from '../../lib/base/byte-reader.ts';
import { seededRandom } from '../../lib/base/random.ts';
import { rowsOf } from '../../lib/data/batch.ts';
import { type EmbeddedCluster, startCluster } from '../../lib/embedded/index.ts';
import { nextBatch } from '../../lib/formats/record-batch/header.ts';
import { RecordWalker } from '../../lib/formats/record-batch/walk.ts';
import { count, type DeadLetter, job, type KafkaOptions, kafka, max, schema, sum, t } from '../../lib/index.ts';
import { readTag, type Tag } from '../../lib/kafka/tag.ts';
import type { JobEvent, RunningJob } from '../../lib/plan/job-report.ts';
import { planJob } from '../../lib/plan/planner.ts';
import { recordBatch } from './record-batches.ts';

/**
 * Whole jobs in specs: a small stream of trips in embedded clusters, the answer by a naive Map, and a job under
 * observation that can be waited for by facts.
 */
export interface Trip {
  readonly ts: number;
  readonly city: string;
  readonly fare: number;
  /** Unique over all clusters. */
  readonly id: number;
}

const trip = schema({
  ts: t.timestamp().notNull(),
  city: t.string().notNull(),
  fare: t.int().notNull(),
  id: t.int().notNull(),
});
const cities = ['Lima', 'Oslo', 'Pune', 'Quito', 'Riga', 'Suva', 'Tunis'];
export const minuteMs = 60_000;
const origin = Date.UTC(2026, 0, 1);

/** `count` trips, `stepMs` apart, from `fromMs` after the origin on. */
export function trips(
  count: number,
  options: { fromId?: number; fromMs?: number; stepMs?: number; seed?: number } = {},
): Trip[] {
  const random = seededRandom(options.seed ?? 1);
  return Array.from({ length: count }, (_, i) => ({
    ts: origin + (options.fromMs ?? 0) + i * (options.stepMs ?? 1_000),
    city: cities[Math.floor(random() * cities.length)]!,
    fare: Math.floor(random() * 1_000) - 100,
    id: (options.fromId ?? 0) + i,
  }));
}

/** A field that nobody asks for: it makes records long enough for memory to matter. */
const note = 'x'.repeat(200);

/** Appends rows to one partition as JSON, in batches. */
export async function append(
  cluster: EmbeddedCluster,
  topic: string,
  partition: number,
  rows: readonly Trip[],
  batchRows = 100,
  timestamp = 0,
): Promise<void> {
  for (let at = 0; at < rows.length; at += batchRows) {
    const batch = rows.slice(at, at + batchRows).map(row => ({
      value: JSON.stringify({ ...row, note, ts: new Date(row.ts).toISOString().slice(0, -1) }),
      timestamp,
    }));
    await cluster.append(topic, partition, recordBatch(batch));
  }
}

/** Deals rows out over all partitions of all clusters in turn, so that each of them has its share of every minute. */
export async function deal(
  clusters: readonly EmbeddedCluster[],
  topic: string,
  partitions: number,
  rows: readonly Trip[],
  batchRows = 100,
): Promise<void> {
  const places = clusters.flatMap(cluster =>
    Array.from({ length: partitions }, (_, partition) => ({ cluster, partition })),
  );
  for (const [i, { cluster, partition }] of places.entries()) {
    await append(
      cluster,
      topic,
      partition,
      rows.filter((_, at) => at % places.length === i),
      batchRows,
    );
  }
}

const underWay = new Set<RunningJob>();

/** Clusters `east`, `west`, ... with the topics `trips` (and `out`); closed by `body`'s end, however it ends. */
export async function withClusters(
  options: {
    names?: readonly string[];
    partitions?: number;
    brokers?: number;
    replicationFactor?: number;
    out?: number;
  },
  body: (...clusters: EmbeddedCluster[]) => Promise<void>,
): Promise<void> {
  const { names = ['east', 'west'], partitions = 2, brokers = 1, replicationFactor = 1, out } = options;
  const clusters = await Promise.all(
    names.map(name =>
      startCluster({
        name,
        brokers,
        topics: [
          { topic: 'trips', partitions, replicationFactor },
          ...(out === undefined ? [] : [{ topic: 'out', partitions: out, replicationFactor }]),
        ],
      }),
    ),
  );
  try {
    await body(...clusters);
  } finally {
    // A spec that failed half-way leaves its job running.
    await Promise.all([...underWay].map(job => job.stop()));
    await Promise.all(clusters.map(cluster => cluster.close()));
  }
}

export const addresses = (clusters: readonly Pick<EmbeddedCluster, 'name' | 'bootstrap'>[]) =>
  clusters.map(({ name, bootstrap }) => ({ name, brokers: [...bootstrap] }));

type SourceOptions = Partial<Omit<KafkaOptions<Fields>, 'schema'>>;

/** The trips of all clusters, bounded unless said otherwise. */
export function tripsFrom(
  clusters: readonly Pick<EmbeddedCluster, 'name' | 'bootstrap'>[],
  options: SourceOptions = {},
) {
  return job('trips-job').from(
    kafka({ topic: 'trips', clusters: addresses(clusters), schema: trip, bounded: true, ...options }),
  );
}

/** By city and minute: how many, the sum and the greatest fare. */
export function perMinute(
  clusters: readonly Pick<EmbeddedCluster, 'name' | 'bootstrap'>[],
  options: SourceOptions = {},
  outOfOrderMs = 0,
) {
  return tripsFrom(clusters, options)
    .watermark('ts', { outOfOrderMs })
    .groupBy('city')
    .tumble({ minutes: 1 })
    .aggregate(f => ({ trips: count(), fares: sum(f.fare.toBigint()), dearest: max(f.fare) }))
    .select(f => ({ city: f.city, minute: f.windowStart, trips: f.trips, fares: f.fares, dearest: f.dearest }));
}

/** What `perMinute` must come to, sorted, as text. */
export function naive(rows: readonly Trip[]): string[] {
  const groups = new Map<string, { trips: number; fares: number; dearest: number }>();
  for (const { ts, city, fare } of rows) {
    const key = `${city} ${ts - (ts % minuteMs)}`;
    const group = groups.get(key) ?? { trips: 0, fares: 0, dearest: Number.NEGATIVE_INFINITY };
    group.trips++;
    group.fares += fare;
    group.dearest = Math.max(group.dearest, fare);
    groups.set(key, group);
  }
  return [...groups].map(([key, { trips, fares, dearest }]) => `${key} ${trips} ${fares} ${dearest}`).sort();
}

type AnyRow = Readonly<Record<string, unknown>>;

/** Rows of `perMinute` in the form of `naive`. */
export function shown(rows: readonly AnyRow[]): string[] {
  return rows
    .map(({ city, minute, trips, fares, dearest }) => `${city} ${Number(minute)} ${trips} ${fares} ${dearest}`)
    .sort();
}

/** A job under observation. */
export interface Observed {
  readonly job: RunningJob;
  readonly events: JobEvent[];
  /** Rows that reached the collector, in order. */
  readonly rows: AnyRow[];
  readonly late: AnyRow[];
  readonly letters: DeadLetter[];
  /** Resolves when the fact holds; rejects with its name and what happened where it does not within ten seconds. */
  until(name: string, fact: () => unknown): Promise<void>;
  eventsOf<T extends JobEvent['type']>(type: T): Extract<JobEvent, { type: T }>[];
}

export interface ObserveOptions extends Partial<Omit<JobPorts, 'hooks'>> {
  readonly threads?: number;
  /** Instead of gathering rows. */
  readonly sink?: Sink<never, unknown>;
  readonly onBatch?: (rows: readonly AnyRow[]) => void;
  readonly onLate?: () => void;
}

export function observe<F extends Fields>(stream: Stream<F>, options: ObserveOptions = {}): Observed {
  const { threads = 0, sink, onBatch, onLate, ...ports } = options;
  const events: JobEvent[] = [];
  const rows: AnyRow[] = [];
  const late: AnyRow[] = [];
  const letters: DeadLetter[] = [];
  const node =
    sink?.open(stream.node).node ??
    ({
      kind: 'collectorSink',
      name: 'rows',
      input: stream.node,
      onBatch: batch => {
        const found = rowsOf(batch).map(row => ({ ...row }));
        for (const row of found) rows.push(row);
        onBatch?.(found);
      },
      onEnd: () => {},
    } as const);
  const plan = planJob({
    job: stream.job,
    sink: node,
    options: {
      threads,
      onLateRows: batch => {
        late.push(...rowsOf(batch).map(row => ({ ...row })));
        onLate?.();
      },
      onDeadLetter: letter => void letters.push(letter),
    },
  });
  const running = startJob(plan, { ...ports, hooks: { onEvent: event => void events.push(event) } });
  underWay.add(running);
  const ended = (): void => void underWay.delete(running);
  running.done.then(ended, ended);
  const until = async (name: string, fact: () => unknown): Promise<void> => {
    const deadline = performance.now() + 10_000;
    while (!fact()) {
      if (performance.now() > deadline) {
        const said = events
          .slice(-20)
          .map(event => JSON.stringify(event, (_, value) => (typeof value === 'bigint' ? String(value) : value)));
        throw new Error(`never came true: ${name}\n${said.join('\n')}\n${JSON.stringify(running.metrics())}`);
      }
      await new Promise(resolve => setTimeout(resolve, 2));
    }
  };
  return {
    job: running,
    events,
    rows,
    late,
    letters,
    until,
    eventsOf: type => events.filter(event => event.type === type) as never,
  };
}

/** A record of a sink's topic as the cluster keeps it. */
export interface Written {
  readonly cluster: string;
  readonly partition: number;
  readonly key: string | undefined;
  readonly value: AnyRow;
  readonly tag: Tag;
}

/** All records of a topic, by partition and in order. */
export async function written(cluster: EmbeddedCluster, topic: string, partitions: number): Promise<Written[]> {
  const out: Written[] = [];
  const walker = new RecordWalker();
  for (let partition = 0; partition < partitions; partition++) {
    for (const batch of await cluster.records(topic, partition)) {
      walker.walk(batch, nextBatch(batch, 0, batch.length)!);
      for (let i = 0; i < walker.count; i++) {
        const text = (starts: ArrayLike<number>, ends: ArrayLike<number>) =>
          starts[i]! < 0 ? undefined : decodeUtf8(walker.bytes.subarray(starts[i]!, ends[i]!));
        out.push({
          cluster: cluster.name,
          partition,
          key: text(walker.keyStarts, walker.keyEnds),
          value: JSON.parse(text(walker.valueStarts, walker.valueEnds)!) as AnyRow,
          tag: readTag(walker.bytes, walker.headersStarts[i]!, walker.headersEnds[i]!)!,
        });
      }
    }
  }
  return out;
}
