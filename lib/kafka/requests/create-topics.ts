import { ByteWriter } from '../../base/byte-writer.ts';
import type { NewTopic } from '../transport.ts';
import { apis, type WireRequest } from './request.ts';

export interface CreatedTopic {
  readonly topic: string;
  readonly error: number;
  readonly message: string | null;
}

export function createTopicsRequest(
  topics: readonly NewTopic[],
  timeoutMs: number,
): WireRequest<readonly CreatedTopic[]> {
  const out = new ByteWriter();
  out.array(topics, ({ topic, partitions, replicationFactor, config }) => {
    out.string(topic).int32(partitions).int16(replicationFactor).int32(0); // replicas are assigned by the cluster
    out.array(Object.entries(config ?? {}), ([name, value]) => out.string(name).string(value));
  });
  out.int32(timeoutMs).boolean(false);
  return {
    ...apis.createTopics,
    body: [out.take()],
    waitMs: timeoutMs,
    decode(answer) {
      answer.int32(); // throttle
      return answer.array(() => ({
        topic: answer.string(),
        error: answer.int16(),
        message: answer.nullableString(),
      }));
    },
  };
}
