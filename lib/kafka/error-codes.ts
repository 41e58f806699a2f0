import { BraidError, type BraidErrorCode } from '../base/errors.ts';

/**
 * What a broker's error code means for the caller. `retriable`: the same request may succeed later, once metadata is
 * fresh or the cluster has settled. `fatal`: it will not, whatever one waits for. `fenced`: somebody newer has taken over
 * this identity; the only right thing is to stop.
 */
export type BrokerErrorKind = 'retriable' | 'fatal' | 'fenced';

export interface BrokerErrorCode {
  readonly code: number;
  /** As org.apache.kafka.common.protocol.Errors names it (Kafka 4.2). */
  readonly name: string;
  readonly kind: BrokerErrorKind;
  /** One sentence: why it is of this kind. */
  readonly why: string;
}

const unusedByBraid = 'it answers requests that Braid does not send';
const notYours = 'the principal is not allowed to do this; an ACL has to change first';
const settles = 'leadership is moving; fresh metadata shows the new leader';

const table: readonly (readonly [number, string, BrokerErrorKind, string])[] = [
  [-1, 'UNKNOWN_SERVER_ERROR', 'fatal', "the broker's log has the cause; nobody knows whether the request was applied"],
  [1, 'OFFSET_OUT_OF_RANGE', 'fatal', 'the records were deleted by retention, or never were; a policy has to decide'],
  [2, 'CORRUPT_MESSAGE', 'fatal', 'the CRC did not match on arrival; the same bytes would fail again'],
  [3, 'UNKNOWN_TOPIC_OR_PARTITION', 'retriable', 'right after a topic was created a broker may not know it yet'],
  [4, 'INVALID_FETCH_SIZE', 'fatal', 'the request asks for a negative size'],
  [5, 'LEADER_NOT_AVAILABLE', 'retriable', settles],
  [6, 'NOT_LEADER_OR_FOLLOWER', 'retriable', settles],
  [
    7,
    'REQUEST_TIMED_OUT',
    'retriable',
    'replicas did not answer in time; a produce may have been applied all the same',
  ],
  [8, 'BROKER_NOT_AVAILABLE', 'retriable', 'the broker is starting or stopping'],
  [9, 'REPLICA_NOT_AVAILABLE', 'retriable', 'the replica is being moved or recovered'],
  [
    10,
    'MESSAGE_TOO_LARGE',
    'fatal',
    'a batch is larger than max.message.bytes of the topic: raise that, or lower batchBytesMax',
  ],
  [11, 'STALE_CONTROLLER_EPOCH', 'fatal', unusedByBraid],
  [12, 'OFFSET_METADATA_TOO_LARGE', 'fatal', 'the text beside a committed offset is too long'],
  [13, 'NETWORK_EXCEPTION', 'retriable', 'brokers lost their connection to each other'],
  [14, 'COORDINATOR_LOAD_IN_PROGRESS', 'retriable', 'the coordinator is reading its log'],
  [15, 'COORDINATOR_NOT_AVAILABLE', 'retriable', 'the internal topic is being created or elected'],
  [16, 'NOT_COORDINATOR', 'retriable', 'the coordinator has moved; find it again'],
  [17, 'INVALID_TOPIC_EXCEPTION', 'fatal', 'brokers refuse this topic name'],
  [18, 'RECORD_LIST_TOO_LARGE', 'fatal', 'the batch is larger than a log segment'],
  [19, 'NOT_ENOUGH_REPLICAS', 'retriable', 'fewer replicas are in sync than min.insync.replicas; nothing was written'],
  [20, 'NOT_ENOUGH_REPLICAS_AFTER_APPEND', 'retriable', 'replicas fell out of sync after the leader had written'],
  [21, 'INVALID_REQUIRED_ACKS', 'fatal', 'acks is none of -1, 0, 1'],
  [22, 'ILLEGAL_GENERATION', 'fenced', 'the group has gone on to another generation'],
  [23, 'INCONSISTENT_GROUP_PROTOCOL', 'fatal', 'the group uses another protocol'],
  [24, 'INVALID_GROUP_ID', 'fatal', 'the group id is empty or not allowed'],
  [25, 'UNKNOWN_MEMBER_ID', 'fenced', 'the group has removed this member'],
  [26, 'INVALID_SESSION_TIMEOUT', 'fatal', "the session time-out is outside the broker's limits"],
  [27, 'REBALANCE_IN_PROGRESS', 'retriable', 'the group is assigning partitions'],
  [28, 'INVALID_COMMIT_OFFSET_SIZE', 'fatal', 'the offset commit is too large'],
  [29, 'TOPIC_AUTHORIZATION_FAILED', 'fatal', notYours],
  [30, 'GROUP_AUTHORIZATION_FAILED', 'fatal', notYours],
  [31, 'CLUSTER_AUTHORIZATION_FAILED', 'fatal', notYours],
  [32, 'INVALID_TIMESTAMP', 'fatal', 'a timestamp lies outside what message.timestamp.*.max.ms of the topic allows'],
  [33, 'UNSUPPORTED_SASL_MECHANISM', 'fatal', 'the listener does not offer this SASL mechanism'],
  [34, 'ILLEGAL_SASL_STATE', 'fatal', 'a request came before, or instead of, authentication'],
  [35, 'UNSUPPORTED_VERSION', 'fatal', 'the broker is too old or too new for this request'],
  [36, 'TOPIC_ALREADY_EXISTS', 'fatal', 'a topic of this name is there already'],
  [37, 'INVALID_PARTITIONS', 'fatal', 'the number of partitions is not allowed'],
  [38, 'INVALID_REPLICATION_FACTOR', 'fatal', 'there are fewer brokers than the replication factor asks for'],
  [39, 'INVALID_REPLICA_ASSIGNMENT', 'fatal', 'replicas are assigned to brokers that are not there'],
  [40, 'INVALID_CONFIG', 'fatal', 'a topic option is unknown or has a wrong value'],
  [41, 'NOT_CONTROLLER', 'retriable', 'the controller has moved; fresh metadata names the new one'],
  [42, 'INVALID_REQUEST', 'fatal', 'the broker finds the request contradictory'],
  [43, 'UNSUPPORTED_FOR_MESSAGE_FORMAT', 'fatal', 'the topic keeps an old record format'],
  [44, 'POLICY_VIOLATION', 'fatal', 'a policy of the cluster forbids it'],
  [45, 'OUT_OF_ORDER_SEQUENCE_NUMBER', 'fatal', 'a batch before this one is missing: this producer epoch is spoilt'],
  [46, 'DUPLICATE_SEQUENCE_NUMBER', 'fatal', 'the batch is in the log already'],
  [47, 'INVALID_PRODUCER_EPOCH', 'fenced', 'a newer producer has this transactional id'],
  [48, 'INVALID_TXN_STATE', 'fatal', 'the transaction is not in a state that allows this'],
  [49, 'INVALID_PRODUCER_ID_MAPPING', 'fenced', 'the producer id does not belong to this transactional id any more'],
  [50, 'INVALID_TRANSACTION_TIMEOUT', 'fatal', 'the time-out is longer than transaction.max.timeout.ms'],
  [51, 'CONCURRENT_TRANSACTIONS', 'retriable', 'markers of the transaction before are still being written'],
  [52, 'TRANSACTION_COORDINATOR_FENCED', 'fenced', 'another coordinator has taken over'],
  [53, 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED', 'fatal', notYours],
  [54, 'SECURITY_DISABLED', 'fatal', 'the cluster has no authorizer'],
  [55, 'OPERATION_NOT_ATTEMPTED', 'fatal', 'another part of the same request failed'],
  [56, 'KAFKA_STORAGE_ERROR', 'retriable', "the leader's disk failed; another replica may take over"],
  [57, 'LOG_DIR_NOT_FOUND', 'fatal', unusedByBraid],
  [58, 'SASL_AUTHENTICATION_FAILED', 'fatal', 'the credentials are wrong'],
  [
    59,
    'UNKNOWN_PRODUCER_ID',
    'fatal',
    'the broker has forgotten this producer: its records were deleted or it expired',
  ],
  [60, 'REASSIGNMENT_IN_PROGRESS', 'retriable', 'replicas are being moved'],
  [61, 'DELEGATION_TOKEN_AUTH_DISABLED', 'fatal', unusedByBraid],
  [62, 'DELEGATION_TOKEN_NOT_FOUND', 'fatal', unusedByBraid],
  [63, 'DELEGATION_TOKEN_OWNER_MISMATCH', 'fatal', unusedByBraid],
  [64, 'DELEGATION_TOKEN_REQUEST_NOT_ALLOWED', 'fatal', unusedByBraid],
  [65, 'DELEGATION_TOKEN_AUTHORIZATION_FAILED', 'fatal', unusedByBraid],
  [66, 'DELEGATION_TOKEN_EXPIRED', 'fatal', unusedByBraid],
  [67, 'INVALID_PRINCIPAL_TYPE', 'fatal', unusedByBraid],
  [68, 'NON_EMPTY_GROUP', 'fatal', 'the group has members'],
  [69, 'GROUP_ID_NOT_FOUND', 'fatal', 'there is no such group'],
  [70, 'FETCH_SESSION_ID_NOT_FOUND', 'retriable', 'Braid uses no fetch sessions; a fetch without one succeeds'],
  [71, 'INVALID_FETCH_SESSION_EPOCH', 'retriable', 'Braid uses no fetch sessions; a fetch without one succeeds'],
  [72, 'LISTENER_NOT_FOUND', 'retriable', 'the leader does not serve this listener yet'],
  [73, 'TOPIC_DELETION_DISABLED', 'fatal', 'the cluster does not delete topics'],
  [74, 'FENCED_LEADER_EPOCH', 'retriable', 'our metadata is older than the leader'],
  [75, 'UNKNOWN_LEADER_EPOCH', 'retriable', 'the leader is older than our metadata'],
  [76, 'UNSUPPORTED_COMPRESSION_TYPE', 'fatal', 'the request version is too old for the codec of the topic'],
  [77, 'STALE_BROKER_EPOCH', 'retriable', 'the broker has been restarted'],
  [78, 'OFFSET_NOT_AVAILABLE', 'retriable', 'a new leader does not know its high watermark yet'],
  [79, 'MEMBER_ID_REQUIRED', 'retriable', 'the group wants the member id that it has just given'],
  [80, 'PREFERRED_LEADER_NOT_AVAILABLE', 'retriable', settles],
  [81, 'GROUP_MAX_SIZE_REACHED', 'fatal', 'the group is full'],
  [82, 'FENCED_INSTANCE_ID', 'fenced', 'another member has this instance id'],
  [83, 'ELIGIBLE_LEADERS_NOT_AVAILABLE', 'retriable', settles],
  [84, 'ELECTION_NOT_NEEDED', 'fatal', 'the partition is led by its preferred leader'],
  [85, 'NO_REASSIGNMENT_IN_PROGRESS', 'fatal', unusedByBraid],
  [86, 'GROUP_SUBSCRIBED_TO_TOPIC', 'fatal', 'the group still reads the topic'],
  [87, 'INVALID_RECORD', 'fatal', 'the broker refuses the batch: a wrong count, two batches in one, a missing key'],
  [88, 'UNSTABLE_OFFSET_COMMIT', 'retriable', 'a transaction with this offset is open'],
  [89, 'THROTTLING_QUOTA_EXCEEDED', 'retriable', 'the quota allows it again later'],
  [90, 'PRODUCER_FENCED', 'fenced', 'a newer producer has this transactional id'],
  [91, 'RESOURCE_NOT_FOUND', 'fatal', 'what the request names does not exist'],
  [92, 'DUPLICATE_RESOURCE', 'fatal', 'what the request creates is there already'],
  [93, 'UNACCEPTABLE_CREDENTIAL', 'fatal', 'the credential does not meet the rules of the cluster'],
  [94, 'INCONSISTENT_VOTER_SET', 'fatal', unusedByBraid],
  [95, 'INVALID_UPDATE_VERSION', 'fatal', unusedByBraid],
  [96, 'FEATURE_UPDATE_FAILED', 'fatal', unusedByBraid],
  [97, 'PRINCIPAL_DESERIALIZATION_FAILURE', 'fatal', unusedByBraid],
  [98, 'SNAPSHOT_NOT_FOUND', 'fatal', unusedByBraid],
  [99, 'POSITION_OUT_OF_RANGE', 'fatal', unusedByBraid],
  [100, 'UNKNOWN_TOPIC_ID', 'retriable', 'right after a topic was created a broker may not know it yet'],
  [101, 'DUPLICATE_BROKER_REGISTRATION', 'fatal', unusedByBraid],
  [102, 'BROKER_ID_NOT_REGISTERED', 'fatal', unusedByBraid],
  [103, 'INCONSISTENT_TOPIC_ID', 'retriable', 'the topic was deleted and created again; fresh metadata has its new id'],
  [104, 'INCONSISTENT_CLUSTER_ID', 'fatal', 'this is another cluster than the one that was meant'],
  [105, 'TRANSACTIONAL_ID_NOT_FOUND', 'fatal', 'the transactional id is unknown or has expired'],
  [106, 'FETCH_SESSION_TOPIC_ID_ERROR', 'retriable', 'Braid uses no fetch sessions; a fetch without one succeeds'],
  [107, 'INELIGIBLE_REPLICA', 'fatal', unusedByBraid],
  [108, 'NEW_LEADER_ELECTED', 'retriable', settles],
  [109, 'OFFSET_MOVED_TO_TIERED_STORAGE', 'fatal', 'only replicas get this answer'],
  [110, 'FENCED_MEMBER_EPOCH', 'fenced', 'the group has given this member a newer epoch'],
  [111, 'UNRELEASED_INSTANCE_ID', 'fatal', 'another member still holds this instance id'],
  [112, 'UNSUPPORTED_ASSIGNOR', 'fatal', 'the group does not have this assignor'],
  [113, 'STALE_MEMBER_EPOCH', 'retriable', 'the member has to take its new epoch first'],
  [114, 'MISMATCHED_ENDPOINT_TYPE', 'fatal', 'the port belongs to a controller, not to a broker'],
  [115, 'UNSUPPORTED_ENDPOINT_TYPE', 'fatal', unusedByBraid],
  [116, 'UNKNOWN_CONTROLLER_ID', 'fatal', unusedByBraid],
  [117, 'UNKNOWN_SUBSCRIPTION_ID', 'fatal', unusedByBraid],
  [118, 'TELEMETRY_TOO_LARGE', 'fatal', unusedByBraid],
  [119, 'INVALID_REGISTRATION', 'fatal', unusedByBraid],
  [120, 'TRANSACTION_ABORTABLE', 'fatal', 'the transaction has to be aborted'],
  [121, 'INVALID_RECORD_STATE', 'fatal', unusedByBraid],
  [122, 'SHARE_SESSION_NOT_FOUND', 'fatal', unusedByBraid],
  [123, 'INVALID_SHARE_SESSION_EPOCH', 'fatal', unusedByBraid],
  [124, 'FENCED_STATE_EPOCH', 'fenced', unusedByBraid],
  [125, 'INVALID_VOTER_KEY', 'fatal', unusedByBraid],
  [126, 'DUPLICATE_VOTER', 'fatal', unusedByBraid],
  [127, 'VOTER_NOT_FOUND', 'fatal', unusedByBraid],
  [128, 'INVALID_REGULAR_EXPRESSION', 'fatal', 'the broker does not understand the pattern'],
  [129, 'REBOOTSTRAP_REQUIRED', 'retriable', 'start again from the bootstrap addresses'],
  [130, 'STREAMS_INVALID_TOPOLOGY', 'fatal', unusedByBraid],
  [131, 'STREAMS_INVALID_TOPOLOGY_EPOCH', 'fatal', unusedByBraid],
  [132, 'STREAMS_TOPOLOGY_FENCED', 'fenced', unusedByBraid],
  [133, 'SHARE_SESSION_LIMIT_REACHED', 'fatal', unusedByBraid],
];

/** Every error code of Kafka 4.2. */
export const brokerErrorCodes: ReadonlyMap<number, BrokerErrorCode> = new Map(
  table.map(([code, name, kind, why]) => [code, { code, name, kind, why }]),
);

/** Facts about a code; one that no table knows is fatal, since nobody can say that waiting helps. */
export function brokerErrorCode(code: number): BrokerErrorCode {
  return (
    brokerErrorCodes.get(code) ?? {
      code,
      name: `UNKNOWN_${code}`,
      kind: 'fatal',
      why: 'the code is newer than Braid',
    }
  );
}

const ownCodes: Readonly<Record<string, BraidErrorCode>> = {
  OFFSET_OUT_OF_RANGE: 'OFFSET_OUT_OF_RANGE',
  UNKNOWN_TOPIC_OR_PARTITION: 'TOPIC_UNKNOWN',
  INVALID_TOPIC_EXCEPTION: 'TOPIC_NAME_INVALID',
  MESSAGE_TOO_LARGE: 'BATCH_TOO_LARGE',
  RECORD_LIST_TOO_LARGE: 'BATCH_TOO_LARGE',
  SASL_AUTHENTICATION_FAILED: 'AUTHENTICATION_FAILED',
  UNSUPPORTED_SASL_MECHANISM: 'AUTHENTICATION_FAILED',
  ILLEGAL_SASL_STATE: 'AUTHENTICATION_FAILED',
};

/** A broker's error code as an error: which request, what the code is, why it is of its kind. `cause` is the BrokerErrorCode. */
export function brokerError(code: number, request: string, place: string, details?: string | null): BraidError {
  const known = brokerErrorCode(code);
  return new BraidError(
    ownCodes[known.name] ?? 'BROKER_ERROR',
    `the broker answered ${request} with ${known.name} (${code})${details ? `: ${details}` : ''}`,
    { place, hint: known.why, cause: known, retriable: known.kind === 'retriable' },
  );
}

/** The broker's code behind an error, or undefined where it does not come from one. */
export function brokerErrorOf(error: unknown): BrokerErrorCode | undefined {
  const cause = error instanceof BraidError ? error.cause : undefined;
  return typeof cause === 'object' && cause !== null && 'kind' in cause && 'why' in cause
    ? (cause as BrokerErrorCode)
    : undefined;
}
