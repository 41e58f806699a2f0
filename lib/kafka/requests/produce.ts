import { ByteWriter } from '../../base/byte-writer.ts';
import type { ProduceAnswer, ProduceRequest } from '../transport.ts';
import { apis, type WireRequest } from './request.ts';

/** One batch a partition, acks = all in-sync replicas, no transaction. The batches are written from where they lie. */
export function produceRequest(request: ProduceRequest): WireRequest<readonly ProduceAnswer[]> {
  const out = new ByteWriter();
  const body: Uint8Array[] = [];
  out.nullableString(null).int16(-1).int32(request.timeoutMs);
  out.int32(1).string(request.topic).int32(request.partitions.length);
  for (const { partition, batch } of request.partitions) {
    out.int32(partition).int32(batch.length);
    body.push(out.take(), batch);
  }
  return {
    ...apis.produce,
    body,
    waitMs: request.timeoutMs,
    decode(answer) {
      const topics = answer.array(() => {
        answer.string();
        return answer.array(() => {
          const partition = answer.int32();
          const error = answer.int16();
          const baseOffset = answer.safeInt64();
          answer.int64(); // append time
          answer.int64(); // log start
          return { partition, error, baseOffset };
        });
      });
      return topics.flat();
    },
  };
}
