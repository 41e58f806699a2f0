import { ByteWriter } from '../../base/byte-writer.ts';
import type { Api, ApiRequest } from '../api.ts';
import { kafkaError } from '../kafka-errors.ts';
import { ledPartition } from '../leader-check.ts';

const toTheEnd = -1;
const unknownOffset = -1;

/** Moves the start of logs: what retention does on a real broker, on demand. */
export const deleteRecords: Api = {
  key: 21,
  name: 'DeleteRecords',
  min: 0,
  max: 1,
  handle(request) {
    const { body } = request;
    const topics = body.array(() => ({
      name: body.string(),
      partitions: body.array(() => ({ index: body.int32(), offset: body.safeInt64() })),
    }));
    body.int32();
    const out = new ByteWriter();
    return out.int32(0).array(topics, ({ name, partitions }) => {
      out.string(name).array(partitions, ({ index, offset }) => {
        const { startOffset, error } = deleteBefore(request, name, index, offset);
        out.int32(index).int64(startOffset).int16(error);
      });
    });
  },
};

function deleteBefore(
  request: ApiRequest,
  topic: string,
  index: number,
  offset: number,
): { readonly startOffset: number; readonly error: number } {
  const partition = ledPartition(request, topic, index, -1);
  if (typeof partition === 'number') return { startOffset: unknownOffset, error: partition };
  const { log } = partition;
  const before = offset === toTheEnd ? log.endOffset : offset;
  if (before < 0 || before > log.endOffset)
    return { startOffset: unknownOffset, error: kafkaError.OFFSET_OUT_OF_RANGE };
  log.deleteBefore(before);
  partition.wake();
  return { startOffset: log.startOffset, error: kafkaError.NONE };
}
