import { setTimeout as pause } from 'node:timers/promises';
import { assert } from '../../lib/base/errors.ts';
import type { JobEvent, JobHandle } from '../../lib/index.ts';

/** One fault, in milliseconds. */
export interface Fault {
  /** From the order to the fault until the connection to the cluster is down. */
  readonly detect: number;
  /** From the order to the fault until the new cluster has acknowledged a row, or the switch where nothing was owed. */
  readonly switch: number;
  /** From the order to heal until a record of the cluster was read again. */
  readonly resume: number;
  /** Records a second of the cluster that stayed healthy, from the fault until healing, by what it had before. */
  readonly healthyDuringBefore: number;
}

/** How a cluster is taken away and given back. */
export interface FaultKind {
  readonly name: string;
  begin(cluster: string): Promise<void>;
  end(cluster: string): Promise<void>;
}

interface Sample {
  readonly at: number;
  readonly recordsIn: ReadonlyMap<string, number>;
}

const lookEveryMs = 5;
/** What a cluster's rate before the fault is taken from; both clusters must have been read for so long. */
const calmMs = 500;
/** A fault lasts this long at least, so that there is a rate during it. */
const faultMsMin = 400;
const waitMsMax = 20_000;

/**
 * Takes clusters away from one running job, always the one that is written to, until too little of its input is left.
 * Times are of the job's own clock, since the job runs in this process: an event's `at` less the time of the order.
 */
export class FaultRun {
  readonly #job: JobHandle;
  readonly #events: JobEvent[] = [];
  readonly #samples: Sample[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(job: JobHandle) {
    this.#job = job;
    job.events$.subscribe(event => this.#events.push(event));
    this.#timer = setInterval(() => this.#look(), lookEveryMs);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** Waits until both clusters are read in peace; false where fewer than `recordsMin` records of one of them are left. */
  async calm(recordsMin: number): Promise<boolean> {
    const since = performance.now();
    for (;;) {
      const { clusters } = this.#job.metrics();
      if (clusters.some(({ lag }) => lag < recordsMin) && clusters.every(({ state }) => state === 'healthy'))
        return false;
      const before = this.#at(performance.now() - calmMs);
      const healthy = clusters.every(
        ({ name, state, recordsIn }) =>
          state === 'healthy' && before !== undefined && recordsIn > before.recordsIn.get(name)!,
      );
      if (healthy && performance.now() - since >= calmMs) return true;
      assert(performance.now() - since < waitMsMax, 'both clusters are read again');
      await pause(lookEveryMs);
    }
  }

  async fault(kind: FaultKind): Promise<Fault> {
    const lost = this.#job.metrics().sink.active;
    assert(lost !== undefined, 'a cluster is written to');
    this.#look();
    const at = performance.now();
    const other = [...this.#samples.at(-1)!.recordsIn.keys()].find(name => name !== lost)!;
    const before = this.#rate(other, at - calmMs, at);
    await kind.begin(lost);
    const down = await this.#event(
      at,
      event => event.type === 'cluster' && event.cluster === lost && event.to === 'down',
    );
    const switched = await this.#event(at, event => event.type === 'sink.switched' && event.from === lost);
    const left = at + faultMsMin - performance.now();
    if (left > 0) await pause(left);
    this.#look();
    const healedAt = performance.now();
    const during = this.#rate(other, at, healedAt);
    const readBefore = this.#samples.at(-1)!.recordsIn.get(lost)!;
    await kind.end(lost);
    await this.#event(healedAt, event => event.type === 'cluster' && event.cluster === lost && event.to === 'healthy');
    while (this.#read(lost) === readBefore) {
      assert(performance.now() - healedAt < waitMsMax, `${lost} is read again`);
      await pause(1);
    }
    return {
      detect: down.at - at,
      switch: switched.at - at,
      resume: performance.now() - healedAt,
      healthyDuringBefore: during / before,
    };
  }

  #read(cluster: string): number {
    return this.#job.metrics().clusters.find(({ name }) => name === cluster)!.recordsIn;
  }

  #look(): void {
    const recordsIn = new Map(this.#job.metrics().clusters.map(({ name, recordsIn: read }) => [name, read]));
    this.#samples.push({ at: performance.now(), recordsIn });
  }

  /** The last sample at or before a time. */
  #at(time: number): Sample | undefined {
    return this.#samples.findLast(sample => sample.at <= time);
  }

  #rate(cluster: string, from: number, to: number): number {
    const first = this.#at(from) ?? this.#samples[0]!;
    const last = this.#at(to)!;
    return ((last.recordsIn.get(cluster)! - first.recordsIn.get(cluster)!) * 1000) / (last.at - first.at);
  }

  async #event(since: number, wanted: (event: JobEvent) => boolean): Promise<JobEvent> {
    for (;;) {
      const found = this.#events.find(event => event.at >= since && wanted(event));
      if (found !== undefined) return found;
      assert(performance.now() - since < waitMsMax, `the job notices a fault: ${this.#job.state}`);
      await pause(1);
    }
  }
}
