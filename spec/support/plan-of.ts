import type { Fields } from '../../lib/api/fields.ts';
import type { Stream } from '../../lib/api/stream.ts';
import type { JobOptions } from '../../lib/plan/logical.ts';
import type { PhysicalPlan } from '../../lib/plan/physical.ts';
import { planJob } from '../../lib/plan/planner.ts';

const quiet: JobOptions = { threads: 2, onLateRows: undefined, onDeadLetter: undefined };

/** The physical plan of a stream that ends in the program. */
export function planOf<F extends Fields>(stream: Stream<F>): PhysicalPlan {
  const sink = { kind: 'collectorSink', name: 'program', input: stream.node, onBatch() {}, onEnd() {} } as const;
  return planJob({ job: stream.job, sink, options: quiet });
}
