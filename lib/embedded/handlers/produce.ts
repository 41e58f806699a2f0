import { ByteWriter } from '../../base/byte-writer.ts';
import type { Api, ApiRequest } from '../api.ts';
import { attribute, readBatchHeader } from '../batch-header.ts';
import { kafkaError } from '../kafka-errors.ts';
import type { AppendResult } from '../topics.ts';

const zstd = 4;

/**
 * Produce. Versions below 3 carry old message formats and are told to clients but not served: librdkafka switches its
 * compression off where a broker does not tell version 0 (KAFKA-18659), and Apache Kafka 4 does the same.
 */
export const produce: Api = {
  key: 0,
  name: 'Produce',
  min: 3,
  max: 8,
  advertisedMin: 0,
  handle(request) {
    const { version, body } = request;
    body.nullableString();
    const acks = body.int16();
    body.int32();
    const badAcks = acks < -1 || acks > 1 ? kafkaError.INVALID_REQUIRED_ACKS : kafkaError.NONE;
    let failed = false;

    const out = new ByteWriter();
    out.array(
      body.array(() => ({
        topic: body.string(),
        partitions: body.array(() => ({ index: body.int32(), records: body.nullableBytes() })),
      })),
      ({ topic, partitions }) => {
        out.string(topic).array(partitions, ({ index, records }) => {
          const error = request.injectedError || badAcks;
          const result = error === 0 ? append(request, topic, index, records, acks) : refused(error);
          failed ||= result.error !== 0;
          out.int32(index).int16(result.error).int64(result.baseOffset).int64(result.logAppendTime);
          if (version >= 5) out.int64(logStart(request, topic, index));
          if (version >= 8) out.int32(0).nullableString(null);
        });
      },
    );
    out.int32(0);
    // A client that wants no answer learns of a failure by its connection being closed.
    if (acks === 0) return failed ? 'close' : 'none';
    return out;
  },
};

function append(
  { cluster, broker, version }: ApiRequest,
  topic: string,
  index: number,
  records: Uint8Array | null,
  acks: number,
): AppendResult {
  const partition = cluster.topics.partition(topic, index);
  if (partition === undefined) return refused(kafkaError.UNKNOWN_TOPIC_OR_PARTITION);
  if (partition.leader !== broker.id) return refused(kafkaError.NOT_LEADER_OR_FOLLOWER);
  const inSync = partition.replicas.filter(node => cluster.isAlive(node)).length;
  if (acks === -1 && inSync < partition.minInsyncReplicas) return refused(kafkaError.NOT_ENOUGH_REPLICAS);
  const header = version < 7 ? readBatchHeader(records) : 0;
  if (typeof header !== 'number' && (header.attributes & attribute.codecMask) === zstd)
    return refused(kafkaError.UNSUPPORTED_COMPRESSION_TYPE);
  return partition.append(records);
}

function refused(error: number): AppendResult {
  return { error, baseOffset: -1, logAppendTime: -1 };
}

function logStart({ cluster }: ApiRequest, topic: string, index: number): number {
  return cluster.topics.partition(topic, index)?.log.startOffset ?? -1;
}
