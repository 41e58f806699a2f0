import pc from 'picocolors';
import type { ClusterMetrics, JobMetrics } from '../../lib/plan/job-report.ts';
import { clusterTone, type EventText, type Tone } from './event-text.ts';
import { bar, count, eventTime, percent, seconds } from './figures.ts';
import type { DelayedAirport } from './view.ts';

/** All that the live view shows, as plain data: one picture is a pure function of it. */
export interface Picture {
  readonly phase: 'starting' | 'loading' | 'running' | 'verifying';
  readonly elapsedMs: number;
  /** Records of the whole input. */
  readonly total: number;
  readonly loaded: number;
  readonly clusters: readonly { readonly name: string; readonly brokers: readonly string[] }[];
  readonly metrics: JobMetrics | undefined;
  readonly delayed: readonly DelayedAirport[];
  readonly verified: number;
  readonly verifiedTotal: number;
  /** Newest last. */
  readonly events: readonly (EventText & { readonly atMs: number })[];
}

export const pictureColumns = 80;
const delayedShown = 5;
const eventsShown = 5;

/**
 * The picture as lines of at most `columns` characters: 23 of them, so that it fits into a terminal of 80x24.
 * `colors` as of picocolors' `createColors`.
 */
export function drawFrame(
  picture: Picture,
  columns = pictureColumns,
  colors: ReturnType<typeof pc.createColors> = pc,
): string[] {
  const paint = (tone: Tone, text: string) =>
    ({ good: colors.green, warning: colors.yellow, bad: colors.red, plain: (s: string) => s })[tone](text);
  const lines: string[] = [];

  const title = `${colors.bold('braid')}  flights by origin and hour`;
  lines.push(spread(title, `${colors.bold(picture.phase)}  ${seconds(picture.elapsedMs)}`, columns));
  lines.push(colors.dim('─'.repeat(columns)));
  lines.push(...progressLines(picture));
  lines.push('');
  lines.push(colors.dim(`${'cluster'.padEnd(9)}${'state'.padEnd(12)}${'records/s'.padEnd(25)}lag`));
  for (const cluster of picture.clusters) lines.push(clusterLine(cluster.name));
  lines.push('');
  const hour = picture.delayed[0]?.hour;
  lines.push(
    colors.dim(`most delayed airports${hour === undefined ? '' : `, hour of ${hour.slice(0, 16).replace('T', ' ')}`}`),
  );
  for (let i = 0; i < delayedShown; i++) lines.push(delayedLine(picture.delayed[i]));
  lines.push('');
  lines.push(colors.dim('events'));
  const events = picture.events.slice(-eventsShown);
  for (let i = 0; i < eventsShown; i++) {
    const event = events[i];
    lines.push(event === undefined ? '' : `${seconds(event.atMs).padStart(7)}  ${paint(event.tone, event.text)}`);
  }
  return lines.map(line => clip(line, columns));

  function progressLines({ phase, metrics, total }: Picture): string[] {
    const [label, done, whole] =
      phase === 'verifying'
        ? (['verify', picture.verified, picture.verifiedTotal] as const)
        : phase === 'running'
          ? (['input', metrics?.recordsIn ?? 0, total] as const)
          : (['load', picture.loaded, total] as const);
    const progress = bar(done / whole, 40).padEnd(40, '░');
    const first = `${label.padEnd(8)} ${colors.cyan(progress)} ${percent(done, whole).padStart(5)}  ${count(done)} of ${count(whole)}`;
    if (metrics === undefined) return [first, '', ''];
    const second =
      `time     ${eventTime(metrics.watermark).padEnd(26)}` +
      `${count(metrics.recordsPerSecond).padStart(9)} records/s  ${count(metrics.recordsOut).padStart(9)} rows out`;
    const held = metrics.heldBy;
    const waiting = metrics.operators.reduce((sum, operator) => sum + operator.openWindows, 0);
    const third =
      held === undefined
        ? colors.dim(`         ${count(waiting)} windows open`)
        : colors.yellow(
            `         watermark held by ${held.cluster}, ${seconds(held.ms)}, ${count(waiting)} windows waiting`,
          );
    return [first, second, third];
  }

  function clusterLine(name: string): string {
    const cluster: ClusterMetrics | undefined = picture.metrics?.clusters.find(each => each.name === name);
    if (cluster === undefined) {
      const address = picture.clusters.find(each => each.name === name)?.brokers.join(',') ?? '';
      return `${name.padEnd(8)} ${colors.dim(address)}`;
    }
    const tone = clusterTone[cluster.state] ?? 'plain';
    const rateWhole = Math.max(1, ...(picture.metrics?.clusters ?? []).map(each => each.recordsPerSecond));
    const rate = bar(cluster.recordsPerSecond / rateWhole, 14).padEnd(14);
    const lag = bar(cluster.lag / (picture.total / 2), 10).padEnd(10);
    const active = picture.metrics?.sink.active === name ? colors.bold('active sink') : '';
    return (
      `${name.padEnd(8)} ${paint(tone, cluster.state.padEnd(11))} ` +
      `${paint(tone, rate)} ${count(cluster.recordsPerSecond).padStart(9)} ` +
      `${colors.magenta(lag)} ${count(cluster.lag).padStart(9)}   ${active}`
    );
  }

  function delayedLine(airport: DelayedAirport | undefined): string {
    if (airport === undefined) return '';
    const worst = Math.max(1, picture.delayed[0]?.meanDelay ?? 1);
    const length = bar(airport.meanDelay / worst, 34).padEnd(34);
    const mean = airport.meanDelay.toFixed(1).padStart(7);
    const flights = `${airport.flights} ${airport.flights === 1 ? 'flight' : 'flights'}`;
    return `${airport.origin.padEnd(8)} ${colors.red(length)} ${mean} min  ${colors.dim(`mean of ${flights}`)}`;
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with a control character
const escapes = /\u001b\[[0-9;]*m/g;

export function visibleLength(line: string): number {
  return line.replace(escapes, '').length;
}

/** `left` and `right` at the two ends of a line. */
function spread(left: string, right: string, columns: number): string {
  return left + ' '.repeat(Math.max(1, columns - visibleLength(left) - visibleLength(right))) + right;
}

/** The first `columns` visible characters; colours are kept, and ended if the line is cut. */
export function clip(line: string, columns: number): string {
  if (visibleLength(line) <= columns) return line;
  let out = '';
  let room = columns;
  let at = 0;
  for (const match of line.matchAll(escapes)) {
    const text = line.slice(at, match.index).slice(0, room);
    room -= text.length;
    out += text + match[0];
    at = match.index + match[0].length;
  }
  return `${out + line.slice(at).slice(0, room)}\u001b[0m`;
}
