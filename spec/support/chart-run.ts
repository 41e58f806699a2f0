import { type AnyStateMachine, createActor, type EventFromLogic, type InputFrom, type SnapshotFrom } from 'xstate';
import { ManualClock } from '../../lib/base/clock.ts';

/** A chart that runs with recorded effects on a clock that stands still. */
export interface ChartRun<M extends AnyStateMachine> {
  /** Innermost active states, joined by ` + `. */
  readonly state: string;
  readonly context: SnapshotFrom<M>['context'];
  readonly clock: ManualClock;
  /** Sends an event and returns the effects that it had, in order. */
  send(event: EventFromLogic<M>): readonly string[];
  /** Lets time pass and returns the effects that it had. */
  advance(ms: number): readonly string[];
  /** Effects of the start. */
  readonly begun: readonly string[];
  /** Every transition that was taken, as XState's own definitions. */
  readonly taken: ReadonlySet<object>;
}

/** Names of the effects that an actor has to provide: whatever is no built-in action (assign, raise). */
export function effectsOf(machine: AnyStateMachine): readonly string[] {
  return Object.entries(machine.implementations.actions)
    .filter(([, action]) => (action as { readonly type?: unknown }).type === undefined)
    .map(([name]) => name);
}

/** Starts a chart; or, with `from`, goes on in the middle of one (timers that were armed there are not armed again). */
export function runChart<M extends AnyStateMachine>(
  machine: M,
  input: InputFrom<M>,
  delays: Readonly<Record<string, number>>,
  from?: SnapshotFrom<M>,
): ChartRun<M> {
  let effects: string[] = [];
  const taken = new Set<object>();
  const clock = new ManualClock();
  const actions = Object.fromEntries(effectsOf(machine).map(name => [name, () => void effects.push(name)]));
  const provided = machine.provide({ actions, delays } as never);
  const actor = createActor(provided, {
    input,
    ...(from === undefined ? {} : { snapshot: provided.resolveState(from) }),
    clock: {
      setTimeout: (fn: () => void, ms: number) => clock.after(ms, fn),
      clearTimeout: (cancel: () => void) => cancel(),
    },
    inspect: (event: { readonly type: string }) => {
      if (event.type !== '@xstate.microstep') return;
      for (const definition of (event as unknown as { readonly _transitions: object[] })._transitions) {
        taken.add(definition);
      }
    },
  } as never);
  const take = () => {
    const done = effects;
    effects = [];
    return done;
  };
  actor.start();
  const begun = take();
  return {
    begun,
    taken,
    clock,
    get state() {
      return leavesOf(actor.getSnapshot().value as Value).join(' + ');
    },
    get context() {
      return actor.getSnapshot().context as SnapshotFrom<M>['context'];
    },
    send(event) {
      actor.send(event as never);
      return take();
    },
    advance(ms) {
      clock.advance(ms);
      return take();
    },
  };
}

type Value = string | { readonly [state: string]: Value };

export function leavesOf(value: Value, prefix = ''): string[] {
  if (typeof value === 'string') return [prefix + value];
  return Object.entries(value).flatMap(([name, inner]) => leavesOf(inner, `${prefix}${name}.`));
}
