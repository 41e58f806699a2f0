import { ByteWriter } from '../../base/byte-writer.ts';
import type { Api, ApiRequest } from '../api.ts';
import { type Group, type GroupMember, noBytes } from '../group.ts';

export const describeGroups: Api = {
  key: 15,
  name: 'DescribeGroups',
  min: 0,
  max: 2,
  handle(request) {
    const { version, body } = request;
    const out = new ByteWriter();
    const groupIds = body.array(() => body.string());
    if (version >= 1) out.int32(0);
    return out.array(groupIds, groupId => writeGroup(out, request, groupId));
  },
};

/** A group that does not exist is told as dead, without an error. */
function writeGroup(out: ByteWriter, { cluster, broker, injectedError }: ApiRequest, groupId: string): void {
  const fault = injectedError || cluster.groups.coordinatorFault(groupId, broker);
  const group = fault === 0 ? cluster.groups.get(groupId) : undefined;
  out
    .int16(fault)
    .string(groupId)
    .string(group?.state ?? (fault === 0 ? 'Dead' : ''))
    .string(group?.protocolType ?? '')
    .string(group?.state === 'Stable' ? group.protocol : '')
    .array([...(group?.members.values() ?? [])], member => writeMember(out, group!, member));
}

function writeMember(out: ByteWriter, group: Group, member: GroupMember): void {
  const stable = group.state === 'Stable';
  const metadata = member.protocols.find(protocol => protocol.name === group.protocol)?.metadata ?? noBytes;
  out
    .string(member.id)
    .string(member.clientId)
    .string(member.clientHost)
    .nullableBytes(stable ? metadata : noBytes)
    .nullableBytes(stable ? member.assignment : noBytes);
}
