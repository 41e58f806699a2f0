import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { ByteReader } from '../../lib/base/byte-reader.ts';
import { ByteWriter } from '../../lib/base/byte-writer.ts';

/** What a broker is asked: which API, at which place of the conversation of its connection. */
export interface AskedRequest {
  readonly apiKey: number;
  readonly correlationId: number;
  readonly body: ByteReader;
}
/** The body of an answer; or what to do with the socket instead. */
export type FakeAnswer = Uint8Array | ((socket: Socket) => void);
export type FakeAnswers = Partial<Record<'produce' | 'fetch' | 'listOffsets' | 'metadata' | 'apiVersions', Say>>;
type Say = (asked: AskedRequest, port: number) => FakeAnswer;

export interface FakeBroker {
  readonly address: string;
  close(): Promise<void>;
}

const keys = { produce: 0, fetch: 1, listOffsets: 2, metadata: 3, apiVersions: 18, createTopics: 19 } as const;

/** A broker of one topic `t` with one empty partition, which says the truth except where it is told what to say. */
export async function fakeBroker(lies: FakeAnswers = {}): Promise<FakeBroker> {
  const says = new Map<number, Say>(
    Object.entries({ ...truth, ...lies }).map(([name, say]) => [keys[name as keyof typeof keys], say as Say]),
  );
  const sockets = new Set<Socket>();
  const server = createServer(socket => {
    sockets.add(socket);
    let buffered = Buffer.alloc(0);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', chunk => {
      buffered = Buffer.concat([buffered, chunk]);
      while (buffered.length >= 4 && buffered.length >= 4 + buffered.readInt32BE(0)) {
        const end = 4 + buffered.readInt32BE(0);
        const body = new ByteReader(buffered, 4, end);
        buffered = buffered.subarray(end);
        const [apiKey, , correlationId] = [body.int16(), body.int16(), body.int32()];
        body.nullableString();
        const answer = says.get(apiKey)?.({ apiKey, correlationId, body }, (server.address() as AddressInfo).port);
        if (typeof answer === 'function') answer(socket);
        else if (answer !== undefined) socket.write(framed(correlationId, answer));
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

export function framed(correlationId: number, body: Uint8Array): Uint8Array {
  return new ByteWriter()
    .int32(body.length + 4)
    .int32(correlationId)
    .raw(body)
    .take();
}

export const answers = {
  apiVersions: () =>
    new ByteWriter()
      .int16(0)
      .raw(
        Uint8Array.of(0, 0, 0, Object.keys(keys).length, ...Object.values(keys).flatMap(key => [0, key, 0, 0, 0, 12])),
      )
      .int32(0)
      .take(),
  metadata: (port: number, leader = 1) =>
    new ByteWriter()
      .int32(0)
      .int32(1)
      .int32(1)
      .string('127.0.0.1')
      .int32(port)
      .nullableString(null)
      .nullableString('fake')
      .int32(1)
      .int32(1)
      .int16(0)
      .string('t')
      .int8(0)
      .int32(1)
      .int16(0)
      .int32(0)
      .int32(leader)
      .int32(0)
      .int32(0)
      .int32(0)
      .take(),
  listOffsets: (offset: bigint, partition = 0) =>
    new ByteWriter().int32(0).int32(1).string('t').int32(1).int32(partition).int16(0).int64(-1).int64(offset).take(),
  produce: (baseOffset: bigint) =>
    new ByteWriter()
      .int32(1)
      .string('t')
      .int32(1)
      .int32(0)
      .int16(0)
      .int64(baseOffset)
      .int64(-1)
      .int64(0)
      .int32(0)
      .take(),
  createTopics: (topic: string) =>
    new ByteWriter().int32(0).int32(1).string(topic).int16(36).nullableString('it exists').take(),
  fetch: (records: Uint8Array, highWatermark: bigint, { partition = 0, error = 0 } = {}) =>
    new ByteWriter()
      .int32(0)
      .int16(0)
      .int32(0)
      .int32(1)
      .string('t')
      .int32(1)
      .int32(partition)
      .int16(error)
      .int64(highWatermark)
      .int64(highWatermark)
      .int64(0)
      .int32(0)
      .int32(-1)
      .nullableBytes(records)
      .take(),
};

const truth: FakeAnswers = {
  apiVersions: () => answers.apiVersions(),
  metadata: (_, port) => answers.metadata(port),
  listOffsets: () => answers.listOffsets(0n),
  fetch: () => answers.fetch(new Uint8Array(0), 0n),
};
