/**
 * `npm start`: three million flights through two Kafka clusters, one of which goes dark and comes back; see
 * README.md in this folder. Exit codes: 0 all rows equal DuckDB's, 1 they do not or something failed, 2 called wrongly,
 * 130 Ctrl-C.
 */
import { access, open, rm, writeFile } from 'node:fs/promises';
import { BraidError, toBraidError } from '../../lib/base/errors.ts';
import { FlightRun } from './flight-run.ts';
import { Interrupt, Interrupted } from './interrupt.ts';
import { LiveView } from './live-view.ts';
import { type FlightOptions, help, parseOptions } from './options.ts';
import { PlainView } from './plain-view.ts';
import { agrees, toReport } from './report.ts';
import { summaryLines } from './summary.ts';
import type { View } from './view.ts';

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  let options: FlightOptions | 'help';
  try {
    options = parseOptions(args);
    if (options !== 'help' && options.report !== undefined) await checkWritable(options.report);
  } catch (error) {
    console.error(toBraidError(error).describe());
    return 2;
  }
  if (options === 'help') {
    process.stdout.write(help);
    return 0;
  }
  return run(options);
}

async function run(options: FlightOptions): Promise<number> {
  const view: View = process.stdout.isTTY
    ? new LiveView(process.stdout, options.records)
    : new PlainView(text => process.stdout.write(text), options.records);
  const interrupt = new Interrupt(() => leave());
  const flights = new FlightRun(options, view, interrupt.signal);
  /** The view goes, the summary stays; once, whoever comes first. */
  let left = false;
  const leave = () => {
    if (left) return;
    left = true;
    view.close();
    process.stdout.write(`\n${summaryLines(flights.findings).join('\n')}\n`);
  };
  try {
    await flights.startClusters();
    await flights.load();
    await flights.runJob();
    await flights.verify();
    await flights.askClusters();
    leave();
    const { findings } = flights;
    const report = toReport(findings);
    if (options.report !== undefined) await writeFile(options.report, `${JSON.stringify(report, null, 2)}\n`);
    if (options.keep) await keepUp(flights, interrupt.signal);
    return agrees(findings) ? 0 : 1;
  } catch (error) {
    leave();
    if (error instanceof Interrupted) return error.exitCode;
    console.error(`\n${toBraidError(error).describe()}`);
    return 1;
  } finally {
    await flights.stopClusters();
  }
}

/** Half a minute of work must not end in a file that cannot be written, so it is opened now. */
async function checkWritable(file: string): Promise<void> {
  try {
    const existed = await access(file).then(
      () => true,
      () => false,
    );
    await (await open(file, 'a')).close();
    if (!existed) await rm(file);
  } catch (cause) {
    throw new BraidError('OPTION_INVALID', `the report cannot be written to ${file}`, {
      place: `--report ${file}`,
      hint: (cause as Error).message,
      cause,
    });
  }
}

/** Waits for Ctrl-C while the clusters stay up. */
function keepUp(flights: FlightRun, signal: AbortSignal): Promise<void> {
  console.log('\nthe clusters stay up until Ctrl-C:');
  for (const { name, brokers } of flights.clusters)
    console.log(`  ${name}: kcat -b ${brokers[0]} -t delays -C -o -5 -e`);
  // A signal's listeners do not keep a process alive; the clusters' channels do.
  return new Promise(resolve => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve());
  });
}
