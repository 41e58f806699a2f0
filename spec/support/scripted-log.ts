import type { FetchRequest, FetchResponse } from '../../lib/kafka/transport.ts';
import { type FakeCluster, fakeCluster } from './fake-client.ts';
import { joined, recordBatch } from './record-batches.ts';
import type { Trip } from './trips.ts';

/** A scripted cluster with the trips in its log, partition by partition; the spec may append, and lie. */
export interface ScriptedLog {
  readonly cluster: FakeCluster;
  append(partition: number, rows: readonly Trip[], batchRows?: number): void;
  /** Fetches that were answered. */
  readonly fetches: number;
  /** Said with every answer while it is not 0; such an answer is empty, as a broker's is that throttles. */
  throttleMs: number;
}

export function scriptedLog(partitions: number): ScriptedLog {
  const cluster = fakeCluster(partitions);
  const logs = Array.from({ length: partitions }, () => ({
    end: 0,
    batches: [] as { bytes: Uint8Array; nextOffset: number }[],
  }));
  const ends = new Map(logs.map((_, partition) => [partition, 0]));
  cluster.ends = ends;
  const state = { fetches: 0, throttleMs: 0 };
  cluster.onFetch = ({ partitions: asked }: FetchRequest): FetchResponse => {
    state.fetches++;
    return {
      throttleMs: state.throttleMs,
      partitions: asked.map(({ partition, offset }) => {
        const { end, batches } = logs[partition]!;
        const found = state.throttleMs > 0 ? [] : batches.filter(({ nextOffset }) => nextOffset > offset).slice(0, 2);
        return {
          partition,
          error: 0,
          highWatermark: end,
          logStart: 0,
          records: joined(...found.map(({ bytes }) => bytes)),
        };
      }),
    };
  };
  return {
    cluster,
    get fetches() {
      return state.fetches;
    },
    get throttleMs() {
      return state.throttleMs;
    },
    set throttleMs(ms) {
      state.throttleMs = ms;
    },
    append(partition, rows, batchRows = 10) {
      const log = logs[partition]!;
      for (let at = 0; at < rows.length; at += batchRows) {
        const batch = rows
          .slice(at, at + batchRows)
          .map(row => ({ value: JSON.stringify({ ...row, ts: new Date(row.ts).toISOString().slice(0, -1) }) }));
        log.batches.push({ bytes: recordBatch(batch, log.end), nextOffset: log.end + batch.length });
        log.end += batch.length;
      }
      ends.set(partition, log.end);
    },
  };
}
