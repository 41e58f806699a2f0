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
      const unknown = () => (cluster.topics.delete(name) ? kafkaError.NONE : kafkaError.UNKNOWN_TOPIC_OR_PARTITION);
      out.string(name).int16(injectedError || unknown());
    });
  },
};
