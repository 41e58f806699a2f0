import { type Actor, type AnyStateMachine, createActor, type InputFrom } from 'xstate';
import type { Clock } from '../lib/base/clock.ts';
import { BraidError, type BraidErrorCode, errorCodes } from '../lib/base/errors.ts';
import type { Failure } from '../state-machines/failure.ts';

/** What an actor needs besides its own ports: the clock that its chart's delays run on, and the tap that may look at it. */
export interface ActorSystemPorts {
  readonly clock: Clock;
  /** Told of every actor when it is made; looking at it costs nothing until somebody subscribes. */
  readonly register: (id: string, kind: string, actor: Actor<AnyStateMachine>) => void;
  /**
   * An effect of an actor's chart threw, which is a defect: the actor is dead. Unheard it would be an uncaught exception
   * of the whole process.
   */
  readonly onCrash: (id: string, thrown: unknown) => void;
}

/** XState's timers on our clock, so that a spec drives a chart's delays as it drives everything else. */
function xstateClock(clock: Clock): {
  setTimeout(fn: (...args: unknown[]) => void, ms: number): unknown;
  clearTimeout(id: unknown): void;
} {
  return {
    setTimeout: (fn, ms) => clock.after(ms, fn),
    clearTimeout: id => (id as (() => void) | undefined)?.(),
  };
}

/** Makes the actor that runs `machine`, registers it, and leaves it to the caller to start it once it listens. */
export function chartActor<M extends AnyStateMachine>(
  machine: M,
  id: string,
  input: InputFrom<M>,
  ports: ActorSystemPorts,
): Actor<M> {
  const actor = createActor(machine, { id, input, clock: xstateClock(ports.clock) } as never) as Actor<M>;
  actor.subscribe({ error: thrown => ports.onCrash(id, thrown) });
  ports.register(id, machine.id, actor as never);
  return actor;
}

/** Calls `next` with each snapshot. That the actor crashed is told by its ports, so that here it is no news. */
export function follow<M extends AnyStateMachine>(
  actor: Actor<M>,
  next: (snapshot: ReturnType<Actor<M>['getSnapshot']>) => void,
): void {
  actor.subscribe({ next: snapshot => next(snapshot as ReturnType<Actor<M>['getSnapshot']>), error: () => {} });
}

/** The failure that a chart keeps in its context, as an error again. `otherwise`: where the chart has none. */
export function errorOf(failure: Failure | null, otherwise: BraidErrorCode, hint?: string): BraidError {
  if (failure === null) return new BraidError(otherwise, 'it failed without a reason', { hint });
  const { code, message, place } = failure;
  return new BraidError(code in errorCodes ? (code as BraidErrorCode) : otherwise, message, { place, hint });
}
