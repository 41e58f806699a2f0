import { createHash } from 'node:crypto';
import { Observable, type Subscriber } from 'rxjs';
import type { Actor, AnyStateMachine, InspectionEvent, StateValue } from 'xstate';
import type { Chart } from './chart.ts';
import type { Cause, InspectEvent, Mail } from './inspect-event.ts';
import { readChart } from './read-chart.ts';
import { reduce } from './reduce.ts';

export interface Tap {
  /** Makes an actor visible under an id that is unique within the job. Costs an entry in a map until somebody watches. */
  register(id: string, kind: string, actor: Actor<AnyStateMachine>): void;
  /**
   * Begins with the charts and actors that are there, then tells what happens. Each subscriber gets the whole picture;
   * each chart once. Never completes by itself: a job that has ended may be looked at.
   */
  readonly inspect$: Observable<InspectEvent>;
}

/**
 * The one place where actors are looked at. Law: while nobody watches, no actor has an observer and nothing is
 * computed; XState itself skips inspection without observers.
 *
 * @param now milliseconds since 1970
 */
export function createTap(now: () => number = Date.now): Tap {
  return new ActorTap(now);
}

interface Entry {
  readonly id: string;
  readonly kind: string;
  readonly actor: Actor<AnyStateMachine>;
  /** As last told. */
  state: readonly string[];
  chart: { readonly hash: string; readonly chart: Chart } | undefined;
  unwatch: (() => void) | undefined;
}

interface Watcher {
  readonly subscriber: Subscriber<InspectEvent>;
  readonly charts: Set<string>;
}

/** An event that an actor is handling at this moment. */
interface Handling {
  readonly entry: Entry;
  readonly event: object;
  readonly type: string;
}

class ActorTap implements Tap {
  readonly inspect$: Observable<InspectEvent>;
  readonly #now: () => number;
  readonly #entries = new Map<string, Entry>();
  readonly #watchers = new Set<Watcher>();
  #handling: Handling[] = [];

