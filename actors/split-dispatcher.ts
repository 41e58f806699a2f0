import type { Channel } from '../lib/base/channel.ts';
import type { Clock } from '../lib/base/clock.ts';
import { type BraidError, toBraidError } from '../lib/base/errors.ts';
import { Semaphore } from '../lib/base/semaphore.ts';
import { Signal } from '../lib/base/signal.ts';
import type { SplitWatermarks } from '../lib/data/watermark.ts';
import type { BadRecord, CompiledFragment, FragmentResult, FragmentTask } from '../lib/kernels/fragment.ts';
import type { KafkaSourceNode } from '../lib/plan/logical.ts';
import type { PhysicalSource } from '../lib/plan/physical.ts';
import type { FragmentPool } from '../lib/workers/pool.ts';
import { lateReader } from './late-reader.ts';
import { LocalPhase } from './local-phase.ts';
import { Pacer } from './pacer.ts';
import type { Reports } from './reports.ts';
import { isDone, type Piece, placeOf, type Split } from './split.ts';
import type { FlowOrigin, StreamItem } from './stream-item.ts';

export interface SplitDispatcherPorts {
  readonly clock: Clock;
  readonly reports: Reports;
  /** A piece has left the split's queue: there may be room to fetch. */
  readonly onRoom: (split: Split) => void;
  /** The result of a piece is in the channel. */
  readonly onEmitted: (split: Split) => void;
  readonly onSplitDone: (split: Split) => void;
  readonly onFatal: (error: BraidError, split: Split) => void;
  readonly onFirstRecord: () => void;
}

/**
 * Takes pieces out of the splits' queues, at the pace that is allowed, runs the head fragment over them in the pool
 * and hands the results to the channel: in order within each split, as they come across splits.
 *
 * Invariant: a permit is held from the dispatch of a piece until its result is in the channel, so that what is under way
 * is bounded and a full channel stops the dispatch, then the queues, then the fetch.
 */
export class SplitDispatcher {
  readonly #plan: PhysicalSource & { readonly node: KafkaSourceNode };
  readonly #pool: FragmentPool;
  readonly #output: Channel<StreamItem>;
  readonly #watermarks: SplitWatermarks;
  readonly #ports: SplitDispatcherPorts;
  readonly #permits: Semaphore;
  readonly #late: () => CompiledFragment;
  readonly #pacer: Pacer;
  readonly #localPhase: LocalPhase | undefined;
  readonly #arrivals = new Map<number, Signal>();
  readonly #loops: Promise<void>[] = [];
  #emitted = Number.NEGATIVE_INFINITY;
  #stopped = false;
  /** Nothing more leaves: a piece has failed, and what comes after it must not overtake; or everything ends. */
  #closed = false;
  #emptyHanded = true;

  constructor(
    plan: PhysicalSource & { readonly node: KafkaSourceNode },
    pool: FragmentPool,
    output: Channel<StreamItem>,
    watermarks: SplitWatermarks,
    ports: SplitDispatcherPorts,
  ) {
    this.#plan = plan;
    this.#pool = pool;
    this.#output = output;
    this.#watermarks = watermarks;
    this.#ports = ports;
    this.#late = lateReader(plan.late);
    this.#permits = new Semaphore(Math.max(1, pool.threads * 2));
    this.#pacer = new Pacer(plan.node.options.recordsPerSecondMax, ports.clock);
    this.#localPhase =
      plan.headOneByOne === undefined
        ? undefined
        : new LocalPhase((on, partialsPerRow) =>
            ports.reports.event({ type: 'localPhase', operator: plan.node.name, on, partialsPerRow }),
          );
  }

  get tasks(): number {
    return this.#permits.taken;
  }
  get localPhaseOn(): boolean {
    return this.#localPhase?.on ?? false;
  }

  add(split: Split): void {
    this.#arrivals.set(split.id, new Signal());
    this.#loops.push(this.#dispatch(split).catch(thrown => this.#fail(thrown, split)));
  }

