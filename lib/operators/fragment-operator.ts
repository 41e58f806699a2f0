import type { CompiledFragment } from '../kernels/fragment.ts';
import type { Operator } from './operator.ts';
import { operatorError } from './operator-error.ts';
import { emptySnapshot, restoreNothing } from './stateless.ts';

/**
 * Project and filter over columnar batches: one batch out for one batch in, none where no row was left. `fragment` has
 * columns as input and rows as output. Errors of a row (an integer divided by zero, say) name the operator.
 */
export function createFragmentOperator(name: string, fragment: CompiledFragment): Operator {
  return {
    onBatch(batch, outbox) {
      if (outbox.full) return false;
      try {
        const result = fragment.run({ kind: 'columns', batch });
        if (result.batch.rows > 0) outbox.emit(result.batch);
      } catch (thrown) {
        throw operatorError(thrown, name);
      }
      return true;
    },
    onWatermark: () => true,
    snapshot: () => emptySnapshot,
    restore: restoreNothing,
  };
}
