import { ByteWriter } from '../../base/byte-writer.ts';
import type { Api, ApiAnswer, ApiRequest } from '../api.ts';
import { kafkaError } from '../kafka-errors.ts';
import { ledPartition } from '../leader-check.ts';
import type { LogSlice } from '../partition-log.ts';
import type { Partition } from '../topics.ts';

interface WantedPartition {
  readonly topic: string;
  readonly index: number;
  readonly leaderEpoch: number;
  readonly offset: number;
  readonly bytesMax: number;
}
interface FetchOrder {
  readonly waitMsMax: number;
  readonly bytesMin: number;
  readonly bytesMax: number;
  readonly readCommitted: boolean;
  readonly sessionId: number;
  readonly topics: readonly { readonly name: string; readonly partitions: readonly WantedPartition[] }[];
}

/**
 * Fetch. Waits until `bytesMin` bytes are there or `waitMsMax` is over, and answers with views of the log that go to
 * the socket as they are. Fetch sessions are not kept: session id 0 tells clients to send whole requests, as an
 * Apache Kafka broker does whose session cache is full.
 */
export const fetch: Api = {
  key: 1,
  name: 'Fetch',
  min: 4,
  max: 11,
  handle(request) {
    const order = readOrder(request);
    if (order.sessionId !== 0) return emptyAnswer(request, kafkaError.FETCH_SESSION_ID_NOT_FOUND);
    if (request.injectedError !== 0 && request.version >= 7) return emptyAnswer(request, request.injectedError);
    if (isDue(request, order)) return answer(request, order);
    return new Promise(resolve => waitUntilDue(request, order, resolve));
  },
};

function waitUntilDue(request: ApiRequest, order: FetchOrder, resolve: (answer: ApiAnswer) => void): void {
  const undo: (() => void)[] = [];
  const finish = (result: () => ApiAnswer) => {
    for (const step of undo.splice(0)) step();
    resolve(result());
  };
  undo.push(request.cluster.clock.after(order.waitMsMax, () => finish(() => answer(request, order))));
  undo.push(request.onClosed(() => finish(() => 'none')));
  for (const wanted of allWanted(order)) {
    const partition = request.cluster.topics.partition(wanted.topic, wanted.index);
    const undoWatch = partition?.watch(() => {
      if (undo.length > 0 && isDue(request, order)) finish(() => answer(request, order));
    });
    if (undoWatch !== undefined) undo.push(undoWatch);
  }
}

function* allWanted(order: FetchOrder): Generator<WantedPartition> {
  for (const topic of order.topics) yield* topic.partitions;
}

/** Enough bytes, nothing to wait for, or an error that the client should know at once. */
function isDue(request: ApiRequest, order: FetchOrder): boolean {
  if (order.waitMsMax <= 0) return true;
  let bytes = 0;
  let any = false;
  for (const wanted of allWanted(order)) {
    any = true;
    const found = readable(request, wanted);
    if (typeof found === 'number') return true;
    bytes += Math.min(wanted.bytesMax, found.log.bytesFrom(wanted.offset));
  }
  return !any || bytes >= order.bytesMin;
}

function readable(request: ApiRequest, wanted: WantedPartition): Partition | number {
  const found = ledPartition(request, wanted.topic, wanted.index, wanted.leaderEpoch);
  if (typeof found === 'number') return found;
  const { startOffset, endOffset } = found.log;
  return wanted.offset < startOffset || wanted.offset > endOffset ? kafkaError.OFFSET_OUT_OF_RANGE : found;
}

function answer(request: ApiRequest, order: FetchOrder): ApiAnswer {
  const { version } = request;
  const pieces: Uint8Array[] = [];
  const out = new ByteWriter();
  out.int32(0);
  if (version >= 7) out.int16(kafkaError.NONE).int32(0);
  let bytesLeft = order.bytesMax;
  let firstWhole = true;
  out.array(order.topics, topic => {
    out.string(topic.name).array(topic.partitions, wanted => {
      const found = readable(request, wanted);
      const slice = typeof found === 'number' ? nothing : read(found, wanted, bytesLeft, firstWhole);
      writePartition(out, request, order, wanted, found);
      out.int32(slice.bytes);
      if (slice.bytes > 0) {
        pieces.push(out.take(), ...slice.pieces);
        bytesLeft -= slice.bytes;
        firstWhole = false;
      }
    });
  });
  pieces.push(out.take());
  return pieces;
}

const nothing: LogSlice = { pieces: [], bytes: 0 };

/**
 * Only the first partition that has anything may go over the limits, so that a reader gets past a large batch: its
 * first batch comes whole. Any other first batch that does not fit is left out.
 */
function read(partition: Partition, wanted: WantedPartition, bytesLeft: number, firstWhole: boolean): LogSlice {
  const limit = Math.max(0, Math.min(wanted.bytesMax, bytesLeft));
  return partition.log.read(wanted.offset, limit, firstWhole);
}

function writePartition(
  out: ByteWriter,
  { version }: ApiRequest,
  order: FetchOrder,
  wanted: WantedPartition,
  found: Partition | number,
): void {
  const failed = typeof found === 'number';
  const end = failed ? -1 : found.log.endOffset;
  out
    .int32(wanted.index)
    .int16(failed ? found : kafkaError.NONE)
    .int64(end)
    .int64(end);
  if (version >= 5) out.int64(failed ? -1 : found.log.startOffset);
  out.int32(order.readCommitted && !failed ? 0 : -1);
  if (version >= 11) out.int32(-1);
}

function emptyAnswer({ version }: ApiRequest, error: number): ApiAnswer {
  const out = new ByteWriter();
  out.int32(0);
  if (version >= 7) out.int16(error).int32(0);
  return out.int32(0);
}

function readOrder({ version, body }: ApiRequest): FetchOrder {
  body.int32();
  const waitMsMax = body.int32();
  const bytesMin = body.int32();
  const bytesMax = body.int32();
  const readCommitted = body.int8() === 1;
  const sessionId = version >= 7 ? body.int32() : 0;
  if (version >= 7) body.int32();
  const topics = body.array(() => {
    const name = body.string();
    const partitions = body.array(() => {
      const index = body.int32();
      const leaderEpoch = version >= 9 ? body.int32() : -1;
      const offset = body.safeInt64();
      if (version >= 5) body.int64();
      return { topic: name, index, leaderEpoch, offset, bytesMax: body.int32() };
    });
    return { name, partitions };
  });
  return { waitMsMax, bytesMin, bytesMax, readCommitted, sessionId, topics };
}