  #fail(thrown: unknown, split: Split): void {
    this.#stopped = true;
    this.#closed = true;
    this.#ports.onFatal(toBraidError(thrown), split);
  }

  /** New pieces lie in the split's queue. */
  wake(split: Split): void {
    this.#arrivals.get(split.id)?.notify();
  }

  /** No more pieces are dispatched; those in the pool still come out. */
  stop(): void {
    this.#stopped = true;
    this.#pacer.release();
    for (const signal of this.#arrivals.values()) signal.notify();
  }

  /** What is under way is let go. */
  abort(): void {
    this.#closed = true;
    this.stop();
    this.#output.wake();
  }

  /** Waits for what is under way and ends the stream. `complete` closes every window that is still open. */
  async close(complete: boolean): Promise<void> {
    await Promise.all(this.#loops);
    await this.#push({ kind: 'end', complete });
  }

  /** The combined watermark advanced without data: a split went idle or ended. */
  flushWatermark(): void {
    const watermark = this.#advance();
    if (watermark !== undefined) void this.#push({ kind: 'watermark', watermark });
  }

  async #dispatch(split: Split): Promise<void> {
    // Results leave in the order of their pieces, whatever order the pool finishes them in.
    let tail: Promise<void> = Promise.resolve();
    while (!this.#stopped && !isDone(split)) {
      const piece = split.pieces.shift();
      if (piece === undefined) {
        if (split.fetchOffset >= split.endOffset) break;
        await this.#arrivals.get(split.id)!.next();
        continue;
      }
      await this.#pacer.take(piece.records);
      await this.#permits.acquire();
      split.queuedRecords -= piece.records;
      split.queuedBytes -= piece.end - piece.start;
      this.#ports.onRoom(split);
      if (this.#stopped) {
        piece.slab.release();
        this.#permits.release();
        break;
      }
      // Inline tasks block this thread: let the network have its turn between two of them.
      if (this.#pool.threads === 0) await new Promise(resolve => setImmediate(resolve));
      const previous = tail;
      const result = this.#run(piece);
      tail = this.#emitAfter(previous, piece, result).catch(thrown => this.#fail(thrown, split));
    }
    for (const piece of split.pieces.splice(0)) piece.slab.release();
    await tail;
  }

  async #run(piece: Piece): Promise<FragmentResult> {
    const { head, headOneByOne } = this.#plan;
    const combine = headOneByOne === undefined || (this.#localPhase?.combineNext() ?? true);
    const fragment = combine ? head : headOneByOne;
    const result = await this.#pool.run(fragment.id, taskOf(piece, undefined), placeOf(piece));
    if (combine) this.#localPhase?.measured(result.rowsPassed, result.batch.rows);
    return result;
  }

  async #emitAfter(previous: Promise<void>, piece: Piece, running: Promise<FragmentResult>): Promise<void> {
    const { split } = piece;
    let kept = false;
    try {
      const result = await running;
      await previous;
      while (!this.#closed && this.#output.full) await this.#output.writable();
      if (this.#closed) return;
      if (this.#emptyHanded) {
        this.#emptyHanded = false;
        this.#ports.onFirstRecord();
      }
      split.recordsIn += result.rowsIn;
      split.ownedOffset = Math.min(piece.nextOffset, split.endOffset);
      this.#watermarks.observe(split.id, result.maxEventTime);
      if (isDone(split)) this.#watermarks.end(split.id);
      this.#tellBadRecords(piece, result.badRecords);
      const { batch, hashes, windows } = result;
      const origin = this.#origin(piece, result);
      kept = origin !== undefined;
      this.#output.push({ kind: 'data', flow: { batch, hashes, windows, origin }, watermark: this.#advance() });
    } finally {
      if (!kept) piece.slab.release();
      this.#permits.release();
    }
    this.#ports.onEmitted(split);
    if (isDone(split)) this.#ports.onSplitDone(split);
  }

  /** The combined watermark, if it has moved since it was last sent. */
  #advance(): number | undefined {
    const { combined } = this.#watermarks;
    if (combined <= this.#emitted || combined === Number.POSITIVE_INFINITY) return undefined;
    this.#emitted = combined;
    return combined;
  }

  /** Partials may turn out to be late when they are merged: their bytes stay until then. */
  #origin(piece: Piece, result: FragmentResult): FlowOrigin | undefined {
    const { late } = this.#plan;
    if (late === undefined || result.windows === undefined) return undefined;
    return {
      cluster: piece.split.cluster,
      lateRows: watermark => {
        const reread = this.#late().run(taskOf(piece, watermark));
        // The late reader reads more columns, so it may find what the head could not; the rest was told already.
        const known = new Set(result.badRecords.map(record => record.offset));
        this.#tellBadRecords(
          piece,
          reread.badRecords.filter(record => !known.has(record.offset)),
        );
        return reread.batch;
      },
      release: () => piece.slab.release(),
    };
  }

  #tellBadRecords(piece: Piece, badRecords: readonly BadRecord[]): void {
    if (badRecords.length === 0) return;
    const { cluster, topic, partition } = piece.split;
    this.#ports.reports.deadLetters(
      badRecords.map(({ offset, reason, bytes }) => ({ cluster, topic, partition, offset, reason, bytes })),
    );
  }

  async #push(item: StreamItem): Promise<void> {
    while (!this.#closed && this.#output.full) await this.#output.writable();
    if (!this.#closed) this.#output.push(item);
  }
}

function taskOf(piece: Piece, lateAt: number | undefined): FragmentTask {
  return {
    kind: 'records',
    bytes: piece.slab.bytes,
    start: piece.start,
    end: piece.end,
    fromOffset: piece.fromOffset,
    untilOffset: piece.split.endOffset,
    // Bytes that are read a second time were checked the first time.
    checkCrc: lateAt === undefined,
    lateAt,
  };
}
