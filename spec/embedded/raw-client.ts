import { connect, type Socket } from 'node:net';
import { ByteReader } from '../../lib/base/byte-reader.ts';
import { ByteWriter } from '../../lib/base/byte-writer.ts';

/** A bare Kafka client of one connection: what it sends is what the spec wrote. */
export interface RawClient {
  readonly socket: Socket;
  /** Resolves to the body of the answer. Rejects when the connection closes before. */
  request(apiKey: number, version: number, body?: ByteWriter): Promise<ByteReader>;
  /** Resolves when the connection has closed: 'end', or the code of its error. */
  readonly closed: Promise<string>;
  close(): void;
}

interface Waiting {
  readonly resolve: (body: ByteReader) => void;
  readonly reject: (error: Error) => void;
}

export function rawClient(address: string, clientId = 'raw'): Promise<RawClient> {
  const [host, port] = address.split(':');
  const socket = connect(Number(port), host);
  const waiting = new Map<number, Waiting>();
  let correlation = 0;
  let buffered: Buffer = Buffer.alloc(0);
  let how = 'end';
  socket.on('error', error => {
    how = (error as NodeJS.ErrnoException).code ?? error.message;
  });
  const closed = new Promise<string>(resolve =>
    socket.on('close', () => {
      for (const { reject } of waiting.values()) reject(new Error(`closed: ${how}`));
      resolve(how);
    }),
  );
  socket.on('data', chunk => {
    buffered = buffered.length === 0 ? chunk : Buffer.concat([buffered, chunk]);
    while (buffered.length >= 4 && buffered.length >= 4 + buffered.readInt32BE(0)) {
      const end = 4 + buffered.readInt32BE(0);
      const id = buffered.readInt32BE(4);
      waiting.get(id)?.resolve(new ByteReader(buffered.subarray(8, end)));
      waiting.delete(id);
      buffered = buffered.subarray(end);
    }
  });
  const client: RawClient = {
    socket,
    closed,
    request(apiKey, version, body = new ByteWriter()) {
      const id = ++correlation;
      socket.write(requestFrame(apiKey, version, id, clientId, body.view()));
      return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
    },
    close: () => socket.destroy(),
  };
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.removeListener('error', reject);
      resolve(client);
    });
  });
}

export function requestFrame(
  apiKey: number,
  version: number,
  correlation: number,
  clientId: string,
  body: Uint8Array,
): Uint8Array {
  const out = new ByteWriter();
  out.int32(0).int16(apiKey).int16(version).int32(correlation).nullableString(clientId).raw(body);
  out.patchInt32(0, out.length - 4);
  return out.take();
}

export interface ProduceAnswer {
  readonly error: number;
  readonly baseOffset: number;
}

/** Produce 7 of one partition. */
export async function produce(
  client: RawClient,
  topic: string,
  partition: number,
  records: Uint8Array | null,
  acks = -1,
): Promise<ProduceAnswer> {
  const body = await client.request(0, 7, produceBody(topic, partition, records, acks));
  body.int32();
  body.string();
  body.int32();
  body.int32();
  return { error: body.int16(), baseOffset: body.safeInt64() };
}

export function produceBody(topic: string, partition: number, records: Uint8Array | null, acks = -1): ByteWriter {
  const out = new ByteWriter();
  out.nullableString(null).int16(acks).int32(1000).int32(1).string(topic).int32(1).int32(partition);
  return out.nullableBytes(records);
}

export interface FetchWish {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly bytesMax?: number;
  readonly leaderEpoch?: number;
}
export interface FetchAnswer {
  readonly topic: string;
  readonly partition: number;
  readonly error: number;
  readonly highWatermark: number;
  readonly logStart: number;
  readonly records: Uint8Array;
}

/** Fetch 11 of partitions, one topic entry each. */
export async function fetch(
  client: RawClient,
  wishes: readonly FetchWish[],
  { waitMsMax = 0, bytesMin = 1, bytesMax = 1 << 24 } = {},
): Promise<FetchAnswer[]> {
  const out = new ByteWriter();
  out.int32(-1).int32(waitMsMax).int32(bytesMin).int32(bytesMax).int8(0).int32(0).int32(-1);
  out.array(wishes, wish => {
    out.string(wish.topic).int32(1).int32(wish.partition);
    out
      .int32(wish.leaderEpoch ?? -1)
      .int64(wish.offset)
      .int64(0);
    out.int32(wish.bytesMax ?? 1 << 24);
  });
  out.int32(0).string('');
  return readFetch(await client.request(1, 11, out));
}

export function readFetch(body: ByteReader): FetchAnswer[] {
  body.int32();
  body.int16();
  body.int32();
  return body
    .array(() => {
      const topic = body.string();
      return body.array(() => {
        const partition = body.int32();
        const error = body.int16();
        const highWatermark = body.safeInt64();
        body.int64();
        const logStart = body.safeInt64();
        body.array(() => [body.int64(), body.int64()]);
        body.int32();
        return { topic, partition, error, highWatermark, logStart, records: body.nullableBytes() ?? new Uint8Array(0) };
      });
    })
    .flat();
}

/** ListOffsets 5 of one partition. */
export async function listOffset(
  client: RawClient,
  topic: string,
  partition: number,
  timestamp: number,
): Promise<{ error: number; timestamp: number; offset: number }> {
  const out = new ByteWriter();
  out.int32(-1).int8(0).int32(1).string(topic).int32(1).int32(partition).int32(-1).int64(timestamp);
  const body = await client.request(2, 5, out);
  body.int32();
  body.int32();
  body.string();
  body.int32();
  body.int32();
  return { error: body.int16(), timestamp: body.safeInt64(), offset: body.safeInt64() };
}

/** The error that a promise rejects with; resolving is the failure here. */
export function failureOf(promise: Promise<unknown>): Promise<Error & { readonly code?: string }> {
  return promise.then(
    value => {
      throw new Error(`expected a failure, got ${JSON.stringify(value)}`);
    },
    error => error,
  );
}
