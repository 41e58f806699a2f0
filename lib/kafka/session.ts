import net, { type Socket } from 'node:net';
import tls from 'node:tls';
import { ByteReader } from '../base/byte-reader.ts';
import { ByteWriter } from '../base/byte-writer.ts';
import { BraidError } from '../base/errors.ts';
import type { CheckedAddress, HostPort } from './address.ts';
import {
  authenticationFailed,
  connectionLost,
  dialCutOff,
  dialFailed,
  dialTimedOut,
  foreignProtocol,
  malformedFrame,
  requestTimedOut,
} from './connection-errors.ts';
import { brokerError } from './error-codes.ts';
import { type KafkajsConnection, type KafkajsConnectionOptions, kafkajsConnection } from './kafkajs.ts';
import { LargeFrame } from './large-frame.ts';
import { type ApiRange, apiVersionsRequest } from './requests/api-versions.ts';
import { apis, type WireRequest } from './requests/request.ts';

export interface SessionLimits {
  /** A dial, with TLS, ApiVersions and SASL, takes no longer than this. */
  readonly connectMsMax: number;
  /** An answer takes no longer than this, over what the broker may wait on purpose. */
  readonly requestMsMax: number;
  /** An answer is no longer than this. */
  readonly responseBytesMax: number;
}

const clientId = 'braid';
const saslAuthenticateKey = 36;
/** The answer to ApiVersions is about 400 bytes; what claims to be longer is another protocol. */
const greetingBytesMax = 1 << 20;
const keepAliveMs = 60_000;
/** A socket is read in pieces of this size, and a frame that needs more gathers in memory of its own. */
const readBytes = 64 << 10;
/** A longer frame is kafkajs' to gather: so much memory is not kept. */
const largeFrameBytesMax = 16 << 20;

/**
 * One socket to one broker, from dial to close; never dialled again. Requests go out at once, in order, and the broker
 * answers in order.
 *
 * Law: a request that times out takes the socket with it, because TCP would still deliver what was written once the fault
 * is over: a time-out never means "not written".
 */
export class Session {
  readonly place: string;
  /** Requests sent and not answered. */
  pending = 0;
  /** Versions that the broker serves, by API key. */
  ranges: ReadonlyMap<number, ApiRange> = new Map();
  /** Called once, when the socket is gone and `close` was not called. */
  onLost: ((reason: string) => void) | undefined;
  readonly #address: CheckedAddress;
  readonly #limits: SessionLimits;
  readonly #onBytes: () => void;
  readonly #connection: KafkajsConnection;
  readonly #processData: (chunk: Buffer) => void;
  readonly #large = new LargeFrame();
  #socket: Socket | undefined;
  #sawBytes = false;
  #greeted = false;
  #open = false;
  #closed: BraidError | undefined;
  #failDial: ((error: BraidError) => void) | undefined;

  /** Why it is closed, or undefined while it stands. */
  get closed(): BraidError | undefined {
    return this.#closed;
  }

