import { ByteWriter } from '../../base/byte-writer.ts';
import type { Api } from '../api.ts';

export const deleteGroups: Api = {
  key: 42,
  name: 'DeleteGroups',
  min: 0,
  max: 1,
  handle({ cluster, broker, body, injectedError }) {
    const groupIds = body.array(() => body.string());
    const out = new ByteWriter();
    return out.int32(0).array(groupIds, groupId => {
      const fault = injectedError || cluster.groups.coordinatorFault(groupId, broker);
      out.string(groupId).int16(fault || cluster.groups.delete(groupId));
    });
  },
};
