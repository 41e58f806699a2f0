import * as assert from 'uvu/assert';
import { assign, setup } from 'xstate';
import { drawMermaid } from '../../lib/inspect/mermaid.ts';
import { readChart } from '../../lib/inspect/read-chart.ts';
import { charts } from '../../state-machines/index.ts';
import { suite } from '../support/suite.ts';

const kitchen = setup({
  types: {} as { context: { count: number } },
  actions: { ring: () => {}, light: () => {}, count: assign({ count: ({ context }) => context.count + 1 }) },
  guards: { isHot: () => true },
  delays: { patience: 10 },
}).createMachine({
  id: 'kitchen',
  context: { count: 0 },
  initial: 'cold',
  on: { 'cook.leave': '.left' },
  states: {
    cold: {
      entry: ['count', 'light'],
      on: { 'pan.put': [{ guard: 'isHot', target: 'cooking' }, { actions: ['count', 'ring'] }] },
      after: { patience: 'left' },
    },
    cooking: {
      type: 'parallel',
      exit: 'ring',
      always: { guard: 'isHot', target: 'left' },
      states: {
        pan: { initial: 'empty', states: { empty: { on: { 'egg.broken': 'full' } }, full: {} } },
        fire: { initial: 'low', states: { low: { on: { 'knob.turned': '#kitchen.cold' } } } },
      },
    },
    left: { type: 'final' },
  },
});

const test = suite('mermaid drawings');

test('draws nesting, regions, guards, effects, delays, eventless moves, begins and ends', () => {
  assert.is(
    drawMermaid(readChart(kitchen)),
    `stateDiagram-v2
  [*] --> cold
  state "any state" as any
  state "cold" as cold
  cold : entry / light
  cold : pan.put / ring
  state "cooking" as cooking {
    state "all of cooking" as cooking_any
    cooking_any : exit / ring
    --
    state "pan" as cooking_pan {
      [*] --> cooking_pan_empty
      state "empty" as cooking_pan_empty
      state "full" as cooking_pan_full
      cooking_pan_empty --> cooking_pan_full : egg.broken
    }
    --
    state "fire" as cooking_fire {
      [*] --> cooking_fire_low
      state "low" as cooking_fire_low
    }
  }
  state "left" as left
  any --> left : cook.leave
  cold --> cooking : pan.put [isHot]
  cold --> left : after patience
  cooking --> left : [isHot]
  cooking_fire_low --> cold : knob.turned
  left --> [*]
`,
  );
});

/** Every line of a drawing has one of these forms, which Mermaid's grammar of state diagrams takes. */
const forms = [
  /^stateDiagram-v2$/,
  /^ +state "[\w ]+" as \w+( \{)?$/,
  /^ +\}$/,
  /^ +--$/,
  /^ +\w+ : [^:;\n]+$/,
  /^ +(\[\*\]|\w+) --> (\[\*\]|\w+)( : [^:;\n]+)?$/,
];
/** Words that Mermaid would not take for the id of a state. */
const reserved = new Set(['state', 'note', 'end', 'class', 'direction', 'default', 'style', 'click', 'hide']);

for (const [name, machine] of Object.entries(charts)) {
  test(`${name}: keeps to the grammar, declares each state once, and draws every state and every move`, () => {
    const chart = readChart(machine);
    const text = drawMermaid(chart);
    const lines = text.trimEnd().split('\n');
    for (const line of lines)
      assert.ok(
        forms.some(form => form.test(line)),
        `not of a known form: ${line}`,
      );
    assert.is(lines.filter(line => line.endsWith('{')).length, lines.filter(line => line.endsWith('}')).length);

    const declared = lines.flatMap(line => / as (\w+)/.exec(line)?.[1] ?? []);
    assert.is(new Set(declared).size, declared.length);
    for (const id of declared) assert.not.ok(reserved.has(id), id);
    for (const { path } of chart.states.slice(1)) assert.ok(declared.includes(path.replaceAll('.', '_')), path);
    for (const line of lines) {
      const ends = / *(\[\*\]|\w+) --> (\[\*\]|\w+)/.exec(line)?.slice(1) ?? [];
      for (const end of ends) assert.ok(end === '[*]' || declared.includes(end), `${end} is not declared`);
    }
    for (const { event, after, guard, actions } of chart.transitions) {
      for (const word of [event, after, guard, ...actions]) {
        if (word !== undefined) assert.ok(text.includes(word), `${word} is not drawn`);
      }
    }
  });
}

test.run();
