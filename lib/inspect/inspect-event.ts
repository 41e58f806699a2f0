import type { Chart } from './chart.ts';

/** Values that survive JSON; payloads and contexts are reduced to them. */
export type Plain = string | number | boolean | null | readonly Plain[] | { readonly [name: string]: Plain };

/**
 * What a watcher of a job's actors sees, in the order in which it happened. Times are milliseconds since 1970. States
 * are the paths of all innermost active states: one, or one a region (`reading.clusters.allServing`).
 */
export type InspectEvent =
  | InspectedChart
  | InspectedActor
  | InspectedMail
  | InspectedTransition
  | InspectedSnapshot
  | InspectedEnd;

/** A chart, once, before the first actor that runs it. */
export interface InspectedChart {
  readonly type: 'chart';
  readonly time: number;
  readonly hash: string;
  readonly chart: Chart;
}
/** An actor that was there when the watching began, or was made since. */
export interface InspectedActor {
  readonly type: 'actor';
  readonly time: number;
  readonly actorId: string;
  /** Name of its chart: connection, operator, job ... */
  readonly kind: string;
  /** Hash of its chart. */
  readonly chart: string;
  readonly state: readonly string[];
  readonly context: Plain;
}
/** An event that an actor was sent. */
export interface InspectedMail {
  readonly type: 'event';
  readonly time: number;
  readonly actorId: string;
  readonly event: Mail;
  /** What was being handled when it was sent, where that is known: by which actor, and which event. */
  readonly cause: Cause | undefined;
}
/** An event that led to other states. */
export interface InspectedTransition {
  readonly type: 'transition';
  readonly time: number;
  readonly actorId: string;
  readonly from: readonly string[];
  readonly to: readonly string[];
  /** Type of the event. */
  readonly event: string;
}
/** What an actor is after an event, whether or not its state changed. */
export interface InspectedSnapshot {
  readonly type: 'snapshot';
  readonly time: number;
  readonly actorId: string;
  readonly state: readonly string[];
  readonly context: Plain;
  /** Type of the event. */
  readonly event: string;
}
/** The last that is heard of an actor. */
export interface InspectedEnd {
  readonly type: 'ended';
  readonly time: number;
  readonly actorId: string;
  readonly state: readonly string[];
  /** `done`: reached a final state; `error`: its actor threw; `stopped`: was stopped from outside. */
  readonly outcome: 'done' | 'error' | 'stopped';
  readonly error: string | undefined;
}

export interface Mail {
  readonly type: string;
  readonly [field: string]: Plain;
}
export interface Cause {
  readonly actorId: string;
  readonly event: string;
}
