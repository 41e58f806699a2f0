import pc from 'picocolors';
import { count, megabytes, milliseconds, percent } from './figures.ts';
import { agrees, type Findings } from './report.ts';

/** What the main job prints at its end, or after Ctrl-C with what is known by then. Lines for people. */
export function summaryLines(findings: Findings, colors: ReturnType<typeof pc.createColors> = pc): string[] {
  const { verify, run, records, recordsIn } = findings;
  const lines = [`${headline()}`, ''];
  const row = (label: string, ...parts: readonly (string | undefined)[]) =>
    lines.push(`  ${colors.dim(label.padEnd(10))} ${parts.filter(part => part !== undefined).join(', ')}`);

  if (findings.loadSeconds === undefined && findings.loaded !== undefined)
    row('loaded', `${count(findings.loaded)} of ${count(records)} flights`);
  if (recordsIn !== undefined)
    row(
      'records',
      `${count(recordsIn)} in${recordsIn === records ? '' : ` of ${count(records)} (${percent(recordsIn, records)})`}`,
      verify === undefined ? `${count(findings.rowsOut ?? 0)} out` : `${count(verify.account.recordsOut)} out`,
      findings.lateRows ? colors.red(`${count(findings.lateRows)} late`) : undefined,
      findings.badRecords ? colors.red(`${count(findings.badRecords)} bad`) : undefined,
    );
  if (verify !== undefined) {
    const { lost, doubled, mismatches, duplicates, differences } = verify.account;
    const figure = (value: number, what: string) => (value > 0 ? colors.red : String)(`${count(value)} ${what}`);
    row('compared', figure(lost, 'lost'), figure(doubled, 'doubled'), figure(mismatches, 'mismatches'));
    if (duplicates > 0) row('copies', `${count(duplicates)} rows lie in the topics twice, under the same tag`);
    for (const difference of differences) row('differs', difference);
  }
  for (const { cluster, detectMs, downMs, resumeMs } of findings.outages)
    row(
      'outage',
      detectMs === null ? `${cluster} not detected before the end` : `${cluster} detected in ${milliseconds(detectMs)}`,
      downMs === null ? undefined : `down for ${milliseconds(downMs)}`,
      resumeMs === null ? 'not resumed before the end' : `resumed in ${milliseconds(resumeMs)}`,
    );
  for (const { from, to, switchMs } of findings.failovers)
    row('failover', `from ${from} to ${to} in ${milliseconds(switchMs)}, fault to first acknowledgement`);
  if (findings.unplannedOutages > 0)
    row('unplanned', colors.yellow(`${findings.unplannedOutages} times a cluster was taken for down without a fault`));
  if (run !== undefined && recordsIn !== undefined) {
    const paced = findings.rate === Number.POSITIVE_INFINITY ? 'flat out' : `paced at ${count(findings.rate)}`;
    row(
      'speed',
      `${count(recordsIn / run.seconds)} records/s (${paced})`,
      `${count(recordsIn / run.cpuSeconds)} per CPU-second`,
    );
    row('memory', `${megabytes(run.rssBytesMax)} at most in the job's process`);
  }
  for (const { name, cpuSeconds, rssBytesMax } of findings.clusters)
    row(name, `${cpuSeconds.toFixed(1)} CPU-seconds`, `${megabytes(rssBytesMax)} at most`);
  const seconds = [
    findings.loadSeconds === undefined ? undefined : `load ${findings.loadSeconds.toFixed(1)} s`,
    run === undefined ? undefined : `run ${run.seconds.toFixed(1)} s`,
    verify === undefined ? undefined : `verify ${verify.seconds.toFixed(1)} s`,
  ];
  if (seconds.some(part => part !== undefined)) row('time', ...seconds);
  if (verify !== undefined) lines.push('', ...whereToLookNext.map(line => colors.dim(line)));
  return lines;

  function headline(): string {
    if (verify === undefined) return colors.yellow('stopped before the end: nothing was compared');
    if (agrees(findings))
      return colors.green(`all ${count(verify.account.recordsOut)} rows equal ${verify.by}'s, bit for bit`);
    return colors.red(`the result does not equal ${verify.by}'s`);
  }
}

const whereToLookNext = [
  'where to look next',
  '  examples/flights/job.ts               the job itself',
  '  state-machines/                       the charts that east went through',
  '  ARCHITECTURE.md                       the way of a record through Braid',
  '  npm start -- --rate max --no-outage   how fast is it?',
  '  npm start -- --keep                   look at the topics with kcat afterwards',
];
