import { assert } from '../base/errors.ts';
import type { OperatorSnapshot } from './operator.ts';

/** Snapshot of an operator that keeps nothing between batches. */
export const emptySnapshot: OperatorSnapshot = { version: 1, meta: {}, keyGroups: new Map() };

export function restoreNothing(snapshot: OperatorSnapshot): void {
  assert(snapshot.keyGroups.size === 0, 'state for an operator that keeps none');
}
