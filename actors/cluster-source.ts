import type { Actor } from 'xstate';
import { backoffDelayMs } from '../lib/base/backoff.ts';
import type { Channel } from '../lib/base/channel.ts';
import { BraidError, toBraidError } from '../lib/base/errors.ts';
import { SlabPool } from '../lib/data/slab.ts';
import { SplitWatermarks } from '../lib/data/watermark.ts';
import type { ClusterClient } from '../lib/kafka/transport.ts';
import type { KafkaSourceNode } from '../lib/plan/logical.ts';
import type { PhysicalSource } from '../lib/plan/physical.ts';
import type { FragmentPool } from '../lib/workers/pool.ts';
import { clusterSourceMachine } from '../state-machines/cluster-source.ts';
import { type ActorSystemPorts, chartActor } from './chart-actor.ts';
import type { Connection } from './connection.ts';
import type { Reports } from './reports.ts';
import { isDone, nameOf, type Split } from './split.ts';
import { SplitDispatcher } from './split-dispatcher.ts';
import { SplitReader, type SplitReaderLimits } from './split-reader.ts';
import type { StreamItem } from './stream-item.ts';
import { supervision } from './supervision.ts';

export interface ClusterSourceHandlers {
  /** The splits of every cluster are known and are being read. */
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
  #limits: SplitReaderLimits;
  #nextSplitId = 0;
  #error: BraidError | undefined;
  #held: { cluster: string; since: number } | undefined;

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
    // A cluster whose splits are not known yet holds the watermark as if it were one split.
    for (const place of node.clusters.keys()) this.#watermarks.add(-1 - place);
    this.#limits = limitsOf(node, 1);
    this.#dispatcher = new SplitDispatcher(plan, pool, output, this.#watermarks, {
      clock: ports.clock,
      reports,
      onRoom: split => this.#readers.get(split.cluster)?.wake(),
      onSplitDone: split => this.#actor.send({ type: 'split.finished', cluster: split.cluster, split: nameOf(split) }),
      onFatal: (error, split) => this.#fail(error, split.cluster),
      onFirstRecord: () => handlers.onFirstRecord(),
    });
    const machine = clusterSourceMachine.provide({
      actions: {
        assignSplits: ({ event }) => {
          if (event.type === 'cluster.healthy') void this.#assignSplits(event.cluster);
        },
        startReaders: ({ context }) => {
          this.#limits = limitsOf(this.node, this.#allSplits().length);
          for (const cluster of context.serving) this.#startReader(cluster);
          handlers.onReading();
        },
        resumeReaders: ({ event }) => {
          if (event.type === 'splits.assigned') this.#startReader(event.cluster);
        },
        suspendReaders: ({ event }) => {
          if (event.type !== 'cluster.lost') return;
          this.#stopReader(event.cluster);
          this.#hold(event.cluster, event.silentMs);
        },
        restartReader: ({ event }) => {
          if (event.type === 'reader.due') this.#startReader(event.split);
        },
        stopReaders: () => {
          for (const cluster of [...this.#readers.keys()]) this.#stopReader(cluster);
          this.#dispatcher.stop();
        },
        releaseWatermark: ({ event }) => {
          if ('cluster' in event) this.#releaseWatermark(event.cluster);
        },
        rejoinWatermark: ({ event }) => {
          if ('cluster' in event) this.#rejoinWatermark(event.cluster);
        },
        // The final watermark is the end mark itself: it closes every window that is still open.
        emitFinalWatermark: () => {},
        closeOutput: ({ context }) => {
          void this.#closeOutput(context.bounded && Object.values(context.openSplits).every(open => open.length === 0));
        },
        reportFinished: () => handlers.onExhausted(),
        reportStopped: () => handlers.onExhausted(),
        reportFailed: ({ context }) =>
          handlers.onFailed(
            this.#error ??
              new BraidError('SOURCE_FAILED', context.failure?.message ?? 'the source failed', {
                place: context.failure?.place,
              }),
          ),
      },
      delays: {
        holdWatermark: ({ event }) =>
          event.type === 'cluster.lost' ? Math.max(0, options.holdWatermarkMs - event.silentMs) : 0,
        restartBackoff: ({ context }) => backoffDelayMs(supervision.reader.backoff, context.crashes),
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
        onLost: (cluster, reason, silentMs) => this.#actor.send({ type: 'cluster.lost', cluster, reason, silentMs }),
        onFailed: (cluster, error) => this.#fail(error, cluster),
      });
    }
  }

  /** Stops fetching; what was fetched and not dispatched is let go, what is in the pool still goes out. */
  drain(): void {
    this.#actor.send({ type: 'source.drain' });
  }

  abort(): void {
    this.#actor.send({ type: 'source.abort' });
    this.#actor.stop();
  }

  get watermark(): number {
    return this.#watermarks.combined;
  }
  get heldBy(): { cluster: string; ms: number } | undefined {
    return this.#held === undefined
      ? undefined
      : { cluster: this.#held.cluster, ms: this.#ports.clock.now() - this.#held.since };
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

  #allSplits(): Split[] {
    return [...this.#splits.values()].flat();
  }

  #fail(error: BraidError, cluster: string): void {
    this.#error ??= error;
    this.#actor.send({ type: 'split.failed', cluster, failure: error });
  }

  /** Finds the partitions and the offsets to start and stop at, once a cluster; a cluster that returns keeps its splits. */
  async #assignSplits(cluster: string): Promise<void> {
    const client = this.#connections.get(cluster)?.client;
    if (client === undefined) return;
    if (!this.#splits.has(cluster)) {
      try {
        const found = await this.#findSplits(cluster, client);
        if (this.#connections.get(cluster)?.client !== client || this.#splits.has(cluster)) return;
        this.#splits.set(cluster, found);
        for (const split of found) {
          this.#watermarks.add(split.id);
          if (isDone(split)) this.#watermarks.end(split.id);
          else this.#dispatcher.add(split);
        }
        this.#watermarks.end(-1 - this.node.clusters.findIndex(each => each.name === cluster));
      } catch (thrown) {
        const error = toBraidError(thrown, 'BROKER_ERROR', cluster);
        if (this.#connections.get(cluster)?.client !== client) return;
        if (error.code === 'CONNECTION_LOST' || error.code === 'REQUEST_TIMED_OUT') {
          this.#connections.get(cluster)?.report(client, error);
          this.#ports.clock.after(supervision.reader.backoff.firstMs, () => void this.#assignSplits(cluster));
        } else this.#fail(error, cluster);
        return;
      }
    }
    const open = this.splitsOf(cluster).filter(split => !isDone(split));
    this.#actor.send({ type: 'splits.assigned', cluster, splits: open.map(nameOf) });
  }

  async #findSplits(cluster: string, client: ClusterClient): Promise<Split[]> {
    const { topic, options } = this.node;
    const [metadata] = await client.metadata([topic]);
    if (metadata === undefined || metadata.partitions.length === 0) {
      throw new BraidError('TOPIC_UNKNOWN', `the cluster has no topic ${topic}`, { place: cluster });
    }
    const partitions = metadata.partitions.map(each => each.partition);
    const starts = await client.listOffsets(topic, partitions, options.startFrom);
    const ends = await client.listOffsets(topic, partitions, 'latest');
    return metadata.partitions.map(({ partition, leader }) => {
      const start = starts.get(partition) ?? 0;
      const end = ends.get(partition) ?? start;
      return {
        id: this.#nextSplitId++,
        cluster,
        topic,
        partition,
        endOffset: options.bounded ? end : Number.POSITIVE_INFINITY,
        fetchOffset: start,
        ownedOffset: start,
        highWatermark: end,
        leader,
        pieces: [],
        queuedRecords: 0,
        queuedBytes: 0,
        emptySince: undefined,
        recordsIn: 0,
      };
    });
  }

  #startReader(cluster: string): void {
    const client = this.#connections.get(cluster)?.client;
    const splits = this.splitsOf(cluster);
    this.#readers.get(cluster)?.stop();
    if (client === undefined || splits.length === 0) return;
    const reader = new SplitReader(client, splits, this.#limits, {
      clock: this.#ports.clock,
      slabs: this.slabs,
      onPiece: split => {
        this.#watermarks.wake(split.id);
        this.#dispatcher.wake(split);
      },
      onEmpty: split => this.#noteEmpty(split),
      onRequestFailed: (from, error) => this.#connections.get(cluster)?.report(from, error),
      onFatal: error => this.#readerFailed(cluster, error),
    });
    this.#readers.set(cluster, reader);
    reader.start();
  }

  /** An error of the input or of the broker ends the job; a defect in a reader costs one of its restarts. */
  #readerFailed(cluster: string, error: BraidError): void {
    if (error.domain !== 'internal') {
      this.#fail(error, cluster);
      return;
    }
    this.#stopReader(cluster);
    this.#reports.event({
      type: 'actor.restarted',
      actor: `reader ${cluster}`,
      code: error.code,
      reason: error.message,
      restarts: this.#actor.getSnapshot().context.crashes + 1,
      restartsMax: supervision.reader.restartsMax,
    });
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

  #hold(cluster: string, silentMs: number): void {
    const { holdWatermarkMs } = this.node.options;
    if (holdWatermarkMs <= silentMs || this.splitsOf(cluster).every(isDone)) return;
    this.#held ??= { cluster, since: this.#ports.clock.now() - silentMs };
    this.#reports.event({ type: 'watermark.held', cluster, watermark: this.watermark, holdMsMax: holdWatermarkMs });
  }

  #releaseWatermark(cluster: string): void {
    for (const split of this.splitsOf(cluster)) this.#watermarks.idle(split.id);
    this.#endHold(cluster, 'expired');
    this.#dispatcher.flushWatermark();
  }

  #rejoinWatermark(cluster: string): void {
    for (const split of this.splitsOf(cluster)) if (!isDone(split)) this.#watermarks.wake(split.id);
    this.#endHold(cluster, 'returned');
  }

  #endHold(cluster: string, because: 'returned' | 'expired'): void {
    if (this.#held?.cluster !== cluster) return;
    this.#reports.event({
      type: 'watermark.released',
      cluster,
      because,
      heldMs: this.#ports.clock.now() - this.#held.since,
    });
    this.#held = undefined;
  }

  async #closeOutput(complete: boolean): Promise<void> {
    await this.#dispatcher.close(complete);
    this.#actor.send({ type: 'output.drained' });
  }
}

/** Memory is shared out evenly over the splits; a paced source queues half a second of its rate at most. */
function limitsOf(node: KafkaSourceNode, splits: number): SplitReaderLimits {
  const { options } = node;
  const perSplit = Math.max(1, splits);
  const partitionBytesMax = 1 << 20;
  const rate = options.recordsPerSecondMax;
  return {
    waitMsMax: Math.max(1, Math.floor(options.suspectAfterMs * 0.4)),
    partitionBytesMax,
    responseBytesMax: 8 << 20,
    queuedBytesMax: Math.max(partitionBytesMax / 4, options.prefetchBytesMax / perSplit - partitionBytesMax),
    queuedRecordsMax:
      rate === Number.POSITIVE_INFINITY ? Number.POSITIVE_INFINITY : Math.max(1, (rate * 0.5) / perSplit),
    pieceRecordsMax: rate === Number.POSITIVE_INFINITY ? Number.POSITIVE_INFINITY : Math.max(1, rate * 0.02),
    retryDelayMs: 100,
  };
}
