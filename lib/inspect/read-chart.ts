import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate';
import type { Chart, ChartState, ChartTransition } from './chart.ts';

/**
 * Reads a chart off a machine by walking `machine.root`. (`toDirectedGraph` of `xstate/graph` leaves out transitions
 * without an event.) Actions that only write the context are left out: they are the chart's own affair.
 */
export function readChart(machine: AnyStateMachine): Chart {
  const states: ChartState[] = [];
  const transitions: ChartTransition[] = [];
  const effects = (actions: readonly unknown[]) =>
    actions.filter(action => !isTimerOfAfter(action)).flatMap(action => effectOf(machine, nameOf(action)));

  const walk = (node: AnyStateNode): void => {
    const path = pathOf(node);
    states.push({
      path,
      name: node.key,
      parent: node.parent === undefined ? undefined : pathOf(node.parent),
      type: node.type,
      initial: node.type === 'compound' ? pathOf(node.initial.target[0] as AnyStateNode) : undefined,
      entry: effects(node.entry),
      exit: effects(node.exit),
    });
    const add = (definition: AnyTransitionDefinition, event: string | undefined, after: string | undefined): void => {
      const [target] = definition.target ?? [];
      transitions.push({
        from: path,
        to: target === undefined ? undefined : pathOf(target as AnyStateNode),
        event,
        after,
        guard: definition.guard === undefined ? undefined : nameOf(definition.guard),
        actions: effects(definition.actions),
      });
    };
    const delays = new Map(node.after.map(({ eventType, delay }) => [eventType as string, String(delay)]));
    for (const [eventType, definitions] of node.transitions) {
      const after = delays.get(eventType);
      for (const definition of definitions) add(definition, after === undefined ? eventType : undefined, after);
    }
    for (const definition of node.always ?? []) add(definition, undefined, undefined);
    for (const child of Object.values(node.states)) walk(child as AnyStateNode);
  };
  walk(machine.root);
  return { name: machine.id, states, transitions };
}

function pathOf(node: AnyStateNode): string {
  return node.path.join('.');
}

/** Actions and guards of a chart are names; anything else could not be drawn, and style forbids it. */
function nameOf(reference: unknown): string {
  if (typeof reference === 'string') return reference;
  if (typeof reference === 'object' && reference !== null && 'type' in reference) return String(reference.type);
  return '(unnamed)';
}

/** XState turns each `after` into an entry action that arms a timer and an exit action that disarms it. */
function isTimerOfAfter(action: unknown): boolean {
  return typeof action === 'function' && 'type' in action && /^xstate\.(raise|cancel)$/.test(String(action.type));
}

/** An effect by its name, a timer with its delay, nothing where only the context is written. */
function effectOf(machine: AnyStateMachine, name: string): string[] {
  const implementation = machine.implementations.actions[name] as
    | { readonly type?: unknown; readonly delay?: unknown }
    | undefined;
  if (implementation?.type === 'xstate.assign') return [];
  return [implementation?.delay === undefined ? name : `${name} (${String(implementation.delay)})`];
}
