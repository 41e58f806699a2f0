import { extname } from 'node:path';
import { Piscina } from 'piscina';
import type { LimitTask } from './raw-path-worker.ts';

/** The bare loop on `threads` Piscina workers, with the groups merged into a Map of arrays by whoever gave the tasks. */
export class RawPathLimitPool {
  readonly #pool: Piscina<LimitTask, Float64Array>;

  constructor(threads: number) {
    this.#pool = new Piscina({
      filename: new URL(`./raw-path-worker${extname(import.meta.url)}`, import.meta.url).href,
      minThreads: threads,
      maxThreads: threads,
      concurrentTasksPerWorker: 2,
    });
  }

  /** Runs `tasks` tasks over copies of `bytes`, `inFlightMax` at a time; returns records and groups. */
  async run(
    bytes: Uint8Array,
    offsets: readonly number[],
    checkCrc: boolean,
    tasks: number,
    inFlightMax: number,
  ): Promise<{ readonly records: number; readonly groups: ReadonlyMap<number, readonly number[]> }> {
    const groups = new Map<number, number[]>();
    let records = 0;
    let sent = 0;
    const lane = async (): Promise<void> => {
      while (sent < tasks) {
        sent++;
        const buffer = new ArrayBuffer(bytes.length);
        new Uint8Array(buffer).set(bytes);
        const out = await this.#pool.run({ buffer, offsets, checkCrc }, { transferList: [buffer] });
        records += out[0]!;
        for (let i = 1; i < out.length; i += 4) {
          const key = out[i]! * 1e6 + ((out[i + 1]! / 10000) % 1e6);
          const group = groups.get(key);
          if (group === undefined) groups.set(key, [out[i + 2]!, out[i + 3]!]);
          else {
            group[0] = group[0]! + out[i + 2]!;
            if (out[i + 3]! > group[1]!) group[1] = out[i + 3]!;
          }
        }
      }
    };
    await Promise.all(Array.from({ length: inFlightMax }, lane));
    return { records, groups };
  }

  destroy(): Promise<void> {
    return this.#pool.destroy();
  }
}
