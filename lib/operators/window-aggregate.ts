import { assert, BraidError } from '../base/errors.ts';
import type { Batch } from '../data/batch.ts';
import type { Column } from '../data/column.ts';
import { formatType } from '../data/data-type.ts';
import type { CompiledFragment, Fragment } from '../kernels/fragment.ts';
import { gather, type Piece } from '../state/gather.ts';
import { type GroupLayout, partialColumns } from '../state/group-table.ts';
import type { StateColumn } from '../state/state-column.ts';
import { WindowedGroups } from '../state/windowed-groups.ts';
import type { Operator, OperatorSnapshot, Outbox, PartialInput } from './operator.ts';
import { operatorError } from './operator-error.ts';
import { rowsByWindow } from './rows-by-window.ts';
import type { WindowAggregateSpec } from './window-aggregate-spec.ts';

/** Whether nothing more is taken for the window from `start` (ms) on: its last millisecond lies behind the watermark. */
export function windowClosed(start: number, sizeMs: number, watermark: number): boolean {
  return start + sizeMs - 1 <= watermark;
}

export interface WindowAggregate extends Operator<PartialInput> {
  /** Event time (ms) up to which windows were closed. */
  readonly watermark: number;
  readonly openWindows: number;
  /** Keys in open windows, counted once a window. */
  readonly groups: number;
  /** Memory of the state. */
  readonly stateBytes: number;
  /** Partials that came after their window had closed, and were left out. */
  readonly latePartials: number;
}

/** Output batches are about this long: several small windows share one, a large one takes many. */
const outputRowsMaxDefault = 4096;

const snapshotVersion = 1;

/**
 * Global phase of the tumbling window aggregate: merges partials into one table per open window, and emits a window once
 * the watermark has passed its end: windows in order of their start, the groups of one in no order. A window is emitted
 * once; partials that come after it are late, counted and left out.
 *
 * `compile` turns `spec.finish` into what makes results out of groups.
 */
export function createWindowAggregate(
  spec: WindowAggregateSpec,
  compile: (fragment: Fragment) => CompiledFragment,
  outputRowsMax = outputRowsMaxDefault,
): WindowAggregate {
  return new TumblingAggregate(spec, compile(spec.finish), outputRowsMax);
}

class TumblingAggregate implements WindowAggregate {
  readonly #spec: WindowAggregateSpec;
  readonly #finish: CompiledFragment;
  readonly #outputRowsMax: number;
  readonly #layout: GroupLayout;
  readonly #state: WindowedGroups;
  #watermark = Number.NEGATIVE_INFINITY;
  #latePartials = 0;
  /** Windows that have closed and were not emitted to their end, in order. Empty unless the outbox is full. */
  #closing: number[] = [];
  /** Groups of the first of them that were emitted. */
  #emitted = 0;

  constructor(spec: WindowAggregateSpec, finish: CompiledFragment, outputRowsMax: number) {
    assert(spec.partials.fields.length === 1 + spec.keys + spec.accumulators.length, 'a schema that fits the partials');
    this.#spec = spec;
    this.#finish = finish;
    this.#outputRowsMax = outputRowsMax;
    const keys = spec.partials.fields.slice(1, 1 + spec.keys).map(field => field.type);
    this.#layout = { keys, accumulators: spec.accumulators };
    this.#state = new WindowedGroups(this.#layout);
  }

  get watermark(): number {
    return this.#watermark;
  }
  get openWindows(): number {
    return this.#state.windows;
  }
  get groups(): number {
    return this.#state.groups;
  }
  get stateBytes(): number {
    return this.#state.bytes;
  }
  get latePartials(): number {
    return this.#latePartials;
  }

