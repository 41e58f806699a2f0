import type { ClusterEvent, JobEvent } from '../../lib/plan/job-report.ts';
import { count, eventTime, seconds } from './figures.ts';

export type Tone = 'good' | 'warning' | 'bad' | 'plain';

/** A fact of the control plane in a line for people. */
export interface EventText {
  readonly text: string;
  readonly tone: Tone;
}

/** Undefined for facts that the figures show anyway. */
export function eventText(event: JobEvent): EventText | undefined {
  switch (event.type) {
    case 'job':
      return { text: `job is ${event.to}`, tone: jobTone[event.to] ?? 'plain' };
    case 'cluster':
      return clusterText(event);
    case 'sink.switched':
      return {
        text: `sink writes to ${event.to} now, ${count(event.resent)} rows sent again`,
        tone: 'warning',
      };
    case 'watermark.held':
      return { text: `watermark held by ${event.cluster} at ${eventTime(event.watermark)}`, tone: 'warning' };
    case 'watermark.released':
      return {
        text: `watermark free after ${seconds(event.heldMs)}: ${event.cluster} ${released[event.because]}`,
        tone: event.because === 'expired' ? 'bad' : 'good',
      };
    case 'late':
      return { text: `${count(event.rows)} late rows from ${event.cluster}`, tone: 'bad' };
    case 'deadLetters':
      return { text: `${count(event.records)} bad records in ${event.cluster}: ${event.reason}`, tone: 'bad' };
    case 'worker.crashed':
      return { text: `a worker crashed at ${event.place}: ${event.reason}`, tone: 'bad' };
    case 'actor.restarted':
      return {
        text: `${event.actor} restarted (${event.restarts} of ${event.restartsMax}): ${event.reason}`,
        tone: 'bad',
      };
    case 'localPhase':
      return { text: `local phase of ${event.operator} is ${event.on ? 'on' : 'off'}`, tone: 'plain' };
  }
}

/** Why a connection is given up is worth a line; why it gets better is not, and that it ends with the job is plain. */
function clusterText({ cluster, to, reason }: ClusterEvent): EventText | undefined {
  if (to === 'stopped' || to === 'connecting') return undefined;
  const why = to === 'suspect' || to === 'down' ? `: ${reason}` : '';
  return { text: `${cluster} is ${to}${why}`, tone: clusterTone[to] ?? 'plain' };
}

const jobTone: Readonly<Record<string, Tone>> = {
  running: 'good',
  degraded: 'warning',
  finished: 'good',
  failed: 'bad',
};

export const clusterTone: Readonly<Record<string, Tone>> = {
  healthy: 'good',
  suspect: 'warning',
  probing: 'bad',
  recovering: 'warning',
  down: 'bad',
};

/** Why the watermark is free again. */
const released = {
  returned: 'is back',
  expired: 'was waited for long enough',
  finished: 'has nothing more to come',
};
