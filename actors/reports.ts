import type { Batch } from '../lib/data/batch.ts';
import type { JobEvent } from '../lib/plan/job-report.ts';
import type { DeadLetter } from '../lib/plan/logical.ts';

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
/** An event without its time, which the job adds. */
export type ReportedEvent = DistributiveOmit<JobEvent, 'at'>;

/** Where actors tell what the user may want to know. Implemented by the job (job-report.ts). */
export interface Reports {
  event(event: ReportedEvent): void;
  lateRows(cluster: string, batch: Batch): void;
  deadLetters(letters: readonly DeadLetter[]): void;
}
