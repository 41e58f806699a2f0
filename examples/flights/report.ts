import type { Account } from './comparison.ts';
import type { Failover, Outage } from './outage.ts';

/** CPU time and memory of the job's process with its threads, from the job's start to its end. */
export interface Usage {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly rssBytesMax: number;
}

/** What is known so far; an interrupted run knows less. */
export interface Findings {
  readonly job: string;
  /** Asked for: records per second, or Infinity. */
  readonly rate: number;
  /** Records of the whole input. */
  readonly records: number;
  /** Flights in the clusters. */
  readonly loaded?: number;
  readonly loadSeconds?: number;
  readonly recordsIn?: number;
  readonly rowsOut?: number;
  readonly lateRows?: number;
  readonly badRecords?: number;
  readonly outages: readonly Outage[];
  readonly failovers: readonly Failover[];
  /** Times that a cluster was down although nobody had planned it. */
  readonly unplannedOutages: number;
  readonly run?: Usage;
  readonly clusters: readonly { readonly name: string; readonly cpuSeconds: number; readonly rssBytesMax: number }[];
  readonly verify?: { readonly seconds: number; readonly account: Account; readonly by: string };
}

/** A finished run in the form of `--report`. */
export interface FlightReport {
  readonly job: string;
  /** What the sink promises: each row at least once; copies carry the same tag. */
  readonly delivery: 'at-least-once';
  readonly rate: number | 'max';
  readonly recordsIn: number;
  /** Distinct tags in both topics. */
  readonly recordsOut: number;
  readonly duplicates: number;
  readonly lost: number;
  readonly doubled: number;
  readonly mismatches: number;
  readonly lateRows: number;
  readonly badRecords: number;
  readonly verifiedBy: string;
  readonly outages: readonly Outage[];
  readonly failovers: readonly Failover[];
  readonly unplannedOutages: number;
  readonly seconds: { readonly load: number; readonly run: number; readonly verify: number };
  readonly recordsPerSecond: number;
  readonly recordsPerCpuSecond: number;
  readonly rssBytesMax: number;
  readonly clusters: Findings['clusters'];
}

/** Undefined where the run was not finished: half a report would look like a whole one. */
export function toReport(findings: Findings): FlightReport | undefined {
  const { loadSeconds, recordsIn, run, verify } = findings;
  if (loadSeconds === undefined || recordsIn === undefined || run === undefined || verify === undefined)
    return undefined;
  const { recordsOut, duplicates, lost, doubled, mismatches } = verify.account;
  return {
    job: findings.job,
    delivery: 'at-least-once',
    rate: findings.rate === Number.POSITIVE_INFINITY ? 'max' : findings.rate,
    recordsIn,
    recordsOut,
    duplicates,
    lost,
    doubled,
    mismatches,
    lateRows: findings.lateRows ?? 0,
    badRecords: findings.badRecords ?? 0,
    verifiedBy: verify.by,
    outages: findings.outages,
    failovers: findings.failovers,
    unplannedOutages: findings.unplannedOutages,
    seconds: { load: tenths(loadSeconds), run: tenths(run.seconds), verify: tenths(verify.seconds) },
    recordsPerSecond: Math.round(recordsIn / run.seconds),
    recordsPerCpuSecond: Math.round(recordsIn / run.cpuSeconds),
    rssBytesMax: run.rssBytesMax,
    clusters: findings.clusters,
  };
}

/** Whether everything that went in came out, once, and as DuckDB has it. */
export function agrees(findings: Findings): boolean {
  const account = findings.verify?.account;
  if (account === undefined) return false;
  const { lost, doubled, mismatches } = account;
  return findings.recordsIn === findings.records && lost === 0 && doubled === 0 && mismatches === 0;
}

function tenths(seconds: number): number {
  return Math.round(seconds * 10) / 10;
}
