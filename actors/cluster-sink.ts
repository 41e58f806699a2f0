import type { Actor } from 'xstate';
import { backoffDelayMs } from '../lib/base/backoff.ts';
import type { Channel } from '../lib/base/channel.ts';
import { BraidError, toBraidError } from '../lib/base/errors.ts';
import { Signal } from '../lib/base/signal.ts';
import { brokerErrorOf } from '../lib/kafka/error-codes.ts';
import type { ClusterClient } from '../lib/kafka/transport.ts';
import type { KafkaSinkNode } from '../lib/plan/logical.ts';
import { clusterSinkMachine } from '../state-machines/cluster-sink.ts';
import { type ActorSystemPorts, chartActor, errorOf } from './chart-actor.ts';
import { type Connection, concernsConnection } from './connection.ts';
import type { Reports } from './reports.ts';
import { SinkBuffer } from './sink-buffer.ts';
import { SinkTopics } from './sink-topics.ts';
import { SinkWriter } from './sink-writer.ts';
import type { StreamItem } from './stream-item.ts';
import { supervision } from './supervision.ts';
import { Timers } from './timers.ts';

/** Record or batch too large, invalid timestamp, invalid record: the rows themselves are the reason. */
const refusedEverywhere: ReadonlySet<number> = new Set([10, 18, 32, 87]);

export interface ClusterSinkHandlers {
  /** The first cluster is written to. */
  onWriting(): void;
  /** The input has ended and every row is acknowledged. */
  onDrained(): void;
  onFailed(error: BraidError): void;
}

/**
 * The actor of a Kafka sink over N clusters: it takes batches while its chart says `writing`, and at a switch sends again
 * what nobody has acknowledged before it takes new ones.
 */
export class ClusterSink {
  readonly node: KafkaSinkNode;
  readonly #job: string;
  readonly #actor: Actor<typeof clusterSinkMachine>;
  readonly #connections: ReadonlyMap<string, Connection>;
  readonly #input: Channel<StreamItem>;
  readonly #reports: Reports;
  readonly #ports: ActorSystemPorts;
  readonly #topics: SinkTopics;
  readonly #timers: Timers;
  readonly #room = new Signal();
  #buffer: SinkBuffer | undefined;
  #writer: SinkWriter | undefined;
  #linger: (() => void) | undefined;
  #acknowledged = 0;
  #rowsIn = 0;
  #ended = false;
  #aborted = false;
  #error: BraidError | undefined;
  /** What the latest try failed with. */
  #trouble: BraidError | undefined;
  /** A switch that is not through yet: since when the left cluster was silent, and what it left. */
  #switch: { from: string; to: string; faultAt: number; resent: number } | undefined;
  /** When the cluster that is left had its fault, as its connection saw it. */
  #faultAt: number | undefined;
  /** The cluster that is still being sent the old rows. */
  #resendingTo: string | undefined;

