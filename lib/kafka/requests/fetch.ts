import { ByteWriter } from '../../base/byte-writer.ts';
import type { FetchedPartition, FetchRequest } from '../transport.ts';
import { apis, type WireRequest } from './request.ts';

export interface FetchAnswer {
  readonly throttleMs: number;
  /** Error of the request as a whole. */
  readonly error: number;
  readonly partitions: readonly FetchedPartition[];
}

const none = new Uint8Array(0);

/** A fetch without a session, uncommitted records included. The records come out as views on the answer. */
export function fetchRequest(request: FetchRequest): WireRequest<FetchAnswer> {
  const out = new ByteWriter();
  out.int32(-1).int32(request.waitMsMax).int32(request.bytesMin).int32(request.bytesMax);
  out.int8(0); // read uncommitted
  out.int32(0).int32(-1); // no session
  out.array([request.topic], topic => {
    out.string(topic).array(request.partitions, ({ partition, offset, bytesMax }) => {
      out.int32(partition).int32(-1).int64(offset).int64(-1).int32(bytesMax);
    });
  });
  out.int32(0); // nothing to forget
  out.string(''); // no rack
  return {
    ...apis.fetch,
    body: [out.take()],
    waitMs: request.waitMsMax,
    decode(answer) {
      const throttleMs = answer.int32();
      const error = answer.int16();
      answer.int32(); // session
      const topics = answer.array(() => {
        answer.string();
        return answer.array((): FetchedPartition => {
          const partition = answer.int32();
          const partitionError = answer.int16();
          const highWatermark = answer.safeInt64();
          answer.int64(); // last stable offset
          const logStart = answer.safeInt64();
          answer.array(() => answer.slice(16)); // aborted transactions
          answer.int32(); // preferred replica
          const records = answer.nullableBytes() ?? none;
          return { partition, error: partitionError, highWatermark, logStart, records };
        });
      });
      return { throttleMs, error, partitions: topics.flat() };
    },
  };
}
