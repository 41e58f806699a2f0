import { ByteWriter } from '../../base/byte-writer.ts';
import type { Api, ApiRequest } from '../api.ts';
import { kafkaError } from '../kafka-errors.ts';
import type { ConfigEntry } from '../topic-config.ts';

const topicResource = 2;
const brokerResource = 4;
const sourceTopic = 1;
const sourceDefault = 5;

/** Configs of topics. A broker is told to have none: the embedded cluster is set by its options alone. */
export const describeConfigs: Api = {
  key: 32,
  name: 'DescribeConfigs',
  min: 0,
  max: 2,
  handle(request) {
    const { version, body } = request;
    const resources = body.array(() => {
      const type = body.int8();
      const name = body.string();
      return { type, name, keys: readKeys(request) };
    });
    if (version >= 1) body.boolean();
    const out = new ByteWriter();
    return out.int32(0).array(resources, ({ type, name, keys }) => {
      const found = request.injectedError || entriesOf(request, type, name, keys);
      out
        .int16(typeof found === 'number' ? found : kafkaError.NONE)
        .nullableString(null)
        .int8(type)
        .string(name)
        .array(typeof found === 'number' ? [] : found, entry => writeEntry(out, version, entry));
    });
  },
};

/** Null asks for all configs. */
function readKeys({ body }: ApiRequest): string[] | undefined {
  const start = body.position;
  if (body.int32() < 0) return undefined;
  body.position = start;
  return body.array(() => body.string());
}

function entriesOf(
  { cluster }: ApiRequest,
  type: number,
  name: string,
  keys: string[] | undefined,
): ConfigEntry[] | number {
  if (type === brokerResource) return [];
  if (type !== topicResource) return kafkaError.INVALID_REQUEST;
  const topic = cluster.topics.get(name);
  if (topic === undefined) return kafkaError.UNKNOWN_TOPIC_OR_PARTITION;
  return topic.config.entries().filter(entry => keys === undefined || keys.includes(entry.name));
}

function writeEntry(out: ByteWriter, version: number, { name, value, isDefault }: ConfigEntry): void {
  out.string(name).nullableString(value).boolean(false);
  if (version === 0) out.boolean(isDefault);
  else out.int8(isDefault ? sourceDefault : sourceTopic);
  out.boolean(false);
  if (version >= 1) out.int32(0);
}
