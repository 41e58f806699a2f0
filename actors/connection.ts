import type { Actor } from 'xstate';
import { type BraidError, toBraidError } from '../lib/base/errors.ts';
import type { ClientFactory, ClusterClient } from '../lib/kafka/transport.ts';
import type { ClusterState } from '../lib/plan/job-report.ts';
import { connectionMachine } from '../state-machines/connection.ts';
import { type ActorSystemPorts, chartActor, follow } from './chart-actor.ts';
import { Silence } from './silence.ts';
import { supervision } from './supervision.ts';

export interface ConnectionOptions {
  /** Unanswered requests for this long make a connection suspect. */
  readonly suspectAfterMs: number;
  /** How much longer than that the cluster may stay silent before it counts as down. */
  readonly confirmAfterMs: number;
  readonly connectTimeoutMs: number;
}

export const connectionDefaults: ConnectionOptions = {
  suspectAfterMs: 400,
  confirmAfterMs: 200,
  connectTimeoutMs: 5_000,
};

/** Errors that no second try mends. */
const fatalCodes: ReadonlySet<string> = new Set(['NOT_KAFKA', 'AUTHENTICATION_FAILED', 'OPTION_INVALID']);

/** A broker that answers and refuses, a version that it does not serve say, will do so again. */
function isFatal(error: BraidError): boolean {
  return fatalCodes.has(error.code) || (error.code === 'BROKER_ERROR' && !error.retriable);
}

/** Whether a failed request says something about the cluster as a whole, and not about what was asked. */
export function concernsConnection(error: BraidError): boolean {
  return error.code === 'CONNECTION_LOST' || error.code === 'REQUEST_TIMED_OUT' || error.code === 'CLUSTER_UNREACHABLE';
}

export interface ConnectionListener {
  /** Connected, for the first time or again: `client` is new and belongs to `generation`. */
  onHealthy(cluster: string, client: ClusterClient): void;
  /** Given up: its client is destroyed, pending calls have rejected. `silentMs`: since its last answer. */
  onLost(cluster: string, reason: string, silentMs: number): void;
  /** It can never be reached as it is configured. */
  onFailed(cluster: string, error: BraidError): void;
}

export interface StateChange {
  readonly cluster: string;
  readonly from: ClusterState;
  readonly to: ClusterState;
  readonly reason: string;
  readonly generation: number;
  readonly at: number;
}

/**
 * The actor of one Kafka cluster: dials it, judges its silence, probes it while it is down. The chart decides what
 * follows from a fact; this file observes the facts and carries the decisions out. Source and sink share it.
 */
export class Connection {
  readonly cluster: string;
  readonly #actor: Actor<typeof connectionMachine>;
  readonly #dialClient: ClientFactory;
  readonly #options: ConnectionOptions;
  readonly #ports: ActorSystemPorts;
  readonly #listeners = new Set<ConnectionListener>();
  readonly #onState: (change: StateChange) => void;
  readonly #tickMs: number;
  #client: ClusterClient | undefined;
  #probe: ClusterClient | undefined;
  #silence: Silence | undefined;
  #lastAnswerAt: number;
  #state: ClusterState = 'connecting';
  #stopTicking: (() => void) | undefined;

  constructor(
    cluster: string,
    brokers: readonly string[],
    dialClient: ClientFactory,
    options: ConnectionOptions,
    onState: (change: StateChange) => void,
    ports: ActorSystemPorts,
  ) {
    this.cluster = cluster;
    this.#dialClient = dialClient;
    this.#options = options;
    this.#onState = onState;
    this.#ports = ports;
    this.#tickMs = options.suspectAfterMs / 8;
    this.#lastAnswerAt = ports.clock.now();
    const machine = connectionMachine.provide({
      actions: {
        resolveBrokers: ({ self }) => self.send({ type: 'brokers.resolved', brokers }),
        dial: ({ context }) => this.#dial(context.generation),
        destroyClient: () => this.#destroyClient(),
        sendHeartbeat: ({ context }) => {
          // Answers from before the suspicion say nothing about it.
          this.#silence?.tick(this.#ports.clock.now());
          this.#heartbeat(context.generation);
        },
        startProbe: ({ context }) => this.#startProbe(context.generation),
        endProbe: () => this.#endProbe(),
        announceHealthy: () => this.#announceHealthy(),
        announceLost: ({ context }) => {
          const silentMs = this.#ports.clock.now() - this.#lastAnswerAt;
          for (const listener of this.#listeners) listener.onLost(this.cluster, context.reason ?? 'lost', silentMs);
        },
        announceClosed: () => {},
        announceFailed: ({ context }) => {
          const error = toBraidError(
            this.#lastError ?? new Error(context.reason ?? 'failed'),
            'CLUSTER_UNREACHABLE',
            this.cluster,
          );
          for (const listener of this.#listeners) listener.onFailed(this.cluster, error);
        },
      },
      delays: {
        connectTimeout: options.connectTimeoutMs,
        probeEvery: supervision.connection.backoff.firstMs,
        probeTimeout: options.suspectAfterMs * 2,
      },
    });
    this.#actor = chartActor(machine, `connection ${cluster}`, { cluster }, ports);
  }

  #lastError: BraidError | undefined;

  /** Why the last dial failed. */
  get trouble(): BraidError | undefined {
    return this.#lastError;
  }
  get state(): ClusterState {
    return this.#state;
  }
  /** The client of the present generation, while it is served. */
  get client(): ClusterClient | undefined {
    return this.#state === 'healthy' || this.#state === 'suspect' ? this.#client : undefined;
  }
  /** When the cluster was last heard of, by the clock. */
  get lastAnswerAt(): number {
    return this.#lastAnswerAt;
  }
  /** Why the cluster is not healthy, as the last fact said it. */
  get reason(): string | undefined {
    return this.#actor.getSnapshot().context.reason ?? undefined;
  }

  listen(listener: ConnectionListener): void {
    this.#listeners.add(listener);
  }

  start(): void {
    follow(this.#actor, snapshot => {
      const to = clusterStateOf(snapshot.value);
      if (to === this.#state) return;
      const from = this.#state;
      this.#state = to;
      const { reason, generation } = snapshot.context;
      this.#onState({
        cluster: this.cluster,
        from,
        to,
        reason: reason ?? (to === 'healthy' ? 'answers' : to),
        generation,
        at: this.#ports.clock.now(),
      });
    });
    this.#actor.start();
    this.#stopTicking = this.#ports.clock.every(this.#tickMs, () => this.#tick());
  }

