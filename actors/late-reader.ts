import { assert } from '../lib/base/errors.ts';
import type { Batch } from '../lib/data/batch.ts';
import { compileFragment } from '../lib/kernels/compile.ts';
import type { CompiledFragment, Fragment } from '../lib/kernels/fragment.ts';
import type { FlowOrigin } from './stream-item.ts';

/** Compiles the late fragment when it is first needed, which is most often never. */
export function lateReader(late: Fragment | undefined): () => CompiledFragment {
  let compiled: CompiledFragment | undefined;
  return () => {
    assert(late !== undefined, 'this plan has no late rows to read');
    compiled ??= compileFragment(late);
    return compiled;
  };
}

/** Rows in memory can be read again without more ado; they belong to no cluster. */
export function columnsOrigin(batch: Batch, late: () => CompiledFragment): FlowOrigin {
  return {
    cluster: '',
    lateRows: watermark => late().run({ kind: 'columns', batch, lateAt: watermark }).batch,
    release: () => {},
  };
}
