import { ByteWriter } from '../../base/byte-writer.ts';
import type { Api } from '../api.ts';
import { kafkaError } from '../kafka-errors.ts';

/** LeaveGroup: one member, or from version 3 on a list of them with an error each. */
export const leaveGroup: Api = {
  key: 13,
  name: 'LeaveGroup',
  min: 0,
  max: 3,
  handle({ cluster, broker, version, body, injectedError }) {
    const groupId = body.string();
    const members =
      version < 3
        ? [{ memberId: body.string(), instanceId: null }]
        : body.array(() => ({ memberId: body.string(), instanceId: body.nullableString() }));
    const fault = injectedError || cluster.groups.coordinatorFault(groupId, broker);
    const leave = (memberId: string) => cluster.groups.get(groupId)?.leave(memberId) ?? kafkaError.UNKNOWN_MEMBER_ID;

    const out = new ByteWriter();
    if (version >= 1) out.int32(0);
    if (version < 3) return out.int16(fault || leave(members[0]!.memberId));
    return out
      .int16(fault)
      .array(fault === 0 ? members : [], ({ memberId, instanceId }) =>
        out.string(memberId).nullableString(instanceId).int16(leave(memberId)),
      );
  },
};
