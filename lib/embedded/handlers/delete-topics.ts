import { ByteWriter } from '../../base/byte-writer.ts';
import type { Api } from '../api.ts';
import { kafkaError } from '../kafka-errors.ts';

export const deleteTopics: Api = {
  key: 20,
  name: 'DeleteTopics',
  min: 1,
  max: 3,
  handle({ cluster, body, injectedError }) {
    const names = body.array(() => body.string());
    body.int32();
    const out = new ByteWriter();
    return out.int32(0).array(names, name => {
      const known = injectedError === 0 && cluster.topics.delete(name);
      if (known) cluster.groups.forgetTopic(name);
      out.string(name).int16(known ? kafkaError.NONE : injectedError || kafkaError.UNKNOWN_TOPIC_OR_PARTITION);
    });
  },
};