  constructor(now: () => number) {
    this.#now = now;
    this.inspect$ = new Observable<InspectEvent>(subscriber => this.#subscribe(subscriber));
  }

  register(id: string, kind: string, actor: Actor<AnyStateMachine>): void {
    // Actors that have ended are dropped here, since without a watcher nobody tells us when one does.
    for (const entry of this.#entries.values()) if (hasEnded(entry)) this.#forget(entry);
    const entry: Entry = { id, kind, actor, state: [], chart: undefined, unwatch: undefined };
    this.#entries.set(id, entry);
    if (this.#watchers.size === 0) return;
    this.#watch(entry);
    for (const watcher of this.#watchers) this.#introduce(entry, watcher);
  }

  #subscribe(subscriber: Subscriber<InspectEvent>): () => void {
    const watcher: Watcher = { subscriber, charts: new Set() };
    for (const entry of this.#entries.values()) {
      if (hasEnded(entry)) {
        if (this.#watchers.size === 0) this.#forget(entry);
        continue;
      }
      if (this.#watchers.size === 0) this.#watch(entry);
      this.#introduce(entry, watcher);
    }
    this.#watchers.add(watcher);
    return () => {
      this.#watchers.delete(watcher);
      if (this.#watchers.size > 0) return;
      for (const entry of this.#entries.values()) unwatch(entry);
      this.#handling = [];
    };
  }

  #watch(entry: Entry): void {
    entry.state = stateOf(entry);
    // Not `actor.subscribe`: an observer with an error handler would hide a crash from whoever has none.
    const inspection = entry.actor.system.inspect(event => this.#onInspection(entry, event));
    entry.unwatch = () => inspection.unsubscribe();
  }

  #introduce(entry: Entry, { subscriber, charts }: Watcher): void {
    const time = this.#now();
    entry.chart ??= hashed(readChart(entry.actor.logic));
    const { hash, chart } = entry.chart;
    if (!charts.has(hash)) {
      charts.add(hash);
      subscriber.next({ type: 'chart', time, hash, chart });
    }
    subscriber.next({
      type: 'actor',
      time,
      actorId: entry.id,
      kind: entry.kind,
      chart: hash,
      state: stateOf(entry),
      context: reduce(entry.actor.getSnapshot().context),
    });
  }

  #onInspection(entry: Entry, inspected: InspectionEvent): void {
    // An actor's system may hold children; only the actors that were registered are told of.
    if (inspected.actorRef !== entry.actor) return;
    if (inspected.type === '@xstate.event') this.#onMail(entry, inspected.event);
    if (inspected.type === '@xstate.snapshot') this.#onSnapshot(entry, inspected.event);
  }

  #onMail(entry: Entry, event: { readonly type: string }): void {
    if (hasEnded(entry)) return;
    const type = nameOf(event.type);
    if (type !== 'xstate.init') {
      const mail = { ...(reduce(event) as Mail), type };
      this.#tell({ type: 'event', time: this.#now(), actorId: entry.id, event: mail, cause: this.#cause() });
    }
    if (this.#handling.length === 0) queueMicrotask(() => this.#settle());
    this.#handling.push({ entry, event, type });
  }

  /**
   * Mail is handled within the call that sends it, so all handling ends with the present task. What is still open then
   * was never answered with a snapshot: its actor crashed.
   */
  #settle(): void {
    const open = this.#handling;
    this.#handling = [];
    for (const { entry } of open) if (hasEnded(entry)) this.#end(entry);
  }

  #onSnapshot(entry: Entry, event: { readonly type: string }): void {
    this.#handling = this.#handling.filter(handling => handling.event !== event || handling.entry !== entry);
    const from = entry.state;
    const to = stateOf(entry);
    entry.state = to;
    const told = { time: this.#now(), actorId: entry.id, event: nameOf(event.type) };
    if (from.join() !== to.join()) this.#tell({ type: 'transition', ...told, from, to });
    this.#tell({ type: 'snapshot', ...told, state: to, context: reduce(entry.actor.getSnapshot().context) });
    if (hasEnded(entry)) this.#end(entry);
  }

  #end(entry: Entry): void {
    if (entry.unwatch === undefined) return;
    this.#forget(entry);
    const { status, error } = entry.actor.getSnapshot();
    this.#tell({
      type: 'ended',
      time: this.#now(),
      actorId: entry.id,
      state: stateOf(entry),
      outcome: status === 'active' ? 'stopped' : status,
      error: status === 'error' ? String(error) : undefined,
    });
  }

  #forget(entry: Entry): void {
    unwatch(entry);
    if (this.#entries.get(entry.id) === entry) this.#entries.delete(entry.id);
  }

  #cause(): Cause | undefined {
    const latest = this.#handling.at(-1);
    return latest === undefined ? undefined : { actorId: latest.entry.id, event: latest.type };
  }

  #tell(event: InspectEvent): void {
    for (const { subscriber } of this.#watchers) subscriber.next(event);
  }
}

function unwatch(entry: Entry): void {
  entry.unwatch?.();
  entry.unwatch = undefined;
}

function hasEnded(entry: Entry): boolean {
  return entry.actor.getSnapshot().status !== 'active';
}

function stateOf(entry: Entry): readonly string[] {
  return leavesOf(entry.actor.getSnapshot().value as StateValue);
}

/** XState's name for the event of an `after` is long; ours is the one that stands in the drawings. */
function nameOf(eventType: string): string {
  const delay = /^xstate\.after\.([^.]+)\./.exec(eventType);
  return delay === null ? eventType : `after ${delay[1]}`;
}

/** Paths of the innermost states of a state value. */
function leavesOf(value: StateValue, prefix = ''): string[] {
  if (typeof value === 'string') return [prefix + value];
  return Object.entries(value).flatMap(([name, inner]) =>
    inner === undefined || (typeof inner === 'object' && Object.keys(inner).length === 0)
      ? [prefix + name]
      : leavesOf(inner, `${prefix}${name}.`),
  );
}

function hashed(chart: Chart): { readonly hash: string; readonly chart: Chart } {
  return { hash: createHash('sha256').update(JSON.stringify(chart)).digest('hex').slice(0, 16), chart };
}
