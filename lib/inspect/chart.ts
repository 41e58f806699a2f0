/**
 * A chart as plain data: what a drawing, a console or a debugger needs, without any type of XState. Survives JSON.
 * States are named by their path from the root, joined by dots; the root itself is the empty string.
 */
export interface Chart {
  readonly name: string;
  readonly states: readonly ChartState[];
  readonly transitions: readonly ChartTransition[];
}

export interface ChartState {
  readonly path: string;
  readonly name: string;
  /** Path of the enclosing state; undefined for the root. */
  readonly parent: string | undefined;
  readonly type: 'atomic' | 'compound' | 'parallel' | 'final' | 'history';
  /** Path of the state that a compound state begins in. */
  readonly initial: string | undefined;
  /** Effects, in order. */
  readonly entry: readonly string[];
  readonly exit: readonly string[];
}

export interface ChartTransition {
  readonly from: string;
  /** Undefined where the chart stays where it is and only its context or its effects change. */
  readonly to: string | undefined;
  /** An event type; or a delay; or neither, where only the guard decides. */
  readonly event: string | undefined;
  readonly after: string | undefined;
  readonly guard: string | undefined;
  /** Effects and timers, in order. */
  readonly actions: readonly string[];
}
