import { ByteWriter } from '../../base/byte-writer.ts';
import type { Api } from '../api.ts';

/** OffsetFetch: of named partitions or, from version 2 on with a null list, of all that the group has committed. */
export const offsetFetch: Api = {
  key: 9,
  name: 'OffsetFetch',
  min: 1,
  max: 5,
  handle({ cluster, broker, version, body, injectedError }) {
    const groupId = body.string();
    const start = body.position;
    const all = version >= 2 && body.int32() < 0;
    if (!all) body.position = start;
    const asked = all ? [] : body.array(() => ({ name: body.string(), indexes: body.array(() => body.int32()) }));

    const fault = injectedError || cluster.groups.coordinatorFault(groupId, broker);
    const offsets = fault === 0 ? cluster.groups.get(groupId)?.offsets : undefined;
    const topics = all ? [...(offsets ?? [])].map(([name, of]) => ({ name, indexes: [...of.keys()] })) : asked;

    const out = new ByteWriter();
    if (version >= 3) out.int32(0);
    // Version 1 has no error at the top, so each partition carries it.
    out.array(fault !== 0 && version >= 2 ? [] : topics, ({ name, indexes }) => {
      out.string(name).array(indexes, index => {
        const committed = offsets?.get(name)?.get(index);
        out.int32(index).int64(committed?.offset ?? -1);
        if (version >= 5) out.int32(committed?.leaderEpoch ?? -1);
        out.nullableString(committed?.metadata ?? '').int16(fault);
      });
    });
    if (version >= 2) out.int16(fault);
    return out;
  },
};
