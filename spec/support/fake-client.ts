import { BraidError } from '../../lib/base/errors.ts';
import type {
  ClusterClient,
  FetchRequest,
  FetchResponse,
  NewTopic,
  ProduceAnswer,
  ProduceRequest,
  TopicMetadata,
} from '../../lib/kafka/transport.ts';

/** What a scripted cluster does with a request: answers it, or leaves it unanswered (a black hole). */
export interface FakeCluster {
  /** `silent`: requests are taken and never answered. `refusing`: nothing listens. */
  mode: 'serving' | 'silent' | 'refusing';
  partitions: number;
  readonly clients: FakeClient[];
  onFetch?: (request: FetchRequest) => FetchResponse;
  onProduce?: (request: ProduceRequest) => readonly ProduceAnswer[];
  /** Produce requests as they arrived, answered or not: what a black hole applies later. */
  readonly produced: ProduceRequest[];
  /** Offset after the last record, by partition. */
  ends?: ReadonlyMap<number, number>;
}

export function fakeCluster(partitions = 1): FakeCluster {
  return { mode: 'serving', partitions, clients: [], produced: [] };
}

/** A client over a scripted cluster: no sockets, no time. */
export class FakeClient implements ClusterClient {
  readonly traffic = { inFlight: 0, answers: 0, onClosed: undefined as ((reason: string) => void) | undefined };
  destroyed = false;
  readonly #pending = new Set<(error: BraidError) => void>();

  readonly cluster: string;
  readonly generation: number;
  readonly script: FakeCluster;

  constructor(cluster: string, generation: number, script: FakeCluster) {
    this.cluster = cluster;
    this.generation = generation;
    this.script = script;
    script.clients.push(this);
  }

  connect(): Promise<void> {
    return this.#ask(() => {});
  }
  metadata(topics: readonly string[]): Promise<readonly TopicMetadata[]> {
    return this.#ask(() =>
      topics.map(topic => ({
        topic,
        partitions: Array.from({ length: this.script.partitions }, (_, partition) => ({
          partition,
          leader: 1,
          error: 0,
        })),
      })),
    );
  }
  listOffsets(
    _topic: string,
    partitions: readonly number[],
    at: 'earliest' | 'latest' | number,
  ): Promise<ReadonlyMap<number, number>> {
    return this.#ask(
      () =>
        new Map(
          partitions.map(partition => [partition, at === 'earliest' ? 0 : (this.script.ends?.get(partition) ?? 0)]),
        ),
    );
  }
  fetch(_node: number, request: FetchRequest): Promise<FetchResponse> {
    // Not in a microtask: a reader that is told "nothing new" asks again, and nobody else would have a turn.
    return this.#ask(() => this.script.onFetch?.(request) ?? { throttleMs: 0, partitions: [] }, setImmediate);
  }
  produce(_node: number, request: ProduceRequest): Promise<readonly ProduceAnswer[]> {
    // Whoever sent a batch uses its memory again once it is acknowledged.
    const partitions = request.partitions.map(({ partition, batch }) => ({ partition, batch: batch.slice() }));
    this.script.produced.push({ ...request, partitions });
    return this.#ask(
      () =>
        this.script.onProduce?.(request) ??
        request.partitions.map(({ partition }) => ({ partition, error: 0, baseOffset: 0 })),
    );
  }
  heartbeat(): Promise<void> {
    return this.#ask(() => {});
  }
  createTopics(_topics: readonly NewTopic[]): Promise<void> {
    return this.#ask(() => {});
  }
  destroy(): void {
    this.destroyed = true;
    for (const reject of this.#pending) reject(new BraidError('CONNECTION_LOST', 'the client was destroyed'));
    this.#pending.clear();
  }

  #ask<T>(answer: () => T, later: (answer: () => void) => void = queueMicrotask): Promise<T> {
    if (this.destroyed) return Promise.reject(new BraidError('CONNECTION_LOST', 'the client was destroyed'));
    if (this.script.mode === 'refusing')
      return Promise.reject(new BraidError('CLUSTER_UNREACHABLE', 'nothing listens'));
    this.traffic.inFlight++;
    return new Promise<T>((resolve, reject) => {
      this.#pending.add(reject);
      if (this.script.mode === 'silent') return;
      later(() => {
        if (this.destroyed) return;
        this.#pending.delete(reject);
        this.traffic.inFlight--;
        this.traffic.answers++;
        try {
          resolve(answer());
        } catch (thrown) {
          reject(thrown);
        }
      });
    });
  }
}

/** Lets all microtasks and immediates that are due run. */
export async function settle(turns = 5): Promise<void> {
  for (let i = 0; i < turns; i++) await new Promise(resolve => setImmediate(resolve));
}
