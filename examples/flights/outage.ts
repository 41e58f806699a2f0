import type { JobEvent, JobMetrics } from '../../lib/plan/job-report.ts';

/** One outage as it was measured; null for what did not happen before the job ended. */
export interface Outage {
  readonly cluster: string;
  /** From the fault to the connection's `down`. */
  readonly detectMs: number | null;
  /** From `down` to the end of the fault. */
  readonly downMs: number | null;
  /** From the end of the fault to the first record that was read again, or to `healthy` where nothing was left to read. */
  readonly resumeMs: number | null;
}

export interface Failover {
  readonly from: string;
  readonly to: string;
  /** From the fault to the first acknowledgement by the new cluster, or to the switch where nothing was unacknowledged. */
  readonly switchMs: number;
}

export interface OutagePlan {
  readonly cluster: string;
  /** Records of the whole input. */
  readonly records: number;
  /** Begins and ends the fault; each resolves when it is in force. */
  readonly goDark: () => Promise<void>;
  readonly comeBack: () => Promise<void>;
  /** Milliseconds on the clock of the job's events. */
  readonly now: () => number;
}

const darkFrom = 0.4;
const darkTo = 0.6;
/** The cluster stays away until it was `down` for at least this long, however short the input. */
const downMsMin = 1000;

/**
 * The script of the outage: at 40 % of the input a cluster goes dark, at 60 % it returns, but not before it was `down`
 * for a second; if the other clusters have nothing left to read before that, it returns after that second.
 *
 * It looks at the job's figures when asked to (`look`) and hears its events; it owns no timer.
 */
export class OutageScript {
  readonly #plan: OutagePlan;
  #phase: 'before' | 'dark' | 'returning' | 'over' = 'before';
  #faultAt = 0;
  #downAt: number | undefined;
  #returnedAt = 0;
  #healthyAgain = false;
  #readAtReturn = 0;
  #detectMs: number | null = null;
  #downMs: number | null = null;
  #resumeMs: number | null = null;
  readonly #failovers: Failover[] = [];
  #unplanned = 0;
  #action: Promise<void> = Promise.resolve();

  constructor(plan: OutagePlan) {
    this.#plan = plan;
  }

  get phase(): 'before' | 'dark' | 'returning' | 'over' {
    return this.#phase;
  }
  get outages(): readonly Outage[] {
    if (this.#phase === 'before') return [];
    const { cluster } = this.#plan;
    return [{ cluster, detectMs: this.#detectMs, downMs: this.#downMs, resumeMs: this.#resumeMs }];
  }
  get failovers(): readonly Failover[] {
    return this.#failovers;
  }
  /** How often a cluster was `down` although nobody had planned it. */
  get unplanned(): number {
    return this.#unplanned;
  }

  onEvent(event: JobEvent): void {
    if (event.type === 'sink.switched') {
      const planned = event.from === this.#plan.cluster && this.#phase !== 'before';
      const switchMs = planned ? event.at - this.#faultAt : event.ms;
      this.#failovers.push({ from: event.from, to: event.to, switchMs: round(switchMs) });
    }
    if (event.type !== 'cluster') return;
    const ours = event.cluster === this.#plan.cluster;
    if (event.to === 'down') {
      if (!ours || this.#phase === 'before' || this.#phase === 'over') this.#unplanned++;
      else if (this.#downAt === undefined) {
        this.#downAt = event.at;
        this.#detectMs = round(event.at - this.#faultAt);
      }
    }
    if (event.to === 'healthy' && ours && this.#phase === 'returning') this.#healthyAgain = true;
  }

  /** Takes the next step if it is time for it. Call it every few milliseconds while the job runs. */
  look(metrics: JobMetrics): void {
    const ours = metrics.clusters.find(cluster => cluster.name === this.#plan.cluster);
    const now = this.#plan.now();
    if (this.#phase === 'before') {
      if (metrics.recordsIn < darkFrom * this.#plan.records) return;
      this.#phase = 'dark';
      this.#faultAt = now;
      this.#act(this.#plan.goDark);
    } else if (this.#phase === 'dark') {
      if (this.#downAt === undefined || now - this.#downAt < downMsMin) return;
      const othersDone = metrics.clusters.every(cluster => cluster === ours || cluster.lag === 0);
      if (metrics.recordsIn < darkTo * this.#plan.records && !othersDone) return;
      this.#readAtReturn = ours?.recordsIn ?? 0;
      this.#return(now);
    } else if (this.#phase === 'returning' && this.#healthyAgain) {
      if ((ours?.recordsIn ?? 0) === this.#readAtReturn && ours?.lag !== 0) return;
      this.#resumeMs = round(now - this.#returnedAt);
      this.#phase = 'over';
    }
  }

  /** The job is over, for whatever reason: a cluster that is still dark comes back. Rejects if a fault could not be set. */
  async end(): Promise<void> {
    if (this.#phase === 'dark') this.#return(this.#plan.now());
    await this.#action;
  }

  #return(now: number): void {
    this.#phase = 'returning';
    this.#returnedAt = now;
    if (this.#downAt !== undefined) this.#downMs = round(now - this.#downAt);
    this.#act(this.#plan.comeBack);
  }

  /** Faults follow one another: the end of one never overtakes its beginning. */
  #act(action: () => Promise<void>): void {
    this.#action = this.#action.then(action);
    // Whoever calls end() hears of a failure; until then it is nobody's unhandled rejection.
    this.#action.catch(() => undefined);
  }
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
