import type { Batch } from '../lib/data/batch.ts';
import { compileFragment } from '../lib/kernels/compile.ts';
import type { FragmentResult } from '../lib/kernels/fragment.ts';
import { createFragmentOperator } from '../lib/operators/fragment-operator.ts';
import type { Operator } from '../lib/operators/operator.ts';
import { createRowFunction } from '../lib/operators/row-function.ts';
import { createWindowAggregate } from '../lib/operators/window-aggregate.ts';
import type { LocalAggregateSpec, PhysicalOperator } from '../lib/plan/physical.ts';
import { columnsOrigin, lateReader } from './late-reader.ts';
import { type Flow, type FlowOrigin, flowOf } from './stream-item.ts';

export interface StageOutbox {
  readonly full: boolean;
  emit(flow: Flow): void;
}

/**
 * An operator as its actor drives it: flows in, flows out. Thin on purpose: it only tells the pure operators of
 * lib/operators apart from the local phase, whose output is more than a batch.
 */
export interface Stage {
  /** Size of the windows that the stage closes, ms; undefined where it closes none. */
  readonly windowMs: number | undefined;
  onFlow(flow: Flow, outbox: StageOutbox): boolean;
  onWatermark(watermark: number, outbox: StageOutbox): boolean;
  size(): { openWindows: number; groups: number };
}

const stateless = { openWindows: 0, groups: 0 };

export function createStage(spec: PhysicalOperator): Stage {
  switch (spec.kind) {
    case 'windowAggregate': {
      const operator = createWindowAggregate(spec, compileFragment);
      return {
        windowMs: spec.window.sizeMs,
        onFlow: (flow, outbox) => operator.onBatch(flow, adapt(outbox)),
        onWatermark: (watermark, outbox) => operator.onWatermark(watermark, adapt(outbox)),
        size: () => ({ openWindows: operator.openWindows, groups: operator.groups }),
      };
    }
    case 'fragment':
      return batchStage(createFragmentOperator(spec.name, compileFragment(spec.fragment)));
    case 'rowFunction':
      return batchStage(createRowFunction(spec));
    case 'localAggregate':
      return localStage(spec);
  }
}

function batchStage(operator: Operator): Stage {
  return {
    windowMs: undefined,
    onFlow: (flow, outbox) => operator.onBatch(flow.batch, adapt(outbox)),
    onWatermark: (watermark, outbox) => operator.onWatermark(watermark, adapt(outbox)),
    size: () => stateless,
  };
}

/** Local phase over columns: one flow of partials for one batch of rows. */
function localStage(spec: LocalAggregateSpec): Stage {
  const compiled = compileFragment(spec.fragment);
  const late = lateReader(spec.late);
  return {
    windowMs: undefined,
    onFlow(flow, outbox) {
      if (outbox.full) return false;
      outbox.emit(partialsOf(compiled.run({ kind: 'columns', batch: flow.batch }), columnsOrigin(flow.batch, late)));
      return true;
    },
    onWatermark: () => true,
    size: () => stateless,
  };
}

export function partialsOf(result: FragmentResult, origin: FlowOrigin | undefined): Flow {
  const { batch, hashes, windows } = result;
  return { batch, hashes, windows, origin: windows === undefined ? undefined : origin };
}

function adapt(outbox: StageOutbox): { readonly full: boolean; emit(batch: Batch): void } {
  return {
    get full() {
      return outbox.full;
    },
    emit: batch => outbox.emit(flowOf(batch)),
  };
}
