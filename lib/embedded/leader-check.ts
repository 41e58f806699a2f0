import type { ApiRequest } from './api.ts';
import { kafkaError } from './kafka-errors.ts';
import type { Partition } from './topics.ts';

/** The partition if this broker leads it in the epoch that the client knows (-1: any), else why not. */
export function ledPartition(
  { cluster, broker, injectedError }: ApiRequest,
  topic: string,
  index: number,
  clientEpoch: number,
): Partition | number {
  if (injectedError !== 0) return injectedError;
  const partition = cluster.topics.partition(topic, index);
  if (partition === undefined) return kafkaError.UNKNOWN_TOPIC_OR_PARTITION;
  if (clientEpoch !== -1 && clientEpoch < partition.leaderEpoch) return kafkaError.FENCED_LEADER_EPOCH;
  if (clientEpoch > partition.leaderEpoch) return kafkaError.UNKNOWN_LEADER_EPOCH;
  if (partition.leader !== broker.id) return kafkaError.NOT_LEADER_OR_FOLLOWER;
  return partition;
}
