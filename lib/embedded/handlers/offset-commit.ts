import { ByteWriter } from '../../base/byte-writer.ts';
import type { Api } from '../api.ts';
import { kafkaError } from '../kafka-errors.ts';

export const offsetCommit: Api = {
  key: 8,
  name: 'OffsetCommit',
  min: 2,
  max: 7,
  handle({ cluster, broker, version, body, injectedError }) {
    const groupId = body.string();
    const generation = body.int32();
    const memberId = body.string();
    if (version >= 7) body.nullableString();
    if (version <= 4) body.int64();
    const topics = body.array(() => ({
      name: body.string(),
      partitions: body.array(() => ({
        index: body.int32(),
        offset: body.safeInt64(),
        leaderEpoch: version >= 6 ? body.int32() : -1,
        metadata: body.nullableString(),
      })),
    }));

    const fault = injectedError || cluster.groups.coordinatorFault(groupId, broker) || joinFault();
    const out = new ByteWriter();
    if (version >= 3) out.int32(0);
    return out.array(topics, ({ name, partitions }) => {
      out.string(name).array(partitions, ({ index, offset, leaderEpoch, metadata }) => {
        const exists = cluster.topics.partition(name, index) !== undefined;
        const error = fault || (exists ? kafkaError.NONE : kafkaError.UNKNOWN_TOPIC_OR_PARTITION);
        if (error === 0) store(name, index, { offset, leaderEpoch, metadata });
        out.int32(index).int16(error);
      });
    });

    /** A commit from outside may make its group; a member's cannot, since its group would be there. */
    function joinFault(): number {
      const group = cluster.groups.get(groupId);
      if (group !== undefined) return group.commitFault(memberId, generation);
      return generation < 0 ? kafkaError.NONE : kafkaError.ILLEGAL_GENERATION;
    }

    function store(
      name: string,
      index: number,
      committed: { offset: number; leaderEpoch: number; metadata: string | null },
    ): void {
      const { offsets } = cluster.groups.getOrCreate(groupId);
      const ofTopic = offsets.get(name) ?? new Map();
      offsets.set(name, ofTopic.set(index, committed));
    }
  },
};
