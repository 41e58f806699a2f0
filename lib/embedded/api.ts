import type { ByteReader } from '../base/byte-reader.ts';
import type { ByteWriter } from '../base/byte-writer.ts';
import type { BrokerInfo, ClusterState } from './cluster-state.ts';

/** One request of one client, as its handler gets it. */
export interface ApiRequest {
  readonly cluster: ClusterState;
  readonly broker: BrokerInfo;
  /** All that is served, for the one API that tells it. */
  readonly apis: readonly Api[];
  readonly version: number;
  readonly clientId: string;
  readonly clientHost: string;
  readonly body: ByteReader;
  /**
   * An error code that a fault wants in the answer, 0 for none. The handler then changes nothing and puts the code
   * where a real broker would: at each partition, topic or group, or at the top.
   */
  readonly injectedError: number;
  /** Calls back when the client's connection is gone; the returned function takes that back. */
  onClosed(callback: () => void): () => void;
}

/**
 * What a handler answers: the body of the response, as one writer or as pieces that are sent without being joined;
 * `none` where the protocol wants no answer (acks = 0); `close` where a broker closes the connection instead.
 */
export type ApiAnswer = ByteWriter | readonly Uint8Array[] | 'none' | 'close';

/** One API: its number, its name in Kafka's protocol, the versions it serves, and the function that does it. */
export interface Api {
  readonly key: number;
  readonly name: string;
  readonly min: number;
  readonly max: number;
  /** The lowest version that is told to clients, where it is lower than the lowest one served. */
  readonly advertisedMin?: number;
  handle(request: ApiRequest): ApiAnswer | Promise<ApiAnswer>;
}
