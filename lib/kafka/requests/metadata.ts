import { ByteWriter } from '../../base/byte-writer.ts';
import type { TopicMetadata } from '../transport.ts';
import { apis, type WireRequest } from './request.ts';

export interface MetadataAnswer {
  readonly brokers: readonly { readonly node: number; readonly host: string; readonly port: number }[];
  readonly clusterId: string | null;
  readonly controller: number;
  readonly topics: readonly (TopicMetadata & { readonly error: number })[];
}

/** Brokers, and partitions with leaders of `topics` (none for an empty list, those of all for `all`). Never creates a topic. */
export function metadataRequest(topics: readonly string[] | 'all'): WireRequest<MetadataAnswer> {
  const out = new ByteWriter();
  if (topics === 'all') out.int32(-1);
  else out.array(topics, topic => out.string(topic));
  out.boolean(false);
  return {
    ...apis.metadata,
    body: [out.take()],
    decode(answer) {
      answer.int32(); // throttle
      const brokers = answer.array(() => {
        const broker = { node: answer.int32(), host: answer.string(), port: answer.int32() };
        answer.nullableString(); // rack
        return broker;
      });
      const clusterId = answer.nullableString();
      const controller = answer.int32();
      const topicsFound = answer.array(() => {
        const error = answer.int16();
        const topic = answer.string();
        answer.boolean(); // internal
        const partitions = answer.array(() => {
          const found = { error: answer.int16(), partition: answer.int32(), leader: answer.int32() };
          answer.array(() => answer.int32()); // replicas
          answer.array(() => answer.int32()); // in sync
          answer.array(() => answer.int32()); // offline
          return found;
        });
        partitions.sort((a, b) => a.partition - b.partition);
        return { error, topic, partitions };
      });
      return { brokers, clusterId, controller, topics: topicsFound };
    },
  };
}
