import type { ClusterAddress } from '../support/clusters.ts';

/** What a contender that reads bids and writes counts is given. */
export interface BidRun {
  /** Two clusters; the results go to the first. */
  readonly clusters: readonly ClusterAddress[];
  readonly input: string;
  readonly output: string;
  /** Braid alone: threads of its pool; one a core by default. */
  readonly threads?: number;
  /** Braid alone: subscribe to `inspect$`. */
  readonly watch?: boolean;
}

export interface BidRunResult {
  /** Records read. */
  readonly records: number;
  /** Rows written and acknowledged. */
  readonly rows: number;
  /** Events that the job's machines were sent while it was watched. */
  readonly machineEvents?: number;
}
