import { ByteWriter } from '../../base/byte-writer.ts';
import type { Api, ApiRequest } from '../api.ts';
import { kafkaError } from '../kafka-errors.ts';
import type { Partition, Topic } from '../topics.ts';

/** No information about what the client may do: there is no authorization here. */
const operationsUnknown = -2147483648;

interface TopicAnswer {
  readonly name: string;
  readonly error: number;
  readonly topic: Topic | undefined;
}

export const metadata: Api = {
  key: 3,
  name: 'Metadata',
  min: 0,
  max: 8,
  handle(request) {
    const { cluster, version, body } = request;
    const names = wantedTopics(request);
    const mayCreate = (version >= 4 ? body.boolean() : true) && cluster.settings.autoCreateTopics;
    const answers = names.map(name => answerFor(request, name, mayCreate));

    const out = new ByteWriter(1024);
    if (version >= 3) out.int32(0);
    const alive = cluster.brokers.filter(broker => broker.alive);
    out.array(alive, broker => {
      out.int32(broker.id).string(broker.host).int32(broker.port);
      if (version >= 1) out.nullableString(null);
    });
    if (version >= 2) out.nullableString(cluster.clusterId);
    if (version >= 1) out.int32(cluster.controllerId);
    out.array(answers, ({ name, error, topic }) => {
      out.int16(error).string(name);
      if (version >= 1) out.boolean(false);
      out.array(topic?.partitions ?? [], partition => writePartition(out, request, partition));
      if (version >= 8) out.int32(operationsUnknown);
    });
    if (version >= 8) out.int32(operationsUnknown);
    return out;
  },
};

/** Null asks for all topics; before version 1 an empty list does. */
function wantedTopics({ cluster, version, body }: ApiRequest): string[] {
  const start = body.position;
  const count = body.int32();
  if (count < 0 || (count === 0 && version === 0)) return cluster.topics.all().map(topic => topic.name);
  body.position = start;
  return body.array(() => body.string());
}

function answerFor({ cluster, injectedError }: ApiRequest, name: string, mayCreate: boolean): TopicAnswer {
  if (injectedError !== 0) return { name, error: injectedError, topic: undefined };
  const topic = cluster.topics.get(name);
  if (topic !== undefined) return { name, error: kafkaError.NONE, topic };
  if (!mayCreate) return { name, error: kafkaError.UNKNOWN_TOPIC_OR_PARTITION, topic: undefined };
  // As with KRaft, the first answer says that the topic does not exist yet; the client asks again and finds it.
  const refusal = cluster.topics.create({ name, partitions: -1, replicationFactor: -1, config: new Map() });
  return { name, error: refusal?.error ?? kafkaError.UNKNOWN_TOPIC_OR_PARTITION, topic: undefined };
}

function writePartition(out: ByteWriter, { cluster, version }: ApiRequest, partition: Partition): void {
  const down = partition.replicas.filter(node => !cluster.isAlive(node));
  out
    .int16(partition.leader === -1 ? kafkaError.LEADER_NOT_AVAILABLE : kafkaError.NONE)
    .int32(partition.index)
    .int32(partition.leader);
  if (version >= 7) out.int32(partition.leaderEpoch);
  out.array(partition.replicas, node => out.int32(node));
  out.array(
    partition.replicas.filter(node => !down.includes(node)),
    node => out.int32(node),
  );
  if (version >= 5) out.array(down, node => out.int32(node));
}
