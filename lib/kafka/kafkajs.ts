import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import type { ISocketFactoryArgs } from 'kafkajs';

/**
 * The one part of kafkajs that Braid uses: its Connection (framing, correlation of answers, TLS, SASL), typed here because
 * kafkajs ships no declarations for it. The version is pinned exactly; what is used of it is listed in this file and
 * nowhere else. kafkajs' consumer, producer, cluster and retries are not used.
 */
export interface KafkajsConnection {
  readonly requestQueue: KafkajsRequestQueue;
  readonly socket: Socket | undefined;
  /** Bytes that the next frame needs before it can be read: 4, or 4 and its length. */
  bytesNeeded: number;
  /** What has arrived of it, and how much that is. */
  chunks: Buffer[];
  bytesBuffered: number;
  connect(): Promise<boolean>;
  isConnected(): boolean;
  isAuthenticated(): boolean;
  /** SASL, where it is configured; needs the versions first. */
  authenticate(): Promise<void>;
  setVersions(versions: Readonly<Record<number, { minVersion: number; maxVersion: number }>>): void;
  setSupportAuthenticationProtocol(supported: boolean): void;
  nextCorrelationId(): number;
  processData(chunk: Buffer): void;
}

export interface KafkajsRequestQueue {
  push(pushed: {
    readonly entry: {
      readonly apiKey: number;
      readonly apiName: string;
      readonly apiVersion: number;
      readonly correlationId: number;
      readonly resolve: (answer: { readonly payload: Buffer }) => void;
      readonly reject: (error: Error) => void;
    };
    readonly expectResponse: boolean;
    readonly requestTimeout: number | null;
    readonly sendRequest: () => void;
  }): void;
  fulfillRequest(answer: { readonly size: number; readonly correlationId: number; readonly payload: Buffer }): void;
  rejectAll(error: Error): void;
  destroy(): void;
  scheduleCheckPendingRequests(): void;
}

export interface KafkajsConnectionOptions {
  readonly host: string;
  readonly port: number;
  readonly clientId: string;
  readonly ssl: object | null;
  readonly sasl: { readonly mechanism: string } | null;
  readonly connectionTimeout: number;
  readonly requestTimeout: number;
  readonly enforceRequestTimeout: boolean;
  readonly socketFactory: (dial: ISocketFactoryArgs) => Socket;
  readonly logger: KafkajsLogger;
}

interface KafkajsLogger {
  namespace(): KafkajsLogger;
  info(): void;
  error(): void;
  warn(): void;
  debug(): void;
}

const require = createRequire(import.meta.url);
const Connection = require('kafkajs/src/network/connection') as new (
  options: KafkajsConnectionOptions,
) => KafkajsConnection;

/** kafkajs logs what Braid reports itself, and at its debug level it prints secrets: it stays silent. */
const silent: KafkajsLogger = {
  namespace: () => silent,
  info: () => {},
  error: () => {},
  warn: () => {},
  debug: () => {},
};

export function kafkajsConnection(options: Omit<KafkajsConnectionOptions, 'logger'>): KafkajsConnection {
  const connection = new Connection({ ...options, logger: silent });
  // kafkajs re-arms a timer with a negative delay: 885 timers a second on an idle connection. The timer only serves
  // requests that wait for a throttle or a free slot, and none of ours ever waits.
  connection.requestQueue.scheduleCheckPendingRequests = () => {};
  return connection;
}
