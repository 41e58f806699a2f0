import { ByteWriter } from '../../base/byte-writer.ts';
import type { Api } from '../api.ts';

/** The groups that this broker coordinates; a client asks all brokers for all groups. */
export const listGroups: Api = {
  key: 16,
  name: 'ListGroups',
  min: 0,
  max: 2,
  handle({ cluster, broker, version, injectedError }) {
    const out = new ByteWriter();
    if (version >= 1) out.int32(0);
    return out
      .int16(injectedError)
      .array(injectedError === 0 ? cluster.groups.coordinatedBy(broker) : [], group =>
        out.string(group.id).string(group.protocolType),
      );
  },
};
