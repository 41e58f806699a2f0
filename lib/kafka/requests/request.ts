import type { ByteReader } from '../../base/byte-reader.ts';

/** A request as it goes over the wire, in a version without flexible fields, and how its answer is read. */
export interface WireRequest<T> {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly apiName: string;
  /** Written one after the other, without being copied: they must not change until the answer is there. */
  readonly body: readonly Uint8Array[];
  /** How long the broker may take on purpose, in ms: added to the time limit of a request. */
  readonly waitMs?: number;
  /** A time limit of its own, in ms. */
  readonly msMax?: number;
  readonly decode: (answer: ByteReader) => T;
}

/** The requests that Braid sends, in the versions it speaks; Kafka 4.0 to 4.4 and the embedded cluster serve them all. */
export const apis = {
  produce: { apiKey: 0, apiVersion: 7, apiName: 'Produce' },
  fetch: { apiKey: 1, apiVersion: 11, apiName: 'Fetch' },
  listOffsets: { apiKey: 2, apiVersion: 3, apiName: 'ListOffsets' },
  metadata: { apiKey: 3, apiVersion: 5, apiName: 'Metadata' },
  apiVersions: { apiKey: 18, apiVersion: 2, apiName: 'ApiVersions' },
  createTopics: { apiKey: 19, apiVersion: 3, apiName: 'CreateTopics' },
} as const;
