import { ByteWriter } from '../../base/byte-writer.ts';
import type { Api } from '../api.ts';
import { kafkaError } from '../kafka-errors.ts';

/** Ids for idempotent producers. A transactional id is refused: there are no transactions yet. */
export const initProducerId: Api = {
  key: 22,
  name: 'InitProducerId',
  min: 0,
  max: 1,
  handle({ cluster, body, injectedError }) {
    const transactionalId = body.nullableString();
    body.int32();
    const error =
      injectedError || (transactionalId === null ? kafkaError.NONE : kafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
    const out = new ByteWriter().int32(0).int16(error);
    return error === 0 ? out.int64(cluster.newProducerId()).int16(0) : out.int64(-1).int16(-1);
  },
};
