import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { type AnyStateMachine, createActor, setup } from 'xstate';
import { readChart } from '../../lib/inspect/read-chart.ts';
import { charts } from '../../state-machines/index.ts';
import { effectsOf, runChart } from '../support/chart-run.ts';
import { walkChart } from '../support/chart-walk.ts';
import { drawings, drawingsFolder, drawingsPresent } from '../support/drawings.ts';
import { suite } from '../support/suite.ts';

const root = join(import.meta.dirname, '..', '..');
const all: readonly [string, AnyStateMachine][] = Object.entries(charts);

/** Every name that a chart's literal mentions, by the kind of thing that it names. */
function mentionsOf(config: unknown): Record<'actions' | 'guards' | 'delays', Set<string>> {
  const found = { actions: new Set<string>(), guards: new Set<string>(), delays: new Set<string>() };
  const names = (value: unknown) => [value].flat().filter((name): name is string => typeof name === 'string');
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) for (const item of value) visit(item);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
    for (const [key, field] of Object.entries(value)) {
      if (key === 'entry' || key === 'exit' || key === 'actions')
        for (const name of names(field)) found.actions.add(name);
      else if (key === 'guard') for (const name of names(field)) found.guards.add(name);
      else if (key === 'after') for (const name of Object.keys(field as object)) found.delays.add(name);
      visit(field);
    }
  };
  visit(config);
  return found;
}

const test = suite('charts');

test('every chart file is in the registry under its own name, and has a spec', () => {
  const files = readdirSync(join(root, 'state-machines'))
    .filter(file => file.endsWith('.ts'))
    .filter(file => readFileSync(join(root, 'state-machines', file), 'utf8').includes('.createMachine('));
  const named = all.map(([name]) => `${name.replaceAll(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}.ts`);
  assert.equal(named.sort(), files.sort());
  for (const [name, machine] of all) assert.is(machine.id, name);
  for (const file of files) {
    assert.ok(existsSync(join(root, 'spec', 'state-machines', file.replace('.ts', '.spec.ts'))), `${file} has no spec`);
  }
});

test('every drawing is up to date: `npm run charts`', () => {
  const wanted = drawings();
  assert.equal(drawingsPresent(), [...wanted.keys()].sort());
  for (const [file, text] of wanted) assert.is(readFileSync(join(drawingsFolder, file), 'utf8'), text, file);
});

for (const [name, machine] of all) {
  test(`${name}: a literal of plain data, apart from the making of its context`, () => {
    const { context, schemas, ...literal } = machine.config as Record<string, unknown>;
    assert.is(schemas, undefined);
    assert.type(context, 'function');
    assert.equal(JSON.parse(JSON.stringify(literal)), literal);
  });

  test(`${name}: states are camelCase, at most three levels deep; events are noun.verb`, () => {
    const chart = readChart(machine);
    assert.is(JSON.stringify(JSON.parse(JSON.stringify(chart))), JSON.stringify(chart));
    for (const { path, name } of chart.states.slice(1)) {
      assert.match(name, /^[a-z][a-zA-Z]*$/);
      assert.ok(path.split('.').length <= 3, path);
    }
    for (const { event } of chart.transitions) if (event !== undefined) assert.match(event, /^[a-z]+\.[a-z]+$/);
  });

  test(`${name}: names what it has and has what it names`, () => {
    const mentioned = mentionsOf(machine.config);
    const { actions, guards, delays } = machine.implementations;
    // Delays of timers that an action starts are mentioned by the action, not by the literal.
    for (const action of Object.values(actions)) {
      const { delay } = action as { readonly delay?: unknown };
      if (typeof delay === 'string') mentioned.delays.add(delay);
    }
    assert.equal([...mentioned.actions].sort(), Object.keys(actions).sort());
    assert.equal([...mentioned.guards].sort(), Object.keys(guards).sort());
    assert.equal([...mentioned.delays].sort(), Object.keys(delays).sort());
  });

  test(`${name}: effects and delays throw until an actor provides them`, () => {
    assert.ok(effectsOf(machine).length > 0);
    const { actions, delays } = machine.implementations;
    for (const effect of effectsOf(machine)) {
      const stub = actions[effect] as () => unknown;
      assert.throws(() => stub(), new RegExp(`^not implemented: ${name}\\.${effect}$`));
    }
    for (const [delay, stub] of Object.entries(delays)) {
      assert.throws(() => (stub as () => unknown)(), new RegExp(`^not implemented: ${name}\\.${delay}$`));
    }
  });
}

test('an actor that forgot an effect stops with an error that names it', () => {
  const actor = createActor(charts.connection, { input: { cluster: 'east' } });
  const errors: unknown[] = [];
  actor.subscribe({ error: error => errors.push(error) });
  actor.start();
  assert.is(actor.getSnapshot().status, 'error');
  assert.match(String(errors[0]), 'not implemented: connection.resolveBrokers');
});

test('an actor that forgot a delay stops with an error that names it', () => {
  const actions = Object.fromEntries(effectsOf(charts.connection).map(effect => [effect, () => {}]));
  const actor = createActor(charts.connection.provide({ actions }), { input: { cluster: 'east' } });
  const errors: unknown[] = [];
  actor.subscribe({ error: error => errors.push(error) });
  actor.start();
  actor.send({ type: 'brokers.resolved', brokers: [] });
  assert.match(String(errors[0]), 'not implemented: connection.connectTimeout');
});

test('a context survives JSON', () => {
  const run = runChart(charts.job, { job: 'delays', clusters: ['east'] }, { startLimit: 1, drainLimit: 1 });
  run.send({ type: 'cluster.lost', cluster: 'east', reason: 'down' });
  const failure = Object.assign(new Error('bug'), { code: 'ASSERTION', place: 'sink' });
  run.send({ type: 'part.failed', part: 'sink', failure });
  assert.equal(JSON.parse(JSON.stringify(run.context)), run.context);
  assert.equal(run.context.failure, { code: 'ASSERTION', message: 'bug', place: 'sink' });
});

test('the walk finds a state that is never reached and a transition that is never taken', () => {
  const walk = (machine: AnyStateMachine) =>
    walkChart({
      machine,
      inputs: [undefined],
      delays: {},
      facts: () => null,
      events: () => [{ type: 'door.open' }],
    });
  const chart = setup({ guards: { never: () => false } });
  const unreached = chart.createMachine({
    id: 'door',
    initial: 'shut',
    states: { shut: { on: { 'door.open': 'open' } }, open: {}, broken: {} },
  });
  assert.throws(() => walk(unreached), /states never reached/);
  const untaken = chart.createMachine({
    id: 'door',
    initial: 'shut',
    states: { shut: { on: { 'door.open': [{ guard: 'never', target: 'open' }, { target: 'open' }] } }, open: {} },
  });
  assert.throws(() => walk(untaken), /transitions never taken/);
});

test.run();
