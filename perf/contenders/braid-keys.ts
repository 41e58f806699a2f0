import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { count, job, kafka, max, schema, t, toObserver } from '../../lib/index.ts';
import type { ClusterAddress } from '../support/clusters.ts';
import { type RunCost, serveContender, startCost } from '../support/contender-process.ts';

export interface KeysRun {
  readonly clusters: readonly ClusterAddress[];
  readonly input: string;
  readonly keys: number;
}

export interface KeysResult {
  readonly records: number;
  readonly rows: number;
  /** From the start of the job to the first row that comes out: reading and grouping. */
  readonly reading: RunCost;
  /** From there to the end. */
  readonly emission: RunCost;
  /** Memory of the process, off and on the heap, when all was read and nothing had come out. */
  readonly bytes: number;
}

const reading = schema({ key: t.bigint().notNull(), value: t.bigint().notNull(), at: t.timestamp().notNull() });
setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Count and maximum of one large window, whose end is the end of the input: first all keys gather, then all come out. */
serveContender<KeysRun, KeysResult>(async ({ clusters, input, keys }) => {
  const sofar = startCost();
  let read: RunCost | undefined;
  let bytes = 0;
  let stop = sofar;
  let records = 0;
  let rows = 0;
  const run = await job('keys')
    .from(kafka({ topic: input, clusters, schema: reading, bounded: true, prefetchBytesMax: 16 << 20 }))
    .watermark('at')
    .groupBy(r => ({ key: r.key.mod(keys) }))
    .tumble({ days: 1 })
    .aggregate(r => ({ records: count(), greatest: max(r.value) }))
    .to(
      toObserver({
        next(row) {
          if (read === undefined) {
            read = sofar(0);
            collectGarbage();
            // Not `arrayBuffers`: what workers hand over is counted there more than once.
            const { heapUsed, external } = process.memoryUsage();
            bytes = heapUsed + external;
            stop = startCost();
          }
          records += Number(row.records);
          rows++;
        },
      }),
    )
    .start();
  await run.done;
  return { records, rows, reading: { ...read!, records }, emission: stop(rows), bytes };
});
