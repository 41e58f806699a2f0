import { connect } from 'node:net';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { ByteWriter } from '../../lib/base/byte-writer.ts';
import { startCluster } from '../../lib/embedded/index.ts';
import { suite } from '../support/suite.ts';
import { batch } from './batches.ts';
import { produce, produceBody, rawClient, requestFrame } from './raw-client.ts';

const test = suite('embedded: what is no Kafka request');
const cluster = await startCluster({ topics: [{ topic: 't' }], requestBytesMax: 2_000_000 });
test.after(() => cluster.close());

/** Sends bytes and resolves with what came back until the broker closed the connection. */
function answerTo(bytes: Uint8Array): Promise<Buffer> {
  const [host, port] = cluster.bootstrap[0]!.split(':');
  return new Promise(resolve => {
    const socket = connect(Number(port), host);
    const chunks: Buffer[] = [];
    socket.on('data', chunk => chunks.push(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(Buffer.concat(chunks)));
    socket.write(bytes);
  });
}
const frame = (apiKey: number, version: number, body: Uint8Array = new Uint8Array(0)) =>
  requestFrame(apiKey, version, 1, 'c', body);
const sized = (size: number) => new ByteWriter().int32(size).take();

const table: readonly [what: string, bytes: Uint8Array, reason: RegExp][] = [
  ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), /1195725856 bytes/],
  ['a TLS hello', Buffer.from([22, 3, 1, 2, 0, 1, 0]), /bytes/],
  ['a negative size', sized(-1), /-1 bytes/],
  ['a size of nothing', sized(0), /0 bytes/],
  ['more than requestBytesMax', sized(2_000_001), /2000001 bytes/],
  ['an API that does not exist', frame(999, 0), /API 999/],
  ['a Produce of an old format', frame(0, 2), /Produce 2/],
  ['a Fetch that is too new', frame(1, 12), /Fetch 12/],
  ['a request cut off in its body', frame(3, 1, new ByteWriter().int32(1).int16(50).take()), /malformed/],
  ['an array that claims two billion elements', frame(3, 1, new ByteWriter().int32(2_000_000_000).take()), /malformed/],
  [
    'a Produce whose records claim more than there is',
    frame(0, 7, produceBody('t', 0, new Uint8Array(9)).view().slice(0, -9)),
    /malformed/,
  ],
];
for (const [what, bytes, reason] of table) {
  test(`${what} closes the connection without an answer, and the cluster says why`, async () => {
    assert.is((await answerTo(bytes)).length, 0);
    assert.match(cluster.refusals.at(-1)!, reason);
  });
}

test('after all of that, and after any bytes at all, the cluster still serves', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(0, 1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 19, 20, 21, 22, 32, 37, 42),
      fc.nat({ max: 8 }),
      fc.uint8Array({ maxLength: 200 }),
      async (apiKey, version, body) => {
        const client = await rawClient(cluster.bootstrap[0]!);
        client.socket.write(frame(apiKey, version, body));
        client.socket.end();
        await client.closed;
      },
    ),
    { numRuns: 300 },
  );
  const client = await rawClient(cluster.bootstrap[0]!);
  assert.is((await produce(client, 't', 0, batch({ values: ['x'] }))).error, 0);
  client.close();
});

test('a request that arrives a byte at a time, and many in one packet, are read all the same', async () => {
  const client = await rawClient(cluster.bootstrap[0]!);
  const bytes = requestFrame(0, 7, 100, 'c', produceBody('t', 0, batch({ values: ['x'] })).view());
  const before = await cluster.endOffset('t', 0);
  for (const byte of bytes) client.socket.write(Uint8Array.of(byte));
  client.socket.write(Buffer.concat(Array.from({ length: 50 }, () => bytes)));
  await client.request(18, 0);
  assert.is(await cluster.endOffset('t', 0), before + 51);
  client.close();
});

test('ApiVersions: each version is answered in its form, an unknown one with error 35 in the form of version 0', async () => {
  const client = await rawClient(cluster.bootstrap[0]!);
  for (const version of [0, 1, 2]) {
    const answer = await client.request(18, version);
    assert.is(answer.int16(), 0);
    const ranges = answer.array(() => [answer.int16(), answer.int16(), answer.int16()]);
    assert.equal(
      ranges.find(([key]) => key === 0),
      [0, 0, 8],
      'Produce is told from version 0 on',
    );
    assert.equal(
      ranges.find(([key]) => key === 1),
      [1, 4, 11],
    );
    assert.is(answer.remaining, version === 0 ? 0 : 4);
  }
  const flexible = new ByteWriter().unsignedVarint(0).compactString('spec').compactString('1').unsignedVarint(0);
  const third = await client.request(18, 3, flexible);
  assert.is(third.int16(), 0);
  const count = third.unsignedVarint() - 1;
  for (let n = 0; n < count; n++) {
    third.slice(6);
    third.taggedFields();
  }
  third.int32();
  third.taggedFields();
  assert.is(third.remaining, 0);
  const unknown = await client.request(18, 4, flexible);
  assert.is(unknown.int16(), 35);
  assert.equal(
    unknown.array(() => [unknown.int16(), unknown.int16(), unknown.int16()]),
    [[18, 0, 3]],
  );
  assert.is(unknown.remaining, 0);
  client.close();
});

test.run();