  onBatch({ batch, hashes }: PartialInput): boolean {
    if (batch.rows === 0) return true;
    const [windowStarts, ...columns] = batch.columns;
    assert(hashes !== undefined && windowStarts?.kind === 'timestamp', 'partials come with hashes and window starts');
    const partials = partialColumns(this.#layout, columns, hashes, batch.rows);
    const { rows, windows } = rowsByWindow(windowStarts.values, batch.rows, this.#spec.window.sizeMs);
    for (const { start, from, to } of windows) {
      if (this.#closed(start)) this.#latePartials += to - from;
      else this.#state.table(start).merge(partials, rows, from, to);
    }
    return true;
  }

  onWatermark(watermark: number, outbox: Outbox): boolean {
    if (watermark > this.#watermark) {
      this.#watermark = watermark;
      this.#closing = this.#state.starts(start => this.#closed(start));
    }
    while (this.#closing.length > 0) {
      if (outbox.full) return false;
      const batch = this.#finishNext();
      if (batch.rows > 0) outbox.emit(batch);
    }
    return true;
  }

  #closed(start: number): boolean {
    return windowClosed(start, this.#spec.window.sizeMs, this.#watermark);
  }

  /** Results of the next groups of the windows that are closing, whole windows as long as they fit. */
  #finishNext(): Batch {
    const chunk: { start: number; views: readonly StateColumn[]; from: number; to: number }[] = [];
    const done: number[] = [];
    let rows = 0;
    for (const start of this.#closing) {
      const table = this.#state.table(start);
      const from = this.#emitted;
      const to = Math.min(table.groups, from + this.#outputRowsMax - rows);
      chunk.push({ start, views: table.views(), from, to });
      rows += to - from;
      if (to === table.groups) {
        done.push(start);
        this.#emitted = 0;
      } else this.#emitted = to;
      if (rows === this.#outputRowsMax) break;
    }
    const starts = new Float64Array(rows);
    let at = 0;
    for (const { start, from, to } of chunk) {
      starts.fill(start, at, at + to - from);
      at += to - from;
    }
    const columns: Column[] = [{ kind: 'timestamp', values: starts, validity: undefined }];
    for (let c = 0; c < this.#spec.partials.fields.length - 1; c++) {
      const pieces = chunk.map(({ views, from, to }): Piece => ({ column: views[c]!, order: undefined, from, to }));
      columns.push(gather(pieces as [Piece, ...Piece[]]));
    }
    // The rows were copied, so the tables may go.
    this.#closing = this.#closing.slice(done.length);
    for (const start of done) this.#state.drop(start);
    const batch = { schema: this.#spec.partials, rows, columns };
    try {
      return this.#finish.run({ kind: 'columns', batch }).batch;
    } catch (thrown) {
      throw operatorError(thrown, this.#spec.name);
    }
  }

  snapshot(): OperatorSnapshot {
    assert(this.#closing.length === 0, 'a snapshot amid an emission');
    return { version: snapshotVersion, meta: this.#meta(), keyGroups: this.#state.encode() };
  }

  restore({ version, meta, keyGroups }: OperatorSnapshot): void {
    const place = this.#spec.name;
    if (version !== snapshotVersion)
      throw new BraidError('SNAPSHOT_CORRUPT', `the state has version ${version}, which this version cannot read`, {
        place,
        hint: `this version reads version ${snapshotVersion}`,
      });
    const mine = this.#meta();
    for (const name of ['sizeMs', 'offsetMs', 'groups'] as const) {
      if (meta[name] === mine[name]) continue;
      throw new BraidError('SCHEMA_MISMATCH', `the state was written by a different aggregate: ${name} differs`, {
        place,
        hint: `it was ${String(meta[name])} and is ${mine[name]}`,
      });
    }
    this.#state.clear();
    this.#watermark = watermarkFrom(meta.watermark, place);
    this.#latePartials = 0;
    for (const [keyGroup, bytes] of keyGroups) this.#state.decode(keyGroup, bytes, place);
  }

  #meta() {
    const { window } = this.#spec;
    const { keys, accumulators } = this.#layout;
    return {
      watermark: watermarkToJson(this.#watermark),
      sizeMs: window.sizeMs,
      offsetMs: window.offsetMs,
      groups: [...keys.map(formatType), ...accumulators.map(({ op, type }) => `${op} ${formatType(type)}`)].join(', '),
    };
  }
}

/** JSON has no infinities. */
function watermarkToJson(watermark: number): number | 'none' | 'end' {
  if (Number.isFinite(watermark)) return watermark;
  return watermark > 0 ? 'end' : 'none';
}

function watermarkFrom(json: unknown, place: string): number {
  if (json === 'none') return Number.NEGATIVE_INFINITY;
  if (json === 'end') return Number.POSITIVE_INFINITY;
  if (typeof json === 'number' && Number.isFinite(json)) return json;
  throw new BraidError('SNAPSHOT_CORRUPT', 'the state of an aggregate has no watermark', { place });
}
