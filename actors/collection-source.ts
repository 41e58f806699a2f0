import type { Channel } from '../lib/base/channel.ts';
import { type BraidError, toBraidError } from '../lib/base/errors.ts';
import { batchFrom } from '../lib/data/batch.ts';
import { SplitWatermarks } from '../lib/data/watermark.ts';
import { compileFragment } from '../lib/kernels/compile.ts';
import type { CompiledFragment } from '../lib/kernels/fragment.ts';
import type { CollectionSourceNode } from '../lib/plan/logical.ts';
import type { PhysicalSource } from '../lib/plan/physical.ts';
import { columnsOrigin, lateReader } from './late-reader.ts';
import { partialsOf } from './stage.ts';
import { flowOf, type StreamItem } from './stream-item.ts';

/** Rows that are put into one batch at most; an asynchronous source that pauses is not waited for. */
const batchRowsMax = 4096;

export interface CollectionSourceHandlers {
  onExhausted(): void;
  onFailed(error: BraidError): void;
}

/**
 * Rows from memory: an array, a generator, an async iterable (an Observable is one by the time it comes here). One split,
 * no clusters, so it needs no chart of its own: it runs until its rows end, it is drained, or one of them is wrong.
 */
export class CollectionSource {
  readonly #plan: PhysicalSource & { readonly node: CollectionSourceNode };
  readonly #output: Channel<StreamItem>;
  readonly #handlers: CollectionSourceHandlers;
  readonly #watermarks: SplitWatermarks;
  readonly #late: () => CompiledFragment;
  #head: CompiledFragment | undefined;
  #stopped = false;
  #aborted = false;
  #wake: (() => void) | undefined;
  #emitted = Number.NEGATIVE_INFINITY;
  recordsIn = 0;

  constructor(
    plan: PhysicalSource & { readonly node: CollectionSourceNode },
    output: Channel<StreamItem>,
    handlers: CollectionSourceHandlers,
  ) {
    this.#plan = plan;
    this.#output = output;
    this.#handlers = handlers;
    this.#watermarks = new SplitWatermarks(plan.outOfOrderMs);
    this.#watermarks.add(0);
    this.#late = lateReader(plan.late);
  }

  start(): void {
    void this.#run().then(
      () => {
        if (!this.#aborted) this.#handlers.onExhausted();
      },
      thrown => {
        if (!this.#aborted) this.#handlers.onFailed(toBraidError(thrown, 'SOURCE_FAILED', this.#plan.node.name));
      },
    );
  }

  /** No more rows are taken; those that were go out. */
  drain(): void {
    this.#stopped = true;
    this.#wake?.();
  }

  abort(): void {
    this.#aborted = true;
    this.drain();
    this.#output.wake();
  }

  get watermark(): number {
    return this.#watermarks.combined;
  }
  /** Rows in memory are always there. */
  get trouble(): undefined {
    return undefined;
  }

  async #run(): Promise<void> {
    const { node } = this.#plan;
    if (Symbol.iterator in node.rows) await this.#readAll(node.rows);
    else await this.#readAsync(node.rows);
    if (this.#aborted) return;
    await this.#push({ kind: 'end', complete: !this.#stopped });
  }

  async #readAll(rows: Iterable<Readonly<Record<string, unknown>>>): Promise<void> {
    let pending: Readonly<Record<string, unknown>>[] = [];
    for (const row of rows) {
      if (this.#stopped) return;
      pending.push(row);
      if (pending.length < batchRowsMax) continue;
      await this.#emit(pending);
      pending = [];
      await new Promise(resolve => setImmediate(resolve));
    }
    await this.#emit(pending);
  }

  /** Whatever has come by the time the event loop turns makes a batch, so that a slow source is not held back. */
  async #readAsync(rows: AsyncIterable<Readonly<Record<string, unknown>>>): Promise<void> {
    const iterator = rows[Symbol.asyncIterator]();
    const stopping = new Promise<'stopping'>(resolve => {
      this.#wake = () => resolve('stopping');
    });
    let pending: Readonly<Record<string, unknown>>[] = [];
    const ask = (): Promise<IteratorResult<Readonly<Record<string, unknown>>>> => {
      const asked = iterator.next();
      // It may fail while the output is full and nobody waits for it yet; whoever does hears of it then.
      asked.catch(() => {});
      return asked;
    };
    let next = ask();
    try {
      while (!this.#stopped) {
        const turn = new Promise<'turn'>(resolve => setImmediate(resolve, 'turn'));
        const first =
          pending.length === 0 ? await Promise.race([next, stopping]) : await Promise.race([next, stopping, turn]);
        if (first === 'stopping') break;
        if (first === 'turn') {
          await this.#emit(pending);
          pending = [];
          continue;
        }
        if (first.done === true) break;
        pending.push(first.value);
        next = ask();
        if (pending.length === batchRowsMax) {
          await this.#emit(pending);
          pending = [];
        }
      }
      await this.#emit(pending);
    } finally {
      // What it says to that is of no interest, and nobody waits for one that hangs.
      if (this.#stopped)
        void Promise.resolve()
          .then(() => iterator.return?.())
          .catch(() => {});
    }
  }

  async #emit(rows: readonly Readonly<Record<string, unknown>>[]): Promise<void> {
    if (rows.length === 0) return;
    const { head, late } = this.#plan;
    this.#head ??= compileFragment(head);
    const batch = batchFrom(head.input.schema, rows, this.recordsIn);
    const result = this.#head.run({ kind: 'columns', batch, firstRow: this.recordsIn });
    this.recordsIn += rows.length;
    this.#watermarks.observe(0, result.maxEventTime);
    const flow = late === undefined ? flowOf(result.batch) : partialsOf(result, columnsOrigin(batch, this.#late));
    const { combined } = this.#watermarks;
    const watermark = combined > this.#emitted ? combined : undefined;
    if (watermark !== undefined) this.#emitted = watermark;
    await this.#push({ kind: 'data', flow, watermark });
  }

  async #push(item: StreamItem): Promise<void> {
    while (!this.#aborted && this.#output.full) await this.#output.writable();
    if (!this.#aborted) this.#output.push(item);
  }
}
