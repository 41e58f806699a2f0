import { ByteWriter } from '../../base/byte-writer.ts';
import type { Api } from '../api.ts';
import { kafkaError } from '../kafka-errors.ts';

/**
 * The coordinator of a group or of a transactional id. A transactional client is sent on too: it is InitProducerId
 * that refuses it, since clients look for a coordinator again and again whatever error they get.
 */
export const findCoordinator: Api = {
  key: 10,
  name: 'FindCoordinator',
  min: 0,
  max: 2,
  handle({ cluster, version, body, injectedError }) {
    const key = body.string();
    if (version >= 1) body.int8();
    const coordinator = cluster.groups.coordinatorOf(key);
    const found = injectedError === 0 && coordinator !== undefined;

    const out = new ByteWriter();
    if (version >= 1) out.int32(0);
    out.int16(found ? kafkaError.NONE : injectedError || kafkaError.COORDINATOR_NOT_AVAILABLE);
    if (version >= 1) out.nullableString(null);
    if (!found) return out.int32(-1).string('').int32(-1);
    return out.int32(coordinator.id).string(coordinator.host).int32(coordinator.port);
  },
};