  constructor(broker: HostPort, address: CheckedAddress, limits: SessionLimits, onBytes: () => void) {
    this.place = `${address.name} at ${broker.host}:${broker.port}`;
    this.#address = address;
    this.#limits = limits;
    this.#onBytes = onBytes;
    this.#connection = kafkajsConnection({
      ...broker,
      clientId,
      ssl: address.ssl ?? null,
      // kafkajs keeps state on the object it is given, so that each session needs its own.
      sasl: address.sasl === undefined ? null : { ...address.sasl },
      // Ours comes first, so that its error is the one that is seen.
      connectionTimeout: limits.connectMsMax + 1_000,
      requestTimeout: limits.requestMsMax,
      enforceRequestTimeout: false,
      socketFactory: dial => this.#openSocket(dial),
    });
    this.#processData = this.#connection.processData.bind(this.#connection);
    this.#connection.processData = chunk => this.#receive(chunk);
  }

  /** Dials, asks for the versions, authenticates. Rejects within `connectMsMax`, with the socket closed. */
  async open(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const failed = new Promise<never>((_, reject) => {
      this.#failDial = reject;
      timer = setTimeout(
        () => reject(dialTimedOut(this.place, this.#limits.connectMsMax, this.#sawBytes)),
        this.#limits.connectMsMax,
      );
    });
    try {
      await Promise.race([this.#handshake(), failed]);
    } catch (thrown) {
      // Where the socket was lost, what was learnt there says more than what kafkajs makes of it.
      const error = this.#closed ?? dialFailed(thrown, this.place, this.#address, this.#greeted);
      this.close(error);
      throw error;
    } finally {
      clearTimeout(timer);
    }
    this.#open = true;
  }

  /** Resolves with the answer behind its correlation id. CONNECTION_LOST, REQUEST_TIMED_OUT. */
  async send<T>(request: WireRequest<T>): Promise<ByteReader> {
    // Where the broker limits a SASL session, kafkajs knows when it is due again.
    if (this.#address.sasl !== undefined && !this.#connection.isAuthenticated()) await this.#authenticate();
    return this.#roundTrip(request, request.msMax ?? this.#limits.requestMsMax + (request.waitMs ?? 0));
  }

  /** Destroys the socket at once; what is pending rejects with `error`. */
  close(error: BraidError): void {
    if (this.#closed !== undefined) return;
    this.#closed = error;
    this.#failDial?.(error);
    this.#connection.requestQueue.rejectAll(error);
    this.#connection.requestQueue.destroy();
    // With an error, so that kafkajs learns of it too and drops its own timer.
    this.#socket?.destroy(error);
  }

  async #handshake(): Promise<void> {
    await this.#connection.connect();
    const { error, ranges } = apiVersionsRequest.decode(
      await this.#roundTrip(apiVersionsRequest, this.#limits.connectMsMax),
    );
    if (error !== 0) throw brokerError(error, 'ApiVersions', this.place);
    this.#greeted = true;
    this.ranges = ranges;
    for (const api of Object.values(apis)) checkRange(api, ranges, this.place);
    this.#connection.setVersions(Object.fromEntries(ranges));
    this.#connection.setSupportAuthenticationProtocol(ranges.has(saslAuthenticateKey));
    if (this.#address.sasl !== undefined) await this.#authenticate();
  }

  async #authenticate(): Promise<void> {
    try {
      await this.#connection.authenticate();
    } catch (thrown) {
      throw this.#closed ?? authenticationFailed(this.place, this.#address.sasl?.mechanism ?? 'SASL', thrown);
    }
  }

  #roundTrip<T>(request: WireRequest<T>, msMax: number): Promise<ByteReader> {
    return new Promise((resolve, reject) => {
      if (this.#closed !== undefined) return reject(this.#closed);
      const correlationId = this.#connection.nextCorrelationId();
      const { apiKey, apiName, apiVersion } = request;
      const timer = setTimeout(() => {
        entry.reject(requestTimedOut(this.place, apiName, msMax));
        this.#lose('a request timed out', connectionLost(this.place, `${apiName} timed out`));
      }, msMax);
      let settled = false;
      const settle = (): boolean => {
        if (settled) return false;
        settled = true;
        clearTimeout(timer);
        this.pending--;
        return true;
      };
      const entry = {
        apiKey,
        apiName,
        apiVersion,
        correlationId,
        resolve: ({ payload }: { readonly payload: Buffer }) => {
          if (settle()) resolve(new ByteReader(payload));
        },
        reject: (error: Error) => {
          if (settle()) reject(error instanceof BraidError ? error : connectionLost(this.place, error.message));
        },
      };
      this.pending++;
      this.#connection.requestQueue.push({
        entry,
        expectResponse: true,
        requestTimeout: null,
        sendRequest: () => this.#write(request, correlationId),
      });
    });
  }

  /** The frame's header, then the body from where it lies: a batch of a megabyte is not copied on its way out. */
  #write<T>(request: WireRequest<T>, correlationId: number): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    const head = new ByteWriter(64);
    head.int32(0).int16(request.apiKey).int16(request.apiVersion).int32(correlationId).string(clientId);
    let length = head.length - 4;
    for (const part of request.body) length += part.length;
    head.patchInt32(0, length);
    socket.cork();
    socket.write(head.view());
    for (const part of request.body) socket.write(part);
    socket.uncork();
  }

  #openSocket({ host, port, ssl, onConnect }: Parameters<KafkajsConnectionOptions['socketFactory']>[0]): Socket {
    const socket = ssl
      ? tls.connect({ host, port, ...(net.isIP(host) ? {} : { servername: host }), ...ssl }, onConnect)
      : net.connect({ host, port, onread: this.#reading() }, onConnect);
    socket.setKeepAlive(true, keepAliveMs);
    socket.setNoDelay(true);
    // Registered before kafkajs' own listeners, so that pending calls reject with our reason.
    socket.on('data', (chunk: Buffer) => this.#notice(chunk));
    socket.on('error', (error: NodeJS.ErrnoException) => this.#lose(error.code ?? error.message, error));
    socket.on('end', () => this.#lose('ended'));
    socket.on('close', () => this.#lose('closed'));
    this.#socket = socket;
    return socket;
  }

  /** Reads without a new buffer for every read: a socket that is read like this has no 'data' events. */
  #reading(): net.OnReadOpts {
    const memory = Buffer.allocUnsafeSlow(readBytes);
    return {
      buffer: () => (this.#large.open ? this.#large.rest : memory),
      callback: (bytes, read) => {
        // Node runs the microtasks between two reads.
        this.#large.release();
        if (read.buffer !== memory.buffer) {
          this.#onBytes();
          this.#large.arrived(bytes);
          this.#fulfillLarge();
        } else if (this.#beginsLarge(memory, bytes)) {
          this.#onBytes();
          this.#large.begin(frameBytes(memory), memory.subarray(0, bytes));
        } else {
          // kafkajs keeps what it is given.
          const chunk = Buffer.from(memory.subarray(0, bytes));
          this.#notice(chunk);
          this.#receive(chunk);
        }
        return true;
      },
    };
  }

  #notice(chunk: Buffer): void {
    this.#sawBytes = true;
    this.#onBytes();
    const foreign = this.#greeted ? undefined : foreignProtocol(chunk, this.place);
    if (foreign !== undefined) this.#lose('speaks another protocol', foreign);
  }

  #receive(chunk: Buffer): void {
    if (this.#closed !== undefined) return;
    if (this.#large.open) {
      const taken = this.#large.append(chunk);
      this.#fulfillLarge();
      if (taken < chunk.length) this.#receive(chunk.subarray(taken));
      return;
    }
    try {
      this.#processData(chunk);
    } catch {
      this.#lose('sent a malformed frame', malformedFrame(this.place, 'a malformed frame', this.#greeted));
    }
    const needed = this.#connection.bytesNeeded - 4;
    if (needed > (this.#greeted ? this.#limits.responseBytesMax : greetingBytesMax))
      this.#lose('sent a frame too long', malformedFrame(this.place, `a frame of ${needed} bytes`, this.#greeted));
    else if (this.#open && isLarge(needed + 4)) this.#takeOver();
  }

  /** Whether a read of `bytes` bytes is the first one of a long frame, and of nothing else. */
  #beginsLarge(memory: Buffer, bytes: number): boolean {
    if (!this.#open || this.#connection.bytesBuffered > 0 || bytes < 4) return false;
    const frame = frameBytes(memory);
    return frame > bytes && isLarge(frame) && frame - 4 <= this.#limits.responseBytesMax;
  }

  /** kafkajs has read the length of a long frame, and holds its first bytes: from here on it is not kafkajs' to gather. */
  #takeOver(): void {
    const connection = this.#connection;
    const [chunk, ...others] = connection.chunks;
    if (chunk === undefined) return;
    this.#large.begin(connection.bytesNeeded, others.length === 0 ? chunk : Buffer.concat(connection.chunks));
    connection.chunks = [];
    connection.bytesBuffered = 0;
    connection.bytesNeeded = 4;
  }

  #fulfillLarge(): void {
    const frame = this.#large.take();
    if (frame === undefined) return;
    // Over TLS several reads may come in one go; at the latest then the microtasks have run.
    setImmediate(() => this.#large.release());
    this.#connection.requestQueue.fulfillRequest({
      size: frame.length - 4,
      correlationId: frame.readInt32BE(4),
      payload: frame.subarray(8),
    });
  }

  #lose(reason: string, cause?: unknown): void {
    if (this.#closed !== undefined) return;
    const error = this.#open
      ? cause instanceof BraidError
        ? cause
        : connectionLost(this.place, reason)
      : cause === undefined
        ? dialCutOff(this.place, this.#address, this.#greeted)
        : dialFailed(cause, this.place, this.#address, this.#greeted);
    this.close(error);
    this.onLost?.(reason);
  }
}

/** Length of a frame with its length field. */
function frameBytes(first: Buffer): number {
  return first.readInt32BE(0) + 4;
}

function isLarge(frame: number): boolean {
  return frame > readBytes && frame <= largeFrameBytesMax;
}

function checkRange(api: (typeof apis)[keyof typeof apis], ranges: ReadonlyMap<number, ApiRange>, place: string): void {
  const range = ranges.get(api.apiKey);
  if (range !== undefined && range.minVersion <= api.apiVersion && api.apiVersion <= range.maxVersion) return;
  const served = range === undefined ? 'does not serve it' : `serves ${range.minVersion} to ${range.maxVersion}`;
  throw new BraidError('BROKER_ERROR', `Braid speaks ${api.apiName} ${api.apiVersion}, and ${place} ${served}`, {
    place,
    hint: 'Apache Kafka 4.0 and later serve what Braid needs',
  });
}
