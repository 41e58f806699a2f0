import { ByteWriter } from '../../base/byte-writer.ts';
import type { Api, ApiRequest } from '../api.ts';
import { kafkaError } from '../kafka-errors.ts';
import { ledPartition } from '../leader-check.ts';
import { type FoundRecord, firstRecordAtOrAfter } from '../record-search.ts';
import type { Partition } from '../topics.ts';

const latest = -1;
const earliest = -2;

export const listOffsets: Api = {
  key: 2,
  name: 'ListOffsets',
  min: 1,
  max: 5,
  handle(request) {
    const { version, body } = request;
    body.int32();
    if (version >= 2) body.int8();
    const topics = body.array(() => ({
      name: body.string(),
      partitions: body.array(() => ({
        index: body.int32(),
        leaderEpoch: version >= 4 ? body.int32() : -1,
        timestamp: body.safeInt64(),
      })),
    }));

    const out = new ByteWriter();
    if (version >= 2) out.int32(0);
    return out.array(topics, topic => {
      out.string(topic.name).array(topic.partitions, ({ index, leaderEpoch, timestamp }) => {
        const partition = ledPartition(request, topic.name, index, leaderEpoch);
        writeAnswer(out, request, index, partition, timestamp);
      });
    });
  },
};

function writeAnswer(
  out: ByteWriter,
  { version }: ApiRequest,
  index: number,
  partition: Partition | number,
  timestamp: number,
): void {
  const failed = typeof partition === 'number';
  const found = failed ? none : find(partition, timestamp);
  out
    .int32(index)
    .int16(failed ? partition : kafkaError.NONE)
    .int64(found.timestamp)
    .int64(found.offset);
  if (version >= 4) out.int32(failed || found.offset < 0 ? -1 : partition.leaderEpoch);
}

const none: FoundRecord = { offset: -1, timestamp: -1 };

function find({ log }: Partition, timestamp: number): FoundRecord {
  if (timestamp === latest) return { offset: log.endOffset, timestamp: -1 };
  if (timestamp === earliest) return { offset: log.startOffset, timestamp: -1 };
  const batch = log.batchAtOrAfter(timestamp);
  const found = batch === undefined ? undefined : firstRecordAtOrAfter(batch.bytes, batch.baseOffset, timestamp);
  if (found === undefined) return none;
  return { offset: Math.max(found.offset, log.startOffset), timestamp: found.timestamp };
}
