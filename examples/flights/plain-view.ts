import type { JobEvent, JobMetrics } from '../../lib/plan/job-report.ts';
import { eventText } from './event-text.ts';
import { count, eventTime, percent, seconds } from './figures.ts';
import type { View } from './view.ts';

const lineEveryMs = 1000;

/** The view for logs and pipes: facts as they happen, figures once a second. */
export class PlainView implements View {
  readonly showsDelayed = false;
  readonly #write: (text: string) => void;
  readonly #total: number;
  readonly #now: () => number;
  readonly #startedAt: number;
  #lastFigures = Number.NEGATIVE_INFINITY;
  #lastPhase = '';

  constructor(write: (text: string) => void, total: number, now: () => number = () => performance.now()) {
    this.#write = write;
    this.#total = total;
    this.#now = now;
    this.#startedAt = now();
  }

  clusters(clusters: readonly { readonly name: string; readonly brokers: readonly string[] }[]): void {
    for (const { name, brokers } of clusters) this.note(`cluster ${name} at ${brokers.join(',')}`);
  }
  loading(records: number): void {
    this.#figures('load', records === this.#total, () => this.#done(records, this.#total, 'flights'));
  }
  running(metrics: JobMetrics): void {
    this.#figures('run', false, () => {
      const held = metrics.heldBy;
      const waiting = metrics.operators.reduce((sum, operator) => sum + operator.openWindows, 0);
      return [
        this.#done(metrics.recordsIn, this.#total, 'records'),
        `${count(metrics.recordsPerSecond)} records/s`,
        `${count(metrics.recordsOut)} rows out`,
        eventTime(metrics.watermark),
        ...metrics.clusters.map(({ name, state, lag }) => `${name} ${state}, lag ${count(lag)}`),
        ...(held === undefined
          ? []
          : [`watermark held by ${held.cluster}, ${seconds(held.ms)}, ${count(waiting)} windows waiting`]),
      ].join('; ');
    });
  }
  event(event: JobEvent): void {
    const text = eventText(event);
    if (text !== undefined) this.note(text.text);
  }
  delayed(): void {
    // Which airports are late just now is a thing to look at, not to log.
  }
  verifying(records: number, total: number): void {
    this.#figures('verify', records === total, () => this.#done(records, total, 'rows'));
  }
  note(text: string): void {
    this.#write(`${seconds(this.#now() - this.#startedAt).padStart(7)}  ${text}\n`);
  }
  close(): void {
    // Lines need no tidying up.
  }

  #done(records: number, total: number, what: string): string {
    return `${percent(records, total)}, ${count(records)} ${what}`;
  }

  /** One line a second, and the last one of a phase in any case. */
  #figures(phase: string, last: boolean, line: () => string): void {
    const now = this.#now();
    if (!last && phase === this.#lastPhase && now - this.#lastFigures < lineEveryMs) return;
    this.#lastFigures = now;
    this.#lastPhase = phase;
    this.note(`${phase}: ${line()}`);
  }
}
