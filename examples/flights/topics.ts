/** Flights as JSON, each in one of the two clusters. */
export const flightsTopic = 'flights';
/** The job's results. */
export const delaysTopic = 'delays';
export const partitionsOfTopic = 4;

/** Where a cluster can be reached, as it travels between processes. */
export interface ClusterAddress {
  readonly name: string;
  readonly brokers: readonly string[];
}
