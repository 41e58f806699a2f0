import { createServer, type Server, type Socket } from 'node:net';
import { BraidError } from '../base/errors.ts';
import type { BrokerInfo, ClusterState } from './cluster-state.ts';
import { Connection } from './connection.ts';
import type { BrokerHost } from './dispatch.ts';
import type { FaultRules } from './faults.ts';

/**
 * Free ports are looked for below the range from which the system takes the ports of outgoing connections: while a
 * broker is down, no client's socket can then land on its port, nor can a client that dials it connect to itself.
 */
const portMin = 20_000;
const portMax = 32_000;
const portTries = 200;
/** How long a broker that comes back waits for its own port to become free. */
const reopenTries = 100;
const reopenWaitMs = 50;

/** One broker's listener and its connections. */
export class BrokerServer implements BrokerHost {
  readonly cluster: ClusterState;
  readonly broker: BrokerInfo;
  readonly faults: FaultRules;
  readonly #connections = new Set<Connection>();
  readonly #onRefused: (reason: string) => void;
  #server: Server | undefined;
  #silent = false;
  #hearers: (() => void)[] = [];

  constructor(cluster: ClusterState, broker: BrokerInfo, faults: FaultRules, onRefused: (reason: string) => void) {
    this.cluster = cluster;
    this.broker = broker;
    this.faults = faults;
    this.#onRefused = onRefused;
  }

  /** Listens on `port`, or on a free one where it is 0. */
  async open(port: number): Promise<void> {
    for (let tries = 1; ; tries++) {
      const candidate = port === 0 ? portMin + Math.floor(Math.random() * (portMax - portMin)) : port;
      try {
        await this.#listen(candidate);
        this.broker.port = candidate;
        return;
      } catch (error) {
        const inUse = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
        if (port === 0 && inUse && tries < portTries) continue;
        throw new BraidError('OPTION_INVALID', `the embedded cluster cannot listen on port ${candidate}`, {
          place: `cluster ${this.cluster.name}, broker ${this.broker.id}`,
          hint: inUse ? 'something else listens there; choose another port, or none' : undefined,
          cause: error,
        });
      }
    }
  }

  /** Ends a silence too: a broker that comes back is heard. */
  async down(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const closed = new Promise<void>(resolve => server.close(() => resolve()));
    for (const connection of this.#connections) connection.reset();
    this.cluster.setAlive(this.broker.id, false);
    this.#hear();
    await closed;
  }

  async up(): Promise<void> {
    if (this.#server !== undefined) return;
    for (let tries = 1; ; tries++) {
      try {
        await this.#listen(this.broker.port);
        break;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || tries >= reopenTries) throw error;
        await new Promise(resolve => setTimeout(resolve, reopenWaitMs));
      }
    }
    this.cluster.setAlive(this.broker.id, true);
  }

  blackHole(): void {
    this.#silent = true;
    for (const connection of this.#connections) connection.silence();
  }

  heal(): void {
    this.#hear();
    for (const connection of [...this.#connections]) connection.heal();
  }

  whenHeard(): Promise<void> {
    return this.#silent ? new Promise(resolve => this.#hearers.push(resolve)) : Promise.resolve();
  }

  #hear(): void {
    this.#silent = false;
    for (const hearer of this.#hearers.splice(0)) hearer();
  }

  #listen(port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const server = createServer({ allowHalfOpen: true }, socket => this.#accept(socket));
      server.once('error', reject);
      server.listen(port, this.broker.host, () => {
        server.removeListener('error', reject);
        this.#server = server;
        resolve();
      });
    });
  }

  #accept(socket: Socket): void {
    const connection = new Connection(this.cluster.newConnectionId(), socket, this, this.#silent, this.#onRefused);
    this.#connections.add(connection);
    connection.onClosed(() => this.#connections.delete(connection));
  }
}
