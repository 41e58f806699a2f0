import type { ClusterAddress } from '../support/clusters.ts';

/** What both contenders of `kafka-json` are given. */
export interface BidRun {
  /** Two clusters; the results go to the first. */
  readonly clusters: readonly ClusterAddress[];
  readonly input: string;
  readonly output: string;
}

export interface BidRunResult {
  /** Records read. */
  readonly records: number;
  /** Rows written and acknowledged. */
  readonly rows: number;
}
