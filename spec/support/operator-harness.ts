import { type Batch, type Row, rowsOf } from '../../lib/data/batch.ts';
import { keyGroupsDefault } from '../../lib/data/key-hash.ts';
import type { Operator, OperatorSnapshot, Outbox } from '../../lib/operators/operator.ts';

/**
 * One harness for every operator. An operator is run with the same script in every way in which an actor could run it:
 * whole batches, row by row, restored from a snapshot after each step, with an outbox that is full half the time, and
 * spread over two instances that exchange key groups after each step. Each must give what the caller's own computation
 * gave. A difference is an Error that names the way and the step.
 */
export type Step<In> =
  | { readonly kind: 'batch'; readonly input: In }
  | { readonly kind: 'watermark'; readonly at: number }
  /** End of the input: the watermark becomes Infinity. */
  | { readonly kind: 'end' };

export interface OperatorCase<In> {
  create(): Operator<In>;
  batchOf(input: In): Batch;
  /** The same input in pieces of one row, in order. */
  split(input: In): In[];
  /** The rows of an input whose key group is owned. For operators with keyed state; others cannot be spread. */
  restrict?(input: In, owns: (keyGroup: number) => boolean): In;
  /**
   * In what order the rows of one step have to come: exactly that of the expectation, or group by group (a window, say),
   * the rows of one group in any order.
   */
  readonly order: 'exact' | ((row: Row) => string);
}

/** Output rows of each step of a script. */
export type Expected = readonly (readonly Row[])[];

type Runner<In> = (of: OperatorCase<In>, script: readonly Step<In>[], expected: Expected) => Row[][];

const ways = {
  'whole batches': (of, script) => runOne(of, script, {}),
  'row by row': (of, script) => runOne(of, script, { rowByRow: true }),
  'restored after every step': (of, script) => runOne(of, script, { restore: 'fresh' }),
  'row by row, restored after every row': (of, script) => runOne(of, script, { rowByRow: true, restore: 'fresh' }),
  'restored over other state': (of, script) => runOne(of, script, { restore: 'used' }),
  'after snapshots that nobody uses': (of, script) => runOne(of, script, { restore: 'none' }),
  'outbox of one batch, full half the time': (of, script) => runOne(of, script, { tight: true }),
  'outbox of one batch, restored after every step': (of, script) =>
    runOne(of, script, { tight: true, restore: 'fresh' }),
  'two instances that exchange key groups': runSpread,
} as const satisfies Record<string, Runner<unknown>>;

/** Runs the script in every way and compares. */
export function checkOperator<In>(of: OperatorCase<In>, script: readonly Step<In>[], expected: Expected): void {
  const wanted = expected.map(rows => shownStep(rows, of.order));
  const inputs = script.flatMap(step => (step.kind === 'batch' ? [of.batchOf(step.input)] : []));
  const before = inputs.map(shownRows);
  for (const [way, run] of Object.entries(ways) as [string, Runner<In>][]) {
    if (way === 'two instances that exchange key groups' && of.restrict === undefined) continue;
    let got: Row[][];
    try {
      got = run(of, script, expected);
    } catch (thrown) {
      throw new Error(`${way}: ${(thrown as Error).message}`, { cause: thrown });
    }
    script.forEach((step, i) => {
      const shown = shownStep(got[i]!, of.order);
      if (shown !== wanted[i])
        throw new Error(`${way}: step ${i} (${step.kind}) gave\n${shown}\ninstead of\n${wanted[i]}`);
    });
    inputs.forEach((batch, i) => {
      if (shownRows(batch) !== before[i])
        throw new Error(`${way}: batch ${i} was changed, but it belongs to others too`);
    });
  }
}

interface Manner {
  readonly rowByRow?: boolean;
  readonly tight?: boolean;
  /** `none`: snapshots are taken, and thrown away. */
  readonly restore?: 'fresh' | 'used' | 'none';
}

