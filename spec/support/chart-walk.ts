import type { AnyStateMachine, AnyStateNode, EventFromLogic, InputFrom, SnapshotFrom } from 'xstate';
import { getShortestPaths } from 'xstate/graph';
import { readChart } from '../../lib/inspect/read-chart.ts';
import { runChart } from './chart-run.ts';

export interface Walk<M extends AnyStateMachine> {
  readonly machine: M;
  /** Each is walked; together they must reach and take everything. */
  readonly inputs: readonly InputFrom<M>[];
  readonly delays: Readonly<Record<string, number>>;
  /** Events worth sending in a state, besides the timers of its `after`, which are added. */
  readonly events: (snapshot: SnapshotFrom<M>) => readonly EventFromLogic<M>[];
  /** The part of the context that decides what is legal in a state; without counters, else the walk has no end. */
  readonly facts: (context: SnapshotFrom<M>['context'], state: SnapshotFrom<M>['value']) => unknown;
}

/** One step of the walk: the chart was in `before`, heard `event`, had `effects`, and is in `after`. */
export interface Step {
  /** Events that led to `before`. */
  readonly way: readonly string[];
  readonly before: string;
  readonly event: string;
  readonly effects: readonly string[];
  readonly after: string;
}

/**
 * Walks a chart: finds the shortest path to every combination of state and facts (`xstate/graph`), and from the end of
 * each sends every event, to an actor, with recorded effects. Fails where a state is never reached or a transition is
 * never taken, so that nothing in a chart is dead. Returns all steps, for laws to be checked on.
 */
export function walkChart<M extends AnyStateMachine>(walk: Walk<M>): readonly Step[] {
  const provided = walk.machine.provide({ delays: walk.delays } as never);
  const eventsOf = (snapshot: SnapshotFrom<M>) => [...walk.events(snapshot), ...timersOf<M>(snapshot)];
  const steps: Step[] = [];
  const taken = new Set<string>();
  const reached = new Set<string>();
  for (const input of walk.inputs) {
    const paths = getShortestPaths(provided as AnyStateMachine, {
      input,
      events: eventsOf as never,
      serializeState: snapshot => JSON.stringify([snapshot.value, walk.facts(snapshot.context, snapshot.value)]),
    });
    for (const path of paths) {
      const snapshot = path.state as SnapshotFrom<M>;
      for (const event of eventsOf(snapshot)) {
        const run = runChart(walk.machine, input, walk.delays, snapshot);
        const before = run.state;
        const effects = run.send(event);
        const way = path.steps.map(({ event: { type } }) => type).filter(type => type !== 'xstate.init');
        steps.push({ way, before, event: event.type, effects, after: run.state });
        for (const definition of run.taken) taken.add(keyOf(definition as Definition));
        for (const leaf of [...before.split(' + '), ...run.state.split(' + ')]) reached.add(leaf);
      }
    }
  }
  const leaves = readChart(walk.machine).states.filter(({ type }) => type === 'atomic' || type === 'final');
  demandNone(
    'states never reached',
    leaves.map(({ path }) => path).filter(path => !reached.has(path)),
  );
  demandNone(
    'transitions never taken',
    definitionsOf(walk.machine.root)
      .map(keyOf)
      .filter(key => !taken.has(key)),
  );
  return steps;
}

function demandNone(what: string, missing: readonly string[]): void {
  if (missing.length > 0) throw new Error(`${what}:\n${missing.join('\n')}`);
}

type Definition = {
  readonly source: AnyStateNode;
  readonly eventType: string;
  readonly guard?: unknown;
  readonly target: readonly AnyStateNode[] | undefined;
};

function keyOf({ source, eventType, guard, target }: Definition): string {
  const to = target?.map(({ id }) => id).join() ?? 'stays';
  return `${source.id} -- ${eventType} [${String(guard ?? '')}] --> ${to}`;
}

function definitionsOf(node: AnyStateNode): Definition[] {
  const own = [...node.transitions.values()].flat().concat(node.always ?? []);
  return [...(own as Definition[]), ...Object.values(node.states).flatMap(definitionsOf)];
}

function timersOf<M extends AnyStateMachine>(snapshot: SnapshotFrom<M>): EventFromLogic<M>[] {
  const nodes = (snapshot as unknown as { readonly _nodes: readonly AnyStateNode[] })._nodes;
  return nodes.flatMap(node => node.after.map(({ eventType }) => ({ type: eventType }) as EventFromLogic<M>));
}
