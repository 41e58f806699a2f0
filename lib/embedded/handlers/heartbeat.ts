import { ByteWriter } from '../../base/byte-writer.ts';
import type { Api } from '../api.ts';
import { kafkaError } from '../kafka-errors.ts';

export const heartbeat: Api = {
  key: 12,
  name: 'Heartbeat',
  min: 0,
  max: 3,
  handle({ cluster, broker, version, body, injectedError }) {
    const groupId = body.string();
    const generation = body.int32();
    const memberId = body.string();
    const error =
      injectedError ||
      cluster.groups.coordinatorFault(groupId, broker) ||
      (cluster.groups.get(groupId)?.heartbeat(memberId, generation) ?? kafkaError.UNKNOWN_MEMBER_ID);

    const out = new ByteWriter();
    if (version >= 1) out.int32(0);
    return out.int16(error);
  },
};
