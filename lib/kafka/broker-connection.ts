import { BraidError } from '../base/errors.ts';
import type { CheckedAddress, HostPort } from './address.ts';
import type { WireRequest } from './requests/request.ts';
import { Session, type SessionLimits } from './session.ts';

export interface ConnectionEvents {
  /** Bytes came from the broker: it lives. */
  readonly onBytes: () => void;
  /** A socket that stood is gone, and nobody here destroyed it. */
  readonly onClosed: (reason: string) => void;
}

/** Brokers hang up on idle connections (connections.max.idle.ms, ten minutes); after this much silence it is no fault. */
const idleMs = 60_000;

/**
 * A way to a broker: at most one session at a time, dialled by the first request, and again by the first one after it was
 * lost. A request that was sent is never sent again from here.
 */
export class BrokerConnection {
  readonly broker: HostPort;
  readonly #address: CheckedAddress;
  readonly #limits: SessionLimits;
  readonly #events: ConnectionEvents;
  #session: Session | undefined;
  #ready: Promise<Session> | undefined;
  #dialling = false;
  #destroyed: BraidError | undefined;
  #usedAt = 0;

  constructor(broker: HostPort, address: CheckedAddress, limits: SessionLimits, events: ConnectionEvents) {
    this.broker = broker;
    this.#address = address;
    this.#limits = limits;
    this.#events = events;
  }

  get open(): boolean {
    return this.#session !== undefined && !this.#dialling;
  }
  /** Requests sent and not answered; a dial counts as one. */
  get inFlight(): number {
    return this.#dialling ? 1 : (this.#session?.pending ?? 0);
  }

  async connect(): Promise<void> {
    await this.#connected();
  }

  async send<T>(request: WireRequest<T>): Promise<T> {
    const session = await this.#connected();
    this.#usedAt = performance.now();
    const answer = await session.send(request);
    this.#usedAt = performance.now();
    try {
      return request.decode(answer);
    } catch (thrown) {
      throw misread(thrown, request.apiName, session.place);
    }
  }

  /** Destroys the socket at once: what is pending and whatever is called later rejects with `error`. */
  destroy(error: BraidError): void {
    this.#destroyed ??= error;
    this.#session?.close(error);
    this.#session = undefined;
  }

  #connected(): Promise<Session> {
    if (this.#destroyed !== undefined) return Promise.reject(this.#destroyed);
    if (this.#session === undefined) this.#ready = this.#dial();
    return this.#ready as Promise<Session>;
  }

  async #dial(): Promise<Session> {
    const session = new Session(this.broker, this.#address, this.#limits, this.#events.onBytes);
    this.#session = session;
    this.#dialling = true;
    try {
      await session.open();
      if (session.closed !== undefined) throw session.closed;
    } catch (thrown) {
      if (this.#session === session) this.#session = undefined;
      throw thrown;
    } finally {
      this.#dialling = false;
    }
    session.onLost = reason => {
      if (this.#session === session) this.#session = undefined;
      const idle = reason === 'ended' && session.pending === 0 && performance.now() - this.#usedAt > idleMs;
      if (!idle) this.#events.onClosed(`${this.broker.host}:${this.broker.port} ${reason}`);
    };
    this.#usedAt = performance.now();
    return session;
  }
}

/** An answer that cannot be read names who sent it, and where in it reading stopped. */
function misread(thrown: unknown, apiName: string, place: string): unknown {
  if (!(thrown instanceof BraidError)) return thrown;
  const { code, message, hint } = thrown;
  return new BraidError(code, `the answer to ${apiName} cannot be read: ${message}`, {
    place: thrown.place === undefined ? place : `${place}, ${thrown.place}`,
    hint: hint ?? 'is it an Apache Kafka broker, with nothing in between that changes what it says?',
    cause: thrown,
  });
}
