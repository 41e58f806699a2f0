import { ByteWriter } from '../../base/byte-writer.ts';
import type { Api, ApiRequest } from '../api.ts';
import { kafkaError } from '../kafka-errors.ts';
import type { TopicRefusal, TopicRequest } from '../topics.ts';

interface WantedTopic extends TopicRequest {
  readonly manualAssignment: boolean;
}

export const createTopics: Api = {
  key: 19,
  name: 'CreateTopics',
  min: 2,
  max: 4,
  handle(request) {
    const { body } = request;
    const wanted = body.array(() => readTopic(request));
    body.int32();
    const validateOnly = body.boolean();
    const twice = wanted.filter((topic, at) => wanted.some((other, n) => n !== at && other.name === topic.name));

    const out = new ByteWriter();
    out.int32(0);
    const answered = [...new Map(wanted.map(topic => [topic.name, topic])).values()];
    out.array(answered, topic => {
      const refusal = twice.includes(topic)
        ? { error: kafkaError.INVALID_REQUEST, sentence: `Duplicate topic name ${topic.name} in one request.` }
        : create(request, topic, validateOnly);
      out
        .string(topic.name)
        .int16(refusal?.error ?? kafkaError.NONE)
        .nullableString(refusal?.sentence ?? null);
    });
    return out;
  },
};

function create(
  { cluster, injectedError }: ApiRequest,
  topic: WantedTopic,
  validateOnly: boolean,
): TopicRefusal | undefined {
  if (injectedError !== 0) return { error: injectedError, sentence: 'An injected fault.' };
  if (topic.manualAssignment)
    return {
      error: kafkaError.INVALID_REPLICA_ASSIGNMENT,
      sentence: 'The embedded cluster takes no manual replica assignment.',
    };
  return cluster.topics.create(topic, validateOnly);
}

function readTopic({ body }: ApiRequest): WantedTopic {
  const name = body.string();
  const partitions = body.int32();
  const replicationFactor = body.int16();
  const assignments = body.array(() => {
    body.int32();
    body.array(() => body.int32());
  });
  const config = new Map<string, string>();
  body.array(() => {
    const key = body.string();
    const value = body.nullableString();
    if (value !== null) config.set(key, value);
  });
  return { name, partitions, replicationFactor, config, manualAssignment: assignments.length > 0 };
}
