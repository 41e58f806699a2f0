import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ChartState } from '../../lib/inspect/chart.ts';
import { drawMermaid } from '../../lib/inspect/mermaid.ts';
import { readChart } from '../../lib/inspect/read-chart.ts';
import { charts } from '../../state-machines/index.ts';

export const drawingsFolder = join(import.meta.dirname, '..', '..', 'state-machines', 'drawings');

/** What `state-machines/drawings` must hold: file name -> text. */
export function drawings(): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(charts).map(([name, machine]) => {
      const file = name.replaceAll(/[A-Z]/g, letter => `-${letter.toLowerCase()}`);
      return [`${file}.md`, page(file, readChart(machine), Object.keys(machine.implementations.delays).sort())];
    }),
  );
}

/** Names of the drawings that are checked in. */
export function drawingsPresent(): readonly string[] {
  return readdirSync(drawingsFolder).sort();
}

function page(file: string, chart: ReturnType<typeof readChart>, delays: readonly string[]): string {
  const events = new Set(chart.transitions.flatMap(({ event }) => event ?? []));
  const effects = new Set(
    [...chart.transitions.flatMap(({ actions }) => actions), ...chart.states.flatMap(effectsOf)].filter(
      effect => !effect.includes('('),
    ),
  );
  return `# ${chart.name}

Drawn from [${file}.ts](../${file}.ts) by \`npm run charts\`. On an arrow: event [guard] / effects; a guard alone needs no
event. In a box: what happens without leaving the state. Changes of the context are not drawn.

\`\`\`mermaid
${drawMermaid(chart)}\`\`\`

- Events: ${list(events)}.
- Effects that the actor provides: ${list(effects)}.
- Delays that the actor provides: ${delays.length === 0 ? 'none' : list(delays)}.
`;
}

function effectsOf(state: ChartState): readonly string[] {
  return [...state.entry, ...state.exit];
}

function list(names: Iterable<string>): string {
  return [...names].sort().join(', ');
}