  constructor(
    job: string,
    node: KafkaSinkNode,
    connections: ReadonlyMap<string, Connection>,
    input: Channel<StreamItem>,
    handlers: ClusterSinkHandlers,
    reports: Reports,
    ports: ActorSystemPorts,
  ) {
    this.#job = job;
    this.node = node;
    this.#connections = connections;
    this.#input = input;
    this.#reports = reports;
    this.#ports = ports;
    this.#topics = new SinkTopics(node.topic);
    this.#timers = new Timers(ports.clock);
    const machine = clusterSinkMachine.provide({
      actions: {
        prepareCluster: ({ event }) => {
          if (event.type === 'cluster.healthy') void this.#prepare(event.cluster);
        },
        openWriter: ({ context }) => {
          if (this.#writer === undefined) this.#openWriter(context.active);
          this.#room.notify();
        },
        abandonWriter: () => {
          this.#writer?.abandon();
          this.#writer = undefined;
          this.#linger?.();
          this.#linger = undefined;
        },
        resendUnacknowledged: ({ context }) => this.#resend(context.left, context.active),
        retryProduce: ({ context }) => this.#retry(context.retries),
        flush: () => {
          this.#ended = true;
          this.#buffer?.sealAll();
          this.#writer?.pump();
          this.#checkDrained();
        },
        announceActive: () => handlers.onWriting(),
        reportFinished: () => handlers.onDrained(),
        reportStopped: () => {},
        reportFailed: ({ context }) => handlers.onFailed(this.#error ?? errorOf(context.failure, 'SINK_FAILED')),
      },
      delays: {
        retryBackoff: ({ context }) => backoffDelayMs(supervision.writer.backoff, context.retries - 1),
        retryWindow: supervision.writer.windowMs,
      },
    });
    const names = node.clusters.map(cluster => cluster.name);
    const first = node.options.active ?? names[0];
    const ordered = [...names.filter(name => name === first), ...names.filter(name => name !== first)];
    this.#actor = chartActor(
      machine,
      `sink ${node.name}`,
      { sink: node.name, clusters: ordered, retriesMax: supervision.writer.restartsMax },
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
          if (cluster === this.active) this.#faultAt = this.#ports.clock.now() - silentMs;
          this.#actor.send({ type: 'cluster.lost', cluster, reason });
        },
        onFailed: (cluster, error) => this.#refuse(cluster, error),
      });
    }
    void this.#consume().catch(thrown =>
      this.#refuse(this.active ?? '', toBraidError(thrown, 'SINK_FAILED', this.node.name)),
    );
  }

  abort(): void {
    this.#aborted = true;
    this.#actor.send({ type: 'sink.abort' });
    this.#actor.stop();
    this.#timers.stop();
    this.#room.notify();
    this.#input.wake();
  }

  get active(): string | undefined {
    return this.#actor.getSnapshot().context.active ?? undefined;
  }
  get trouble(): BraidError | undefined {
    return this.#trouble;
  }
  get rowsIn(): number {
    return this.#rowsIn;
  }
  get acknowledged(): number {
    return this.#acknowledged;
  }
  get unacknowledged(): number {
    return this.#buffer?.unacknowledged ?? 0;
  }
  get resent(): number {
    return this.#buffer?.resent ?? 0;
  }
  get switches(): number {
    return this.#actor.getSnapshot().context.failovers;
  }

  async #consume(): Promise<void> {
    for (;;) {
      await this.#input.readable();
      while (!this.#aborted && !this.#takesRows()) await this.#room.next();
      if (this.#aborted) return;
      const item = this.#input.take();
      if (item === undefined) continue;
      if (item.kind === 'end') {
        this.#actor.send({ type: 'input.ended' });
        return;
      }
      if (item.kind === 'data') this.#add(item);
    }
  }

  #takesRows(): boolean {
    return (
      this.#actor.getSnapshot().matches({ running: { delivery: 'writing' } }) &&
      this.unacknowledged < this.node.options.unacknowledgedRowsMax
    );
  }

  #add(item: StreamItem & { kind: 'data' }): void {
    const { batch } = item.flow;
    this.#buffer!.add(batch, this.active!);
    this.#rowsIn += batch.rows;
    // What fills the sink must not wait for the linger: nothing else would come to fill its batch.
    if (this.unacknowledged >= this.node.options.unacknowledgedRowsMax) this.#buffer!.sealAll();
    this.#writer?.pump();
    if (this.unacknowledged === 0 || this.#linger !== undefined) return;
    this.#linger = this.#timers.after(this.node.options.lingerMs, () => {
      this.#linger = undefined;
      this.#buffer?.sealAll();
      this.#writer?.pump();
    });
  }

  /** Finds the topic in a cluster that is healthy (again), so that it can be switched to. */
  async #prepare(cluster: string, attempt = 0): Promise<void> {
    const connection = this.#connections.get(cluster);
    const client = connection?.client;
    if (connection === undefined || client === undefined) return;
    try {
      const [metadata] = await client.metadata([this.node.topic]);
      if (connection.client !== client) return;
      this.#topics.add(cluster, metadata);
      this.#trouble = undefined;
      this.#actor.send({ type: 'cluster.ready', cluster });
    } catch (thrown) {
      if (connection.client !== client) return;
      const error = toBraidError(thrown, 'ASSERTION', cluster);
      const { backoff, restartsMax } = supervision.writer;
      // That the topic is missing is final at the start; a cluster that comes back may need a moment to find it.
      const known = this.#topics.of(cluster) !== undefined;
      const triesMax = error.code === 'TOPIC_UNKNOWN' ? (known ? restartsMax : 0) : Infinity;
      if ((!error.retriable && !concernsConnection(error)) || attempt >= triesMax) {
        this.#refuse(cluster, error);
        return;
      }
      this.#trouble = error;
      if (concernsConnection(error)) connection.report(client, error);
      this.#timers.after(backoffDelayMs(backoff, attempt), () => void this.#prepare(cluster, attempt + 1));
    }
  }

  #retry(retries: number): void {
    const { code, message } = this.#trouble ?? new BraidError('SINK_FAILED', 'a try failed');
    const { restartsMax } = supervision.writer;
    this.#reports.event({
      type: 'actor.restarted',
      actor: `writer ${this.active}`,
      code,
      reason: message,
      restarts: retries,
      restartsMax,
    });
    void this.#writer?.retry();
  }

  #refuse(cluster: string, error: BraidError): void {
    this.#error ??= error;
    this.#actor.send({ type: 'cluster.refused', cluster, failure: error });
  }

  #openWriter(active: string | null): void {
    const client: ClusterClient | undefined = active === null ? undefined : this.#connections.get(active)?.client;
    const metadata = this.#topics.of(active);
    if (client === undefined || metadata === undefined) return;
    this.#buffer ??= new SinkBuffer({
      topic: this.node.topic,
      schema: this.node.input.schema,
      keyColumn: this.node.keyColumn,
      partitions: metadata.partitions.length,
      batchBytesMax: this.node.options.batchBytesMax,
      tag: { job: this.#job, sink: this.node.name, writer: 0, epoch: 0 },
      wallClock: () => performance.timeOrigin + this.#ports.clock.now(),
    });
    const writer = new SinkWriter(client, metadata, this.#buffer, 30_000, {
      onAcknowledged: rows => {
        this.#acknowledged += rows;
        this.#trouble = undefined;
        this.#noteResent();
        this.#room.notify();
        this.#checkDrained();
      },
      onFailed: (error, fatal) => this.#produceFailed(client, error, fatal),
    });
    this.#writer = writer;
    writer.pump();
  }

  #produceFailed(client: ClusterClient, error: BraidError, fatal: boolean): void {
    this.#trouble = error;
    // What one cluster will never take (its disk, its ACLs) another may: only what none would take ends the job at once.
    const { ready } = this.#actor.getSnapshot().context;
    const hopeless =
      fatal &&
      (refusedEverywhere.has(brokerErrorOf(error)?.code ?? 0) || !ready.some(other => other !== client.cluster));
    if (hopeless) this.#error ??= error;
    else if (concernsConnection(error)) this.#connections.get(client.cluster)?.report(client, error);
    this.#actor.send({ type: 'produce.failed', cluster: client.cluster, failure: error, fatal: hopeless });
  }

  #resend(left: string | null, active: string | null): void {
    const resent = this.#buffer?.rewind() ?? 0;
    if (active === null) return;
    this.#resendingTo = active;
    if (left !== null)
      this.#switch = { from: left, to: active, faultAt: this.#faultAt ?? this.#ports.clock.now(), resent };
    this.#faultAt = undefined;
    this.#openWriter(active);
    this.#noteResent();
  }

  /** A switch is told when the new cluster has acknowledged something, or at once where nothing was unacknowledged. */
  #noteResent(): void {
    const change = this.#switch;
    const buffer = this.#buffer;
    if (change !== undefined && (change.resent === 0 || (buffer?.unacknowledged ?? 0) < change.resent)) {
      this.#switch = undefined;
      const { from, to, resent, faultAt } = change;
      this.#reports.event({ type: 'sink.switched', from, to, resent, ms: this.#ports.clock.now() - faultAt });
    }
    const resending = this.#resendingTo;
    if (resending === undefined || (buffer?.old ?? 0) > 0) return;
    this.#resendingTo = undefined;
    queueMicrotask(() => this.#actor.send({ type: 'rows.resent', cluster: resending }));
  }

  #checkDrained(): void {
    if (this.#ended && this.unacknowledged === 0) queueMicrotask(() => this.#actor.send({ type: 'rows.acknowledged' }));
  }
}
