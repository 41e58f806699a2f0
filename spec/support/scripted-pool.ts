import { createInlinePool } from '../../lib/workers/inline-pool.ts';
import type { FragmentPool, FragmentPoolOptions } from '../../lib/workers/pool.ts';

/** A pool whose tasks end when the spec says so, in the order that it says. */
export interface ScriptedPool {
  readonly makePool: (options: FragmentPoolOptions) => FragmentPool;
  /** Places (split and offsets) of the tasks that have not ended, oldest first. */
  readonly waiting: readonly string[];
  /** Ends the task at `index` of those that wait. */
  end(index: number): void;
}

/** `threads`: what the pool claims to have; twice as many tasks are under way at most. */
export function scriptedPool(threads = 2): ScriptedPool {
  const tasks: { readonly place: string; readonly end: () => void }[] = [];
  return {
    makePool: options => {
      const inline = createInlinePool(options);
      return {
        ...inline,
        threads,
        run: (fragmentId, task, place) =>
          new Promise((resolve, reject) => {
            tasks.push({ place, end: () => void inline.run(fragmentId, task, place).then(resolve, reject) });
          }),
      };
    },
    get waiting() {
      return tasks.map(({ place }) => place);
    },
    end(index) {
      tasks.splice(index, 1)[0]?.end();
    },
  };
}
