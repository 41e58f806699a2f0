import type { JobEvent, JobMetrics } from '../../lib/plan/job-report.ts';

/** An airport and how late its flights left in the hour that was closed last. */
export interface DelayedAirport {
  readonly origin: string;
  /** Start of the hour, as text. */
  readonly hour: string;
  readonly flights: number;
  readonly meanDelay: number;
}

/** What the main job shows on its way: on a terminal a picture drawn in place, elsewhere a few lines. */
export interface View {
  /** Where the job's clusters can be reached. */
  clusters(clusters: readonly { readonly name: string; readonly brokers: readonly string[] }[]): void;
  loading(records: number): void;
  running(metrics: JobMetrics): void;
  event(event: JobEvent): void;
  delayed(airports: readonly DelayedAirport[]): void;
  verifying(records: number, total: number): void;
  /** Whether anybody wants to know the most delayed airports: somebody has to find out. */
  readonly showsDelayed: boolean;
  /** A line of its own, for what is none of the above. */
  note(text: string): void;
  /** Leaves the screen in order; what was drawn stays. Idempotent. */
  close(): void;
}
