import type { Socket } from 'node:net';
import { type BrokerHost, type ClientConnection, dispatch, type Outcome } from './dispatch.ts';
import { FrameAssembler, FrameRefused } from './frame-assembler.ts';

/** Bytes of requests that may wait behind the one in work before the socket is no longer read. */
const waitingBytesMax = 1024 * 1024;

/**
 * One client connection. As in Apache Kafka, one request of a connection is in work at a time and the others wait in
 * their order, so answers never overtake one another.
 *
 * Invariant: the socket is read only while the broker is heard, no request is in work with much behind it, and the
 * client takes its answers. What is not read stays in the kernel and slows the client down, as TCP does.
 */
export class Connection implements ClientConnection {
  readonly id: number;
  readonly clientHost: string;
  readonly #socket: Socket;
  readonly #host: BrokerHost;
  readonly #frames: FrameAssembler;
  readonly #closedCallbacks = new Set<() => void>();
  readonly #onRefused: (reason: string) => void;
  /** Outcomes that a silence holds back. */
  #held: Outcome[] = [];
  #silent: boolean;
  #working = false;
  #choked = false;
  #ended = false;
  #dropped = false;

  constructor(id: number, socket: Socket, host: BrokerHost, silent: boolean, onRefused: (reason: string) => void) {
    this.id = id;
    this.clientHost = `/${socket.remoteAddress ?? ''}`;
    this.#socket = socket;
    this.#host = host;
    this.#silent = silent;
    this.#onRefused = onRefused;
    this.#frames = new FrameAssembler(host.cluster.settings.requestBytesMax);
    socket.setNoDelay(true);
    // Resets and broken pipes are the client's affair: 'close' follows and is all that matters here.
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      this.#frames.push(chunk);
      this.#work();
    });
    socket.on('drain', () => {
      this.#choked = false;
      this.#work();
    });
    socket.on('end', () => {
      this.#ended = true;
      this.#work();
    });
    socket.on('close', () => this.#closed());
    if (silent) socket.pause();
  }

  get dropped(): boolean {
    return this.#dropped;
  }

  onClosed(callback: () => void): () => void {
    this.#closedCallbacks.add(callback);
    return () => this.#closedCallbacks.delete(callback);
  }

  /** Stops reading and answering. */
  silence(): void {
    this.#silent = true;
    this.#socket.pause();
  }

  /** Sends what was held back and goes on with what has arrived. */
  heal(): void {
    if (!this.#silent) return;
    this.#silent = false;
    for (const outcome of this.#held.splice(0)) this.#finish(outcome);
    this.#work();
  }

  /** Drops the connection with a TCP reset; what waits in it is lost, as with a killed process. */
  reset(): void {
    this.#dropped = true;
    // libuv refuses to reset a socket amid its shutdown, and Node then keeps a handle that no exit gets rid of.
    if (this.#socket.writableEnded && !this.#socket.writableFinished) this.#socket.destroy();
    else this.#socket.resetAndDestroy();
  }

  #work(): void {
    while (!this.#dropped && !this.#silent && !this.#working && !this.#choked) {
      const frame = this.#nextFrame();
      if (frame === undefined) break;
      const outcome = dispatch(this.#host, this, frame);
      if (outcome instanceof Promise) {
        this.#working = true;
        outcome.then(
          done => {
            this.#working = false;
            this.#finish(done);
            this.#work();
          },
          // A defect of a handler: it must not look like a fault of the network.
          error =>
            queueMicrotask(() => {
              throw error;
            }),
        );
      } else {
        this.#finish(outcome);
      }
    }
    this.#regulate();
  }

  #nextFrame(): Buffer | undefined {
    try {
      return this.#frames.next();
    } catch (error) {
      if (!(error instanceof FrameRefused)) throw error;
      this.#refuse(error.message);
      return undefined;
    }
  }

  #finish(outcome: Outcome): void {
    if (this.#dropped) return;
    if (this.#silent) {
      this.#held.push(outcome);
      return;
    }
    switch (outcome.kind) {
      case 'answer':
        this.#send(outcome.pieces);
        return;
      case 'silent':
        return;
      case 'close':
        this.#refuse(outcome.reason);
        return;
      case 'reset':
        this.reset();
    }
  }

  #send(pieces: readonly Uint8Array[]): void {
    if (!this.#socket.writable) return;
    this.#socket.cork();
    for (const piece of pieces) this.#choked = !this.#socket.write(piece);
    this.#socket.uncork();
  }

  #refuse(reason: string): void {
    this.#dropped = true;
    this.#onRefused(reason);
    this.#socket.destroy();
  }

  /** Reads on, stops reading, or, when the client has said its last and all is answered, closes. */
  #regulate(): void {
    if (this.#silent || this.#socket.destroyed) return;
    const waiting = this.#working || this.#choked;
    if (this.#ended && !waiting) this.#socket.end();
    else if (waiting && this.#frames.bufferedBytes > waitingBytesMax) this.#socket.pause();
    else this.#socket.resume();
  }

  #closed(): void {
    for (const callback of [...this.#closedCallbacks]) callback();
    this.#closedCallbacks.clear();
  }
}
