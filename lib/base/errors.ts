/**
 * The one error class of Braid. Every error that reaches a user has a code from a closed list, one sentence,
 * the place it concerns and, where there is one, a hint.
 *
 * `user` errors are answered by changing a job or an option, `kafka` errors come from a cluster,
 * `internal` errors are defects of Braid itself.
 */
export const errorCodes = {
  // user
  OPTION_INVALID: 'user',
  OPTION_UNKNOWN: 'user',
  SCHEMA_INVALID: 'user',
  SCHEMA_MISMATCH: 'user',
  COLUMN_UNKNOWN: 'user',
  TYPE_MISMATCH: 'user',
  PLAN_INVALID: 'user',
  ROW_INVALID: 'user',
  RECORD_TOO_LARGE: 'user',
  EVENT_TIME_MISSING: 'user',
  ROW_FUNCTION_FAILED: 'user',
  SOURCE_FAILED: 'user',
  SINK_FAILED: 'user',
  JOB_STATE: 'user',
  STATE_TOO_LARGE: 'user',
  TOPIC_NAME_INVALID: 'user',
  // kafka
  CLUSTER_UNREACHABLE: 'kafka',
  NOT_KAFKA: 'kafka',
  CONNECTION_LOST: 'kafka',
  REQUEST_TIMED_OUT: 'kafka',
  BROKER_ERROR: 'kafka',
  TOPIC_UNKNOWN: 'kafka',
  PARTITIONS_DIFFER: 'kafka',
  OFFSET_OUT_OF_RANGE: 'kafka',
  BATCH_CORRUPT: 'kafka',
  BATCH_TOO_LARGE: 'kafka',
  CODEC_UNSUPPORTED: 'kafka',
  RESPONSE_MALFORMED: 'kafka',
  AUTHENTICATION_FAILED: 'kafka',
  // internal
  WORKER_CRASHED: 'internal',
  OPERATOR_CRASHED: 'internal',
  RESTARTS_EXHAUSTED: 'internal',
  SNAPSHOT_CORRUPT: 'internal',
  ASSERTION: 'internal',
} as const satisfies Record<string, 'user' | 'kafka' | 'internal'>;

/** The closed list of codes; what each means is said by its sentence and hint. */
export type BraidErrorCode = keyof typeof errorCodes;
/** Who can do something about an error: whoever wrote the job, whoever runs the cluster, whoever writes Braid. */
export type BraidErrorDomain = 'user' | 'kafka' | 'internal';

export interface BraidErrorDetails {
  /** Where it happened: a topic and partition, a column, an option, a file. */
  readonly place?: string | undefined;
  /** What the reader can do about it. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
  /** True where the same call may succeed later without any change. */
  readonly retriable?: boolean | undefined;
}

/** What every part of Braid throws, rejects with and reports. Its `message` is one sentence; `describe()` is all of it. */
export class BraidError extends Error {
  override readonly name = 'BraidError';
  readonly code: BraidErrorCode;
  readonly domain: BraidErrorDomain;
  readonly place: string | undefined;
  readonly hint: string | undefined;
  readonly retriable: boolean;

  constructor(code: BraidErrorCode, sentence: string, details: BraidErrorDetails = {}) {
    super(sentence, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.domain = errorCodes[code];
    this.place = details.place;
    this.hint = details.hint;
    this.retriable = details.retriable ?? false;
  }

  /** `CODE: sentence (place). hint`, on one line: the form that the command line prints. */
  describe(): string {
    const place = this.place === undefined ? '' : ` (${this.place})`;
    const hint = this.hint === undefined ? '' : `\n  hint: ${this.hint}`;
    return `${this.code}: ${this.message}${place}${hint}`;
  }
}

/** Wraps whatever was thrown, once; a BraidError passes unchanged. */
export function toBraidError(thrown: unknown, code: BraidErrorCode = 'ASSERTION', place?: string): BraidError {
  if (thrown instanceof BraidError) return thrown;
  return new BraidError(code, sentenceOf(thrown), { cause: thrown, place });
}

/** What was thrown, in words: anything can be thrown, also what cannot be printed. */
export function sentenceOf(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message === '' ? thrown.name : thrown.message;
  if (thrown === undefined || thrown === null)
    return `${thrown === null ? 'null' : 'nothing'} was thrown, without a reason`;
  return typeof thrown === 'object' || typeof thrown === 'function'
    ? 'an object that is no Error was thrown'
    : String(thrown);
}

/** A programmer error: the actor that meets it crashes. Never used for input or for the network. */
export function assert(condition: unknown, sentence: string): asserts condition {
  if (!condition) throw new BraidError('ASSERTION', sentence);
}

export function unreachable(value: never): never {
  throw new BraidError('ASSERTION', `unexpected value ${String(value)}`);
}
