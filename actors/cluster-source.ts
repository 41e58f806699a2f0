import type { Actor } from 'xstate';
import { backoffDelayMs } from '../lib/base/backoff.ts';
import type { Channel } from '../lib/base/channel.ts';
import { type BraidError, toBraidError } from '../lib/base/errors.ts';
import { SlabPool } from '../lib/data/slab.ts';
import { SplitWatermarks } from '../lib/data/watermark.ts';
import type { ClusterClient } from '../lib/kafka/transport.ts';
import type { KafkaSourceNode } from '../lib/plan/logical.ts';
import type { PhysicalSource } from '../lib/plan/physical.ts';
import type { FragmentPool } from '../lib/workers/pool.ts';
import { clusterSourceMachine } from '../state-machines/cluster-source.ts';
import { type ActorSystemPorts, chartActor, errorOf } from './chart-actor.ts';
import { type Connection, concernsConnection } from './connection.ts';
import { findSplits } from './find-splits.ts';
import { readerLimits } from './reader-limits.ts';
import type { Reports } from './reports.ts';
import { isDone, nameOf, type Split } from './split.ts';
import { SplitDispatcher } from './split-dispatcher.ts';
import { SplitReader } from './split-reader.ts';
import type { StreamItem } from './stream-item.ts';
import { supervision } from './supervision.ts';
import { Timers } from './timers.ts';
import { WatermarkHolds } from './watermark-holds.ts';

export interface ClusterSourceHandlers {
  /** Every cluster that can be reached is being read. */
  onReading(): void;
  /** The last row and the final watermark are in the channel. */
  onExhausted(): void;
  /** The first result has left the pool. */
  onFirstRecord(): void;
  onFailed(error: BraidError): void;
}

/**
 * The actor of a Kafka source over N clusters. It owns the splits and their offsets, reads each cluster over the
 * connection's present generation, and turns what its chart decides into readers that start and stop, a watermark that
 * is held or released, and the end of the stream.
 */
export class ClusterSource {
  readonly node: KafkaSourceNode;
  readonly slabs: SlabPool;
  readonly #actor: Actor<typeof clusterSourceMachine>;
  readonly #connections: ReadonlyMap<string, Connection>;
  readonly #ports: ActorSystemPorts;
  readonly #reports: Reports;
  readonly #watermarks: SplitWatermarks;
  readonly #dispatcher: SplitDispatcher;
  readonly #splits = new Map<string, Split[]>();
  readonly #readers = new Map<string, SplitReader>();
  readonly #timers: Timers;
  readonly #holds: WatermarkHolds;
  /** Lost clusters whose hold is over: their splits are idle as soon as what was fetched of them is through. */
  readonly #givenUp = new Set<string>();
  /** Clusters that could not be reached when the job started. */
  readonly #missedStart = new Set<string>();
  /** Wall clock at the start. */
  readonly #startedAtMs: number;
  #nextSplitId = 0;
  #complete = false;
  #error: BraidError | undefined;
  #trouble: BraidError | undefined;

