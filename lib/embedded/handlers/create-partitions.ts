import { ByteWriter } from '../../base/byte-writer.ts';
import type { Api, ApiRequest } from '../api.ts';
import { kafkaError } from '../kafka-errors.ts';
import type { TopicRefusal } from '../topics.ts';

export const createPartitions: Api = {
  key: 37,
  name: 'CreatePartitions',
  min: 0,
  max: 1,
  handle(request) {
    const { body } = request;
    const wanted = body.array(() => ({
      name: body.string(),
      count: body.int32(),
      manualAssignment: body.array(() => body.array(() => body.int32())).length > 0,
    }));
    body.int32();
    const validateOnly = body.boolean();
    const out = new ByteWriter();
    return out.int32(0).array(wanted, ({ name, count, manualAssignment }) => {
      const refusal = grow(request, name, count, manualAssignment, validateOnly);
      out
        .string(name)
        .int16(refusal?.error ?? kafkaError.NONE)
        .nullableString(refusal?.sentence ?? null);
    });
  },
};

function grow(
  { cluster, injectedError }: ApiRequest,
  name: string,
  count: number,
  manualAssignment: boolean,
  validateOnly: boolean,
): TopicRefusal | undefined {
  if (injectedError !== 0) return { error: injectedError, sentence: 'An injected fault.' };
  if (manualAssignment)
    return {
      error: kafkaError.INVALID_REPLICA_ASSIGNMENT,
      sentence: 'The embedded cluster takes no manual replica assignment.',
    };
  return cluster.topics.grow(name, count, validateOnly);
}
