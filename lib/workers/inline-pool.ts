import { assert } from '../base/errors.ts';
import { compileFragment } from '../kernels/compile.ts';
import { packError, unpackError } from './messages.ts';
import type { FragmentPool, FragmentPoolOptions } from './pool.ts';

/** Runs every task on the caller's thread, at once: no copy, no message, no parallelism. */
export function createInlinePool(options: Pick<FragmentPoolOptions, 'fragments'>): FragmentPool {
  const compiled = new Map(options.fragments.map(fragment => [fragment.id, compileFragment(fragment)]));
  return {
    threads: 0,
    ready: async () => {},
    async run(fragmentId, task, place) {
      const fragment = compiled.get(fragmentId);
      assert(fragment !== undefined, `the fragment ${fragmentId} is not known to the pool`);
      try {
        return fragment.run(task);
      } catch (thrown) {
        // As from a worker, so that an error names its topic and partition wherever the task ran.
        throw unpackError(packError(thrown), place);
      }
    },
    destroy: async () => {},
  };
}