  constructor(
    plan: PhysicalSource & { readonly node: KafkaSourceNode },
    connections: ReadonlyMap<string, Connection>,
    pool: FragmentPool,
    output: Channel<StreamItem>,
    handlers: ClusterSourceHandlers,
    reports: Reports,
    ports: ActorSystemPorts,
  ) {
    const node = plan.node;
    const { options } = node;
    this.node = node;
    this.#connections = connections;
    this.#ports = ports;
    this.#reports = reports;
    this.slabs = new SlabPool(options.prefetchBytesMax);
    this.#watermarks = new SplitWatermarks(plan.outOfOrderMs);
    for (const { name } of node.clusters) this.#watermarks.add(this.#placeholderOf(name));
    this.#timers = new Timers(ports.clock);
    this.#holds = new WatermarkHolds(options.holdWatermarkMs, ports.clock, reports);
    this.#startedAtMs = Math.floor(performance.timeOrigin + ports.clock.now());
    this.#dispatcher = new SplitDispatcher(plan, pool, output, this.#watermarks, {
      clock: ports.clock,
      reports,
      onRoom: split => this.#readers.get(split.cluster)?.wake(),
      onEmitted: split => this.#idleIfGivenUp(split),
      onSplitDone: split => {
        const { cluster } = split;
        this.#actor.send({ type: 'split.finished', cluster, split: nameOf(split) });
        if (this.splitsOf(cluster).every(isDone)) this.#holds.end(cluster, 'finished');
      },
      onFatal: (error, split) => this.#fail(error, split.cluster),
      onFirstRecord: () => handlers.onFirstRecord(),
    });
    const machine = clusterSourceMachine.provide({
      actions: {
        assignSplits: ({ event }) => {
          if (event.type === 'cluster.healthy') void this.#assignSplits(event.cluster);
        },
        startReaders: ({ context }) => {
          for (const cluster of context.serving) this.#startReader(cluster);
          handlers.onReading();
        },
        resumeReaders: ({ event }) => {
          if (event.type === 'splits.assigned') this.#startReader(event.cluster);
        },
        suspendReaders: ({ event }) => {
          if (event.type === 'cluster.lost') this.#stopReader(event.cluster);
        },
        announceHold: ({ event }) => {
          if (event.type !== 'cluster.lost') return;
          this.#holdWatermark(event.cluster);
          this.#holds.begin(event.cluster, event.silentMs, this.watermark);
        },
        restartReader: ({ event }) => {
          if (event.type === 'reader.due') this.#startReader(event.split);
        },
        stopReaders: () => {
          for (const cluster of [...this.#readers.keys()]) this.#stopReader(cluster);
          this.#timers.stop();
          this.#dispatcher.stop();
        },
        releaseWatermark: ({ event }) => {
          if ('cluster' in event) this.#releaseWatermark(event.cluster);
        },
        rejoinWatermark: ({ event }) => {
          if ('cluster' in event) this.#rejoinWatermark(event.cluster);
        },
        // The final watermark is the end mark itself: it closes every window that is still open.
        emitFinalWatermark: () => {
          this.#complete = true;
        },
        closeOutput: () => void this.#closeOutput(),
        reportFinished: () => handlers.onExhausted(),
        reportStopped: () => handlers.onExhausted(),
        reportFailed: ({ context }) => handlers.onFailed(this.#error ?? errorOf(context.failure, 'SOURCE_FAILED')),
      },
      delays: {
        holdWatermark: ({ event }) =>
          event.type === 'cluster.lost' ? Math.max(0, options.holdWatermarkMs - event.silentMs) : 0,
        restartBackoff: ({ context }) => backoffDelayMs(supervision.reader.backoff, context.crashes - 1),
        crashWindow: supervision.reader.windowMs,
      },
    });
    this.#actor = chartActor(
      machine,
      `source ${node.name}`,
      {
        source: node.name,
        clusters: node.clusters.map(cluster => cluster.name),
        bounded: options.bounded,
        crashesMax: supervision.reader.restartsMax,
      },
      ports,
    );
  }

  start(): void {
    this.#actor.start();
    for (const { name } of this.node.clusters) {
      this.#connections.get(name)!.listen({
        onHealthy: (cluster, client) =>
          this.#actor.send({ type: 'cluster.healthy', cluster, generation: client.generation }),
        onLost: (cluster, reason, silentMs) => {
          if (!this.#splits.has(cluster)) this.#missedStart.add(cluster);
          this.#actor.send({ type: 'cluster.lost', cluster, reason, silentMs });
        },
        onFailed: (cluster, error) => this.#fail(error, cluster),
      });
    }
  }

  /** Stops fetching; what was fetched and not dispatched is let go, what is in the pool still goes out. */
  drain(): void {
    this.#actor.send({ type: 'source.drain' });
  }

  /** Ends it at once; the slabs of what it holds are free again. */
  abort(): void {
    this.#actor.send({ type: 'source.abort' });
    this.#actor.stop();
    this.#dispatcher.abort();
  }

  get watermark(): number {
    return this.#watermarks.combined;
  }
  /** The cluster that has held the watermark longest. */
  get heldBy(): { cluster: string; ms: number } | undefined {
    return this.#holds.longest;
  }
  /** Why a cluster that answers is not read: what its splits were asked for with, last. */
  get trouble(): BraidError | undefined {
    return this.#trouble;
  }
  get poolTasks(): number {
    return this.#dispatcher.tasks;
  }
  splitsOf(cluster: string): readonly Split[] {
    return this.#splits.get(cluster) ?? [];
  }
  get localPhaseOn(): boolean {
    return this.#dispatcher.localPhaseOn;
  }

  #fail(error: BraidError, cluster: string): void {
    this.#error ??= error;
    this.#actor.send({ type: 'split.failed', cluster, failure: error });
  }

  /** Stands for the splits of a cluster until they are known, so that it holds the watermark like one that is lost. */
  #placeholderOf(cluster: string): number {
    return -1 - this.node.clusters.findIndex(({ name }) => name === cluster);
  }

  /** Finds the partitions and the offsets to start and stop at, once a cluster; a cluster that returns keeps its splits. */
  async #assignSplits(cluster: string, attempt = 0): Promise<void> {
    const connection = this.#connections.get(cluster);
    const client = connection?.client;
    if (connection === undefined || client === undefined) return;
    if (!this.#splits.has(cluster)) {
      try {
        const sinceMs = this.#missedStart.has(cluster) ? this.#startedAtMs : undefined;
        const found = await findSplits(this.node, client, sinceMs, () => this.#nextSplitId++);
        if (connection.client !== client || this.#splits.has(cluster)) return;
        this.#splits.set(cluster, found);
        for (const split of found) {
          this.#watermarks.add(split.id);
          if (isDone(split)) this.#watermarks.end(split.id);
          else this.#dispatcher.add(split);
        }
        this.#watermarks.end(this.#placeholderOf(cluster));
        this.#dispatcher.flushWatermark();
      } catch (thrown) {
        if (connection.client !== client) return;
        this.#retryAssignment(cluster, client, toBraidError(thrown, 'ASSERTION', cluster), attempt);
        return;
      }
    }
    this.#trouble = undefined;
    const open = this.splitsOf(cluster).filter(split => !isDone(split));
    this.#actor.send({ type: 'splits.assigned', cluster, splits: open.map(nameOf) });
  }

  /**
   * What may mend itself is tried again for as long as it takes. That the topic is missing is final where the job starts;
   * a cluster that comes back may need a moment to find it.
   */
  #retryAssignment(cluster: string, client: ClusterClient, error: BraidError, attempt: number): void {
    const { backoff, restartsMax } = supervision.reader;
    const triesMax = error.code === 'TOPIC_UNKNOWN' ? (this.#missedStart.has(cluster) ? restartsMax : 0) : Infinity;
    if ((!error.retriable && !concernsConnection(error)) || attempt >= triesMax) {
      this.#fail(error, cluster);
      return;
    }
    this.#trouble = error;
    if (concernsConnection(error)) this.#connections.get(cluster)?.report(client, error);
    this.#timers.after(backoffDelayMs(backoff, attempt), () => void this.#assignSplits(cluster, attempt + 1));
  }

  #startReader(cluster: string): void {
    const client = this.#connections.get(cluster)?.client;
    const splits = this.splitsOf(cluster);
    this.#readers.get(cluster)?.stop();
    if (client === undefined || splits.length === 0) return;
    // What its broker said before this connection says nothing about now.
    for (const split of splits) split.emptySince = undefined;
    const known = this.node.clusters.reduce((sum, { name }) => sum + this.splitsOf(name).length, 0);
    const reader = new SplitReader(client, splits, readerLimits(this.node, known), {
      clock: this.#ports.clock,
      slabs: this.slabs,
      onPiece: split => {
        this.#watermarks.wake(split.id);
        this.#dispatcher.wake(split);
      },
      onEmpty: split => this.#noteEmpty(split),
      onThrottled: split => {
        split.emptySince = undefined;
      },
      onRequestFailed: (from, error) => this.#connections.get(cluster)?.report(from, error),
      onFatal: error => this.#readerFailed(cluster, error),
    });
    this.#readers.set(cluster, reader);
    reader.start();
  }

  /**
   * An error of the input or of the broker ends the job. A defect costs the reader one of its restarts, and so does what a
   * broker may say in a moment of confusion.
   */
  #readerFailed(cluster: string, error: BraidError): void {
    const passing = error.code === 'RESPONSE_MALFORMED' || error.code === 'TOPIC_UNKNOWN';
    if (error.domain !== 'internal' && !passing) {
      this.#fail(error, cluster);
      return;
    }
    this.#stopReader(cluster);
    const { crashes, crashesMax } = this.#actor.getSnapshot().context;
    if (crashes < crashesMax) {
      this.#reports.event({
        type: 'actor.restarted',
        actor: `reader ${cluster}`,
        code: error.code,
        reason: error.message,
        restarts: crashes + 1,
        restartsMax: crashesMax,
      });
    }
    this.#actor.send({ type: 'reader.crashed', split: cluster, reason: error.message });
  }

  #stopReader(cluster: string): void {
    this.#readers.get(cluster)?.stop();
    this.#readers.delete(cluster);
  }

  /** The broker has nothing new: after `idleAfterMs` of that, and with nothing of its own under way, a split is idle. */
  #noteEmpty(split: Split): void {
    const { idleAfterMs } = this.node.options;
    if (idleAfterMs === undefined) return;
    const now = this.#ports.clock.now();
    split.emptySince ??= now;
    if (now - split.emptySince < idleAfterMs || split.ownedOffset < split.fetchOffset) return;
    this.#watermarks.idle(split.id);
    this.#dispatcher.flushWatermark();
  }

  #releaseWatermark(cluster: string): void {
    this.#givenUp.add(cluster);
    this.#watermarks.idle(this.#placeholderOf(cluster));
    for (const split of this.splitsOf(cluster)) this.#idleIfGivenUp(split);
    this.#holds.end(cluster, 'expired');
    this.#dispatcher.flushWatermark();
  }

  /** Rows that were fetched before the cluster was lost are here, and in time: only after them is the split idle. */
  #idleIfGivenUp(split: Split): void {
    if (!this.#givenUp.has(split.cluster) || split.ownedOffset < split.fetchOffset) return;
    this.#watermarks.idle(split.id);
    this.#dispatcher.flushWatermark();
  }

  /** A split that was idle may have got rows that nobody can see now: while its cluster is waited for it holds, too. */
  #holdWatermark(cluster: string): void {
    for (const split of this.splitsOf(cluster)) this.#watermarks.hold(split.id);
  }

  #rejoinWatermark(cluster: string): void {
    this.#givenUp.delete(cluster);
    for (const split of this.splitsOf(cluster)) if (!isDone(split)) this.#watermarks.wake(split.id);
    this.#holds.end(cluster, 'returned');
  }

  async #closeOutput(): Promise<void> {
    await this.#dispatcher.close(this.#complete);
    this.#actor.send({ type: 'output.drained' });
  }
}
