import type { Channel } from '../lib/base/channel.ts';
import { type BraidError, toBraidError } from '../lib/base/errors.ts';
import type { CollectorSinkNode } from '../lib/plan/logical.ts';
import type { StreamItem } from './stream-item.ts';

export interface CollectorSinkHandlers {
  onDrained(): void;
  onFailed(error: BraidError): void;
}

/** Hands batches to the program as they come. Nothing can be lost between two of its lines, so it has no chart. */
export class CollectorSink {
  readonly #node: CollectorSinkNode;
  readonly #input: Channel<StreamItem>;
  readonly #handlers: CollectorSinkHandlers;
  #aborted = false;
  rowsIn = 0;
  /** What the program does with rows is its own affair. */
  readonly trouble: undefined;

  constructor(node: CollectorSinkNode, input: Channel<StreamItem>, handlers: CollectorSinkHandlers) {
    this.#node = node;
    this.#input = input;
    this.#handlers = handlers;
  }

  start(): void {
    void this.#consume().catch(thrown => this.#handlers.onFailed(toBraidError(thrown, 'SINK_FAILED', this.#node.name)));
  }

  /** Ends the stream of the program with the error that ended the job. */
  abort(error: unknown): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#input.wake();
    try {
      this.#node.onEnd(error);
    } catch (thrown) {
      // The job has its end; that whoever is told of it throws is for the process to hear, as with RxJS.
      queueMicrotask(() => {
        throw thrown;
      });
    }
  }

  async #consume(): Promise<void> {
    while (!this.#aborted) {
      const item = this.#input.take();
      if (item === undefined) {
        await this.#input.readable();
        continue;
      }
      if (item.kind === 'data') {
        this.rowsIn += item.flow.batch.rows;
        if (item.flow.batch.rows > 0) this.#node.onBatch(item.flow.batch);
      } else if (item.kind === 'end') {
        this.#aborted = true;
        this.#node.onEnd(undefined);
        this.#handlers.onDrained();
      }
    }
  }
}
