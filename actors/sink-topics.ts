import { BraidError } from '../lib/base/errors.ts';
import type { TopicMetadata } from '../lib/kafka/transport.ts';

/** The topic of a sink in its clusters: the number of partitions must be the same, or keys would change places at a switch. */
export class SinkTopics {
  readonly #topic: string;
  readonly #found = new Map<string, TopicMetadata>();

  constructor(topic: string) {
    this.#topic = topic;
  }

  of(cluster: string | null): TopicMetadata | undefined {
    return cluster === null ? undefined : this.#found.get(cluster);
  }

  /** TOPIC_UNKNOWN, PARTITIONS_DIFFER. */
  add(cluster: string, metadata: TopicMetadata | undefined): void {
    if (metadata === undefined || metadata.partitions.length === 0)
      throw new BraidError('TOPIC_UNKNOWN', `the cluster has no topic ${this.#topic}`, { place: cluster });
    for (const [other, known] of this.#found) {
      if (known.partitions.length === metadata.partitions.length) continue;
      throw new BraidError(
        'PARTITIONS_DIFFER',
        `the topic ${this.#topic} has ${metadata.partitions.length} partitions in ${cluster} and ${known.partitions.length} in ${other}`,
        {
          place: `${this.#topic} of ${cluster}`,
          hint: 'a key must stay in its partition when the sink switches: give the topic the same number in all clusters',
        },
      );
    }
    this.#found.set(cluster, metadata);
  }
}
