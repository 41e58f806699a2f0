import { ByteWriter } from '../../base/byte-writer.ts';
import type { Api } from '../api.ts';
import { noBytes, type SyncAnswer } from '../group.ts';
import { kafkaError } from '../kafka-errors.ts';

export const syncGroup: Api = {
  key: 14,
  name: 'SyncGroup',
  min: 0,
  max: 3,
  handle({ cluster, broker, version, body, injectedError }) {
    const groupId = body.string();
    const generation = body.int32();
    const memberId = body.string();
    if (version >= 3) body.nullableString();
    const assignments = new Map(body.array(() => [body.string(), body.nullableBytes() ?? noBytes] as const));

    const fault = injectedError || cluster.groups.coordinatorFault(groupId, broker);
    const group = cluster.groups.get(groupId);
    if (fault !== 0 || group === undefined)
      return write(version, { error: fault || kafkaError.UNKNOWN_MEMBER_ID, assignment: noBytes });
    return new Promise(resolve =>
      group.sync(memberId, generation, assignments, answer => resolve(write(version, answer))),
    );
  },
};

function write(version: number, { error, assignment }: SyncAnswer): ByteWriter {
  const out = new ByteWriter();
  if (version >= 1) out.int32(0);
  return out.int16(error).nullableBytes(assignment);
}
