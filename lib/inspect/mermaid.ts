import type { Chart, ChartState, ChartTransition } from './chart.ts';

/**
 * Draws a chart as a Mermaid `stateDiagram-v2`, which GitHub shows. Deterministic: the same chart gives the same text.
 *
 * Notation: `event [guard] / effects` on an arrow, `after delay` for a timer, a guard alone where no event is needed;
 * what happens without leaving a state stands in its box. `any state` is the border of the whole chart. Only syntax
 * that Mermaid has had since version 8 is used.
 */
export function drawMermaid(chart: Chart): string {
  const lines = ['stateDiagram-v2'];
  new Drawing(chart, lines).draw();
  return `${lines.join('\n')}\n`;
}

class Drawing {
  readonly #lines: string[];
  readonly #byPath: ReadonlyMap<string, ChartState>;
  readonly #chart: Chart;

  constructor(chart: Chart, lines: string[]) {
    this.#chart = chart;
    this.#lines = lines;
    this.#byPath = new Map(chart.states.map(state => [state.path, state]));
  }

  draw(): void {
    this.#inside(this.#state(''), '  ');
  }

  /** Everything within the border of a state: its begin, its children, the arrows between them. */
  #inside(state: ChartState, indent: string): void {
    if (state.initial !== undefined) this.#lines.push(`${indent}[*] --> ${idOf(state.initial)}`);
    const regions = state.type === 'parallel';
    const common = this.#commonBox(state, indent);
    const children = this.#chart.states.filter(child => child.parent === state.path);
    children.forEach((child, at) => {
      if (regions && (at > 0 || common)) this.#lines.push(`${indent}--`);
      this.#box(child, indent);
    });
    this.#arrows(state, indent);
    for (const child of children) {
      if (child.type === 'final') this.#lines.push(`${indent}${idOf(child.path)} --> [*]`);
    }
  }

  #box(state: ChartState, indent: string): void {
    const open = `${indent}state "${state.name}" as ${idOf(state.path)}`;
    if (state.type === 'compound' || state.type === 'parallel') {
      this.#lines.push(`${open} {`);
      this.#inside(state, `${indent}  `);
      this.#lines.push(`${indent}}`);
      return;
    }
    this.#lines.push(open);
    for (const text of this.#staying(state)) this.#lines.push(`${indent}${idOf(state.path)} : ${text}`);
  }

  /** What a composite state does wherever it is inside: it has no box of its own to write that in. */
  #commonBox(state: ChartState, indent: string): boolean {
    const texts = this.#staying(state);
    const leaves = state.path === '' && this.#chart.transitions.some(({ from, to }) => from === '' && to !== undefined);
    if (texts.length === 0 && !leaves) return false;
    const id = commonId(state);
    this.#lines.push(`${indent}state "${state.path === '' ? 'any state' : `all of ${state.name}`}" as ${id}`);
    for (const text of texts) this.#lines.push(`${indent}${id} : ${text}`);
    return true;
  }

  #staying(state: ChartState): string[] {
    const texts: string[] = [];
    if (state.entry.length > 0) texts.push(`entry / ${state.entry.join(', ')}`);
    for (const transition of this.#chart.transitions) {
      if (transition.from === state.path && transition.to === undefined) texts.push(labelOf(transition));
    }
    if (state.exit.length > 0) texts.push(`exit / ${state.exit.join(', ')}`);
    return texts;
  }

  /** Arrows that are drawn within `scope`: the innermost state that holds both ends. One arrow for each pair. */
  #arrows(scope: ChartState, indent: string): void {
    const labels = new Map<string, string[]>();
    for (const transition of this.#chart.transitions) {
      if (transition.to === undefined || this.#scopeOf(transition.from, transition.to) !== scope.path) continue;
      const from = transition.from === scope.path ? commonId(scope) : idOf(transition.from);
      const arrow = `${from} --> ${idOf(transition.to)}`;
      labels.set(arrow, [...(labels.get(arrow) ?? []), labelOf(transition)]);
    }
    for (const [arrow, texts] of labels) this.#lines.push(`${indent}${arrow} : ${texts.join('<br/>')}`);
  }

  #scopeOf(from: string, to: string): string {
    if (to.startsWith(`${from}.`) || from === '') return from;
    for (let scope = this.#state(from).parent ?? ''; ; scope = this.#state(scope).parent ?? '') {
      if (scope === '' || to.startsWith(`${scope}.`)) return scope;
    }
  }

  #state(path: string): ChartState {
    const state = this.#byPath.get(path);
    if (state === undefined) throw new Error(`chart ${this.#chart.name} has no state "${path}"`);
    return state;
  }
}

/** Mermaid's ids are words and live in one name space, so a nested state is named by its whole path. */
function idOf(path: string): string {
  return path.replaceAll('.', '_');
}

function commonId(state: ChartState): string {
  return state.path === '' ? 'any' : `${idOf(state.path)}_any`;
}

/** `event [guard] / effects`. Colons and semicolons would end a label, and no name has one. */
function labelOf(transition: ChartTransition): string {
  const when = transition.event ?? (transition.after === undefined ? '' : `after ${transition.after}`);
  const guard = transition.guard === undefined ? '' : `[${transition.guard}]`;
  const actions = transition.actions.length === 0 ? '' : `/ ${transition.actions.join(', ')}`;
  return [when, guard, actions].filter(part => part !== '').join(' ');
}
