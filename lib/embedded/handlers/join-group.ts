import { ByteWriter } from '../../base/byte-writer.ts';
import type { Api } from '../api.ts';
import { type JoinAnswer, noBytes, refusedJoin } from '../group.ts';

export const joinGroup: Api = {
  key: 11,
  name: 'JoinGroup',
  min: 0,
  max: 5,
  handle({ cluster, broker, version, clientId, clientHost, body, injectedError }) {
    const groupId = body.string();
    const sessionTimeoutMs = body.int32();
    const rebalanceTimeoutMs = version >= 1 ? body.int32() : sessionTimeoutMs;
    const memberId = body.string();
    if (version >= 5) body.nullableString();
    const protocolType = body.string();
    const protocols = body.array(() => ({ name: body.string(), metadata: body.nullableBytes() ?? noBytes }));

    const fault = injectedError || cluster.groups.coordinatorFault(groupId, broker);
    if (fault !== 0) return write(version, refusedJoin(fault, memberId));
    return new Promise(resolve =>
      cluster.groups.getOrCreate(groupId).join(
        {
          memberId,
          needsMemberId: version >= 4,
          clientId,
          clientHost,
          sessionTimeoutMs,
          rebalanceTimeoutMs,
          protocolType,
          protocols,
        },
        answer => resolve(write(version, answer)),
      ),
    );
  },
};

function write(version: number, answer: JoinAnswer): ByteWriter {
  const out = new ByteWriter();
  if (version >= 2) out.int32(0);
  return out
    .int16(answer.error)
    .int32(answer.generation)
    .string(answer.protocol)
    .string(answer.leader)
    .string(answer.memberId)
    .array(answer.members, ({ memberId, metadata }) => {
      out.string(memberId);
      if (version >= 5) out.nullableString(null);
      out.nullableBytes(metadata);
    });
}