function runOne<In>(of: OperatorCase<In>, script: readonly Step<In>[], manner: Manner): Row[][] {
  let operator = of.create();
  const outbox = new HarnessOutbox(manner.tight === true);
  const afterwards = (): void => {
    if (manner.restore === undefined) return;
    const snapshot = carried(operator.snapshot());
    if (manner.restore === 'none') return;
    operator = of.create();
    if (manner.restore === 'used') useUp(operator, script);
    operator.restore(snapshot);
  };
  const out = script.map(step => {
    if (step.kind !== 'batch') {
      drive(outbox, () => operator.onWatermark(watermarkOf(step), outbox));
      afterwards();
      return outbox.takeRows();
    }
    for (const input of manner.rowByRow === true ? of.split(step.input) : [step.input]) {
      drive(outbox, () => operator.onBatch(input, outbox));
      afterwards();
    }
    return outbox.takeRows();
  });
  outbox.checkUnchanged();
  return out;
}

/** Gives an operator state of its own, none of which may be left after a restore. */
function useUp<In>(operator: Operator<In>, script: readonly Step<In>[]): void {
  const nowhere = new HarnessOutbox(false);
  for (const step of script) {
    if (step.kind === 'batch') drive(nowhere, () => operator.onBatch(step.input, nowhere));
    if (step.kind === 'watermark') drive(nowhere, () => operator.onWatermark(step.at, nowhere));
  }
}

/** Who owns a key group, step by step: the ownership moves, so that key groups do. */
const divisions: readonly ((keyGroup: number) => boolean)[] = [
  keyGroup => keyGroup < keyGroupsDefault / 2,
  keyGroup => keyGroup % 2 === 0,
  keyGroup => keyGroup % 3 === 0,
  () => true,
];

function runSpread<In>(of: OperatorCase<In>, script: readonly Step<In>[], expected: Expected): Row[][] {
  const outboxes = [new HarnessOutbox(false), new HarnessOutbox(false)];
  let operators = outboxes.map(() => of.create());
  const out = script.map((step, i) => {
    const division = divisions[i % divisions.length]!;
    const next = divisions[(i + 1) % divisions.length]!;
    operators.forEach((operator, which) => {
      const outbox = outboxes[which]!;
      drive(outbox, () =>
        step.kind === 'batch'
          ? operator.onBatch(
              of.restrict!(step.input, keyGroup => division(keyGroup) === (which === 0)),
              outbox,
            )
          : operator.onWatermark(watermarkOf(step), outbox),
      );
    });
    const snapshots = operators.map(operator => carried(operator.snapshot()));
    const keyGroups = new Map<number, Uint8Array>();
    snapshots.forEach((snapshot, which) => {
      for (const [keyGroup, bytes] of snapshot.keyGroups) {
        if (division(keyGroup) !== (which === 0))
          throw new Error(`step ${i}: state of key group ${keyGroup} has strayed`);
        keyGroups.set(keyGroup, bytes);
      }
    });
    operators = outboxes.map((_, which) => {
      const operator = of.create();
      const owned = [...keyGroups].filter(([keyGroup]) => next(keyGroup) === (which === 0));
      operator.restore({ ...snapshots[0]!, keyGroups: new Map(owned) });
      return operator;
    });
    return mergedByGroup(
      outboxes.map(outbox => outbox.takeRows()),
      expected[i]!,
      of.order,
    );
  });
  for (const outbox of outboxes) outbox.checkUnchanged();
  return out;
}

/**
 * Rows of two instances as one output. Between the instances there is no order, so groups take that of the expectation;
 * within each it has to be that order.
 */
function mergedByGroup(
  parts: readonly Row[][],
  expected: readonly Row[],
  order: OperatorCase<unknown>['order'],
): Row[] {
  if (order === 'exact') return parts.flat();
  const ranks = new Map(runs(expected, order).map((run, rank) => [run.group, rank]));
  const rankOf = (row: Row): number => ranks.get(order(row)) ?? ranks.size;
  for (const rows of parts) {
    const early = rows.findIndex((row, i) => i > 0 && rankOf(row) < rankOf(rows[i - 1]!));
    if (early >= 0) throw new Error(`one of two instances emits ${show(rows[early]!)} too late`);
  }
  return parts.flat().sort((a, b) => rankOf(a) - rankOf(b));
}

