import type { Clock } from '../lib/base/clock.ts';
import type { WatermarkReleasedEvent } from '../lib/plan/job-report.ts';
import type { Reports } from './reports.ts';

/** Which lost clusters hold the watermark, since when, and the events that tell of it. The chart decides when a hold ends. */
export class WatermarkHolds {
  readonly #holdMsMax: number;
  readonly #clock: Clock;
  readonly #reports: Reports;
  readonly #since = new Map<string, number>();

  constructor(holdMsMax: number, clock: Clock, reports: Reports) {
    this.#holdMsMax = holdMsMax;
    this.#clock = clock;
    this.#reports = reports;
  }

  /** The cluster that has held it longest. */
  get longest(): { readonly cluster: string; readonly ms: number } | undefined {
    const [first] = [...this.#since].sort(([, a], [, b]) => a - b);
    return first && { cluster: first[0], ms: this.#clock.now() - first[1] };
  }

  /** A hold counts from the cluster's last answer, `silentMs` ago; where that is too long ago there is none. */
  begin(cluster: string, silentMs: number, watermark: number): void {
    if (this.#holdMsMax <= silentMs) return;
    this.#since.set(cluster, this.#clock.now() - silentMs);
    this.#reports.event({ type: 'watermark.held', cluster, watermark, holdMsMax: this.#holdMsMax });
  }

  end(cluster: string, because: WatermarkReleasedEvent['because']): void {
    const since = this.#since.get(cluster);
    if (since === undefined) return;
    this.#since.delete(cluster);
    this.#reports.event({ type: 'watermark.released', cluster, because, heldMs: this.#clock.now() - since });
  }
}
