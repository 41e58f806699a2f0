import { ByteWriter } from '../../base/byte-writer.ts';
import { apis, type WireRequest } from './request.ts';

export const latest = -1;
export const earliest = -2;

export interface ListedOffset {
  readonly partition: number;
  readonly error: number;
  /** -1 where no record has this timestamp or a later one. */
  readonly offset: number;
}

/** `timestamp`: milliseconds, or `earliest` or `latest`. */
export function listOffsetsRequest(
  topic: string,
  partitions: readonly number[],
  timestamp: number,
): WireRequest<readonly ListedOffset[]> {
  const out = new ByteWriter();
  out.int32(-1); // not a replica
  out.int8(0); // read uncommitted
  out.array([topic], () => out.string(topic).array(partitions, partition => out.int32(partition).int64(timestamp)));
  return {
    ...apis.listOffsets,
    body: [out.take()],
    decode(answer) {
      answer.int32(); // throttle
      const topics = answer.array(() => {
        answer.string();
        return answer.array(() => {
          const partition = answer.int32();
          const error = answer.int16();
          answer.int64(); // timestamp
          return { partition, error, offset: answer.safeInt64() };
        });
      });
      return topics.flat();
    },
  };
}