function watermarkOf(step: { readonly kind: 'watermark'; readonly at: number } | { readonly kind: 'end' }): number {
  return step.kind === 'end' ? Number.POSITIVE_INFINITY : step.at;
}

/** A snapshot as it comes back from a store: meta through JSON, bytes in other memory and not aligned. */
function carried(snapshot: OperatorSnapshot): OperatorSnapshot {
  const keyGroups = new Map<number, Uint8Array>();
  for (const [keyGroup, bytes] of snapshot.keyGroups) {
    const file = new Uint8Array(bytes.length + 3);
    file.set(bytes, 3);
    keyGroups.set(keyGroup, file.subarray(3));
  }
  return { version: snapshot.version, meta: JSON.parse(JSON.stringify(snapshot.meta)), keyGroups };
}

const callsMax = 100_000;

function drive(outbox: HarnessOutbox, call: () => boolean): void {
  for (let calls = 0; calls < callsMax; calls++) {
    outbox.beforeCall();
    if (call()) return;
    if (!outbox.full) throw new Error('it returned false although the outbox is not full');
    outbox.drain();
  }
  throw new Error(`it did not finish in ${callsMax} calls`);
}

class HarnessOutbox implements Outbox {
  readonly #tight: boolean;
  #full = false;
  #calls = 0;
  #rows: Row[] = [];
  /** Every batch ever emitted, as it looked then. */
  #emitted: { readonly batch: Batch; readonly shown: string }[] = [];

  constructor(tight: boolean) {
    this.#tight = tight;
  }
  get full(): boolean {
    return this.#full;
  }
  emit(batch: Batch): void {
    if (this.#full) throw new Error('it emitted into a full outbox');
    if (batch.rows === 0) throw new Error('it emitted a batch without rows');
    if (batch.columns.length !== batch.schema.fields.length)
      throw new Error('it emitted a batch that is not its schema');
    this.#rows.push(...rowsOf(batch));
    this.#emitted.push({ batch, shown: shownRows(batch) });
    if (this.#tight) this.#full = true;
  }
  /** The outbox of an actor may be full already: here it is at every other call. */
  beforeCall(): void {
    this.#full = this.#tight && this.#calls++ % 2 === 0;
  }
  drain(): void {
    this.#full = false;
  }
  takeRows(): Row[] {
    const rows = this.#rows;
    this.#rows = [];
    return rows;
  }
  /** What was emitted belongs to whoever took it. */
  checkUnchanged(): void {
    for (const { batch, shown } of this.#emitted)
      if (shownRows(batch) !== shown) throw new Error('a batch changed after it was emitted');
  }
}

interface Run {
  readonly group: string;
  readonly rows: Row[];
}

/** Neighbours of one group. */
function runs(rows: readonly Row[], groupOf: (row: Row) => string): Run[] {
  const out: Run[] = [];
  for (const row of rows) {
    const group = groupOf(row);
    const last = out.at(-1);
    if (last?.group === group) last.rows.push(row);
    else out.push({ group, rows: [row] });
  }
  return out;
}

function shownStep(rows: readonly Row[], order: OperatorCase<unknown>['order']): string {
  if (order === 'exact') return rows.map(show).join('\n');
  return runs(rows, order)
    .map(run => run.rows.map(show).sort().join('\n'))
    .join('\n-\n');
}

function shownRows(batch: Batch): string {
  return rowsOf(batch).map(show).join('\n');
}

/** A row as text that tells apart what JSON does not: 1 and 1n, -0 and 0, NaN and null. */
export function show(row: Row): string {
  return Object.entries(row)
    .map(([name, value]) => {
      if (typeof value === 'bigint') return `${name}=${value}n`;
      if (typeof value === 'number') return `${name}=${Object.is(value, -0) ? '-0' : value}`;
      return `${name}=${JSON.stringify(value)}`;
    })
    .join(' ');
}