  close(): void {
    this.#stopTicking?.();
    this.#actor.send({ type: 'connection.close' });
    this.#actor.stop();
  }

  /** A request of source or sink failed as a whole. The chart checks with a heartbeat of its own. */
  report(client: ClusterClient, error: BraidError): void {
    this.#actor.send({ type: 'socket.closed', generation: client.generation, reason: error.message });
  }

  #dial(generation: number): void {
    const client = this.#dialClient(generation);
    this.#client = client;
    client.traffic.onClosed = reason => this.#actor.send({ type: 'socket.closed', generation, reason });
    client.connect().then(
      () => this.#actor.send({ type: 'client.connected', generation }),
      thrown => {
        const error = toBraidError(thrown, 'CLUSTER_UNREACHABLE', this.cluster);
        this.#lastError = error;
        this.#actor.send({ type: 'client.failed', generation, failure: error, fatal: isFatal(error) });
      },
    );
  }

  #announceHealthy(): void {
    const client = this.#client;
    if (client === undefined) return;
    const now = this.#ports.clock.now();
    this.#silence = new Silence(client.traffic, this.#tickMs, now);
    this.#lastAnswerAt = now;
    // After the chart has reached `healthy`: listeners look at `client`, which asks for the state.
    queueMicrotask(() => {
      if (this.#client !== client) return;
      for (const listener of this.#listeners) listener.onHealthy(this.cluster, client);
    });
  }

  #destroyClient(): void {
    this.#silence = undefined;
    this.#client?.destroy();
    this.#client = undefined;
  }

  #tick(): void {
    const silence = this.#silence;
    const client = this.#client;
    if (silence === undefined || client === undefined) return;
    const verdict = silence.tick(this.#ports.clock.now());
    this.#lastAnswerAt = silence.lastAnswerAt;
    if (this.#state === 'suspect') {
      if (verdict === 'answered') this.#actor.send({ type: 'answer.received' });
      else if (silence.silentMs > this.#options.suspectAfterMs + this.#options.confirmAfterMs) {
        this.#actor.send({ type: 'silence.confirmed', silentMs: silence.silentMs });
      }
    } else if (verdict === 'idle') {
      // Back-pressure stops the fetches; without a request in flight nobody would notice that the cluster has gone.
      this.#heartbeat(client.generation);
    } else if (silence.silentMs > this.#options.suspectAfterMs) {
      this.#actor.send({ type: 'answer.overdue', silentMs: silence.silentMs });
    }
  }

  #heartbeat(generation: number): void {
    const client = this.#client;
    client?.heartbeat().then(
      () => {
        if (this.#state === 'suspect' && this.#client === client) this.#actor.send({ type: 'answer.received' });
      },
      thrown => {
        const { message: reason } = toBraidError(thrown);
        // A healthy connection whose heartbeat fails is suspect first, and is asked once more.
        if (this.#state === 'healthy') this.#actor.send({ type: 'socket.closed', generation, reason });
        else this.#actor.send({ type: 'heartbeat.failed', generation, reason });
      },
    );
  }

  #startProbe(generation: number): void {
    const probe = this.#dialClient(generation);
    this.#probe = probe;
    probe.connect().then(
      () => {
        if (this.#probe === probe) this.#actor.send({ type: 'probe.answered' });
      },
      thrown => {
        if (this.#probe === probe) this.#actor.send({ type: 'probe.failed', reason: toBraidError(thrown).message });
        probe.destroy();
      },
    );
  }

  #endProbe(): void {
    this.#probe?.destroy();
    this.#probe = undefined;
  }
}

function clusterStateOf(value: unknown): ClusterState {
  const top = typeof value === 'string' ? value : Object.keys(value as object)[0];
  switch (top) {
    case 'resolvingBrokers':
    case 'connecting':
      return 'connecting';
    case 'healthy':
    case 'suspect':
    case 'down':
    case 'probing':
    case 'recovering':
      return top;
    default:
      return 'stopped';
  }
}
