import { ByteWriter } from '../../base/byte-writer.ts';
import type { Api } from '../api.ts';
import { kafkaError } from '../kafka-errors.ts';

const groupKey = 0;

export const findCoordinator: Api = {
  key: 10,
  name: 'FindCoordinator',
  min: 0,
  max: 2,
  handle({ cluster, version, body, injectedError }) {
    const key = body.string();
    const keyType = version >= 1 ? body.int8() : groupKey;
    const coordinator = cluster.groups.coordinatorOf(key);
    let error = injectedError;
    let sentence: string | null = null;
    if (error === 0 && keyType !== groupKey) {
      // A final error, so that a transactional client stops at once and does not look for a coordinator for ever.
      error = kafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
      sentence = 'The embedded cluster has no transactions.';
    } else if (error === 0 && coordinator === undefined) {
      error = kafkaError.COORDINATOR_NOT_AVAILABLE;
    }

    const out = new ByteWriter();
    if (version >= 1) out.int32(0);
    out.int16(error);
    if (version >= 1) out.nullableString(sentence);
    if (error !== 0 || coordinator === undefined) return out.int32(-1).string('').int32(-1);
    return out.int32(coordinator.id).string(coordinator.host).int32(coordinator.port);
  },
};
