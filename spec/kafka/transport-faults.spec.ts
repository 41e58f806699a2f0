import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import * as assert from 'uvu/assert';
import { ByteWriter } from '../../lib/base/byte-writer.ts';
import { BraidError, type BraidErrorCode } from '../../lib/base/errors.ts';
import type { ClusterAddress } from '../../lib/kafka/address.ts';
import { type ClientOptions, createClientFactory } from '../../lib/kafka/client.ts';
import type { ClusterClient } from '../../lib/kafka/transport.ts';
import { suite } from '../support/suite.ts';

const spec = suite('transport faults');

const cleanUps: (() => void)[] = [];
spec.after.each(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp();
});

interface Port {
  readonly port: number;
  readonly sockets: Socket[];
  readonly server: Server;
}

/** A port that does with a connection whatever a spec says. */
async function listen(onSocket: (socket: Socket) => void): Promise<Port> {
  const sockets: Socket[] = [];
  const server = createServer(socket => {
    sockets.push(socket);
    socket.on('error', () => {});
    onSocket(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUps.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as { port: number }).port, sockets, server };
}

type Reply = (apiKey: number, port: number) => ByteWriter | 'silence' | 'hang up' | 'reset';

/** A broker that answers what Braid asks at its start, and as scripted everything else. */
async function listenAsBroker(script: Reply = () => 'silence'): Promise<Port> {
  const port: Port = await listen(socket => {
    let buffered = Buffer.alloc(0);
    socket.on('data', chunk => {
      buffered = Buffer.concat([buffered, chunk]);
      while (buffered.length >= 4 && buffered.length >= 4 + buffered.readInt32BE(0)) {
        const size = buffered.readInt32BE(0);
        const apiKey = buffered.readInt16BE(4);
        const correlationId = buffered.readInt32BE(8);
        buffered = buffered.subarray(4 + size);
        let reply = script(apiKey, port.port);
        if (reply === 'silence' && apiKey === 18) reply = versions();
        if (reply === 'silence' && apiKey === 3) reply = metadata(port.port);
        if (reply === 'hang up') socket.end();
        else if (reply === 'reset') socket.resetAndDestroy();
        else if (reply !== 'silence') {
          const body = reply.view();
          socket.write(
            new ByteWriter()
              .int32(body.length + 4)
              .int32(correlationId)
              .raw(body)
              .take(),
          );
        }
      }
    });
  });
  return port;
}

function versions(ranges = [0, 1, 2, 3, 18, 19].map(key => [key, 0, 20])): ByteWriter {
  const out = new ByteWriter().int16(0);
  out.array(ranges, range => {
    for (const n of range) out.int16(n);
  });
  return out.int32(0);
}

function metadata(port: number): ByteWriter {
  const out = new ByteWriter().int32(0);
  out.array([1], node => out.int32(node).string('127.0.0.1').int32(port).nullableString(null));
  return out.nullableString('fake').int32(1).int32(0);
}

function client(ports: readonly number[], options: ClientOptions = {}, more: Partial<ClusterAddress> = {}) {
  const brokers = ports.map(port => `127.0.0.1:${port}`);
  const made = createClientFactory({ name: 'east', brokers, ...more }, { connectMsMax: 600, ...options })(1);
  cleanUps.push(() => made.destroy());
  return made;
}

async function unusedPort(): Promise<number> {
  const { port, server } = await listen(() => {});
  server.close();
  await once(server, 'close');
  return port;
}

async function failsWith(code: BraidErrorCode, call: Promise<unknown>, ...says: RegExp[]): Promise<BraidError> {
  const error = await call.then(
    () => assert.unreachable('it did not fail'),
    thrown => thrown as unknown,
  );
  assert.instance(error, BraidError);
  const found = error as BraidError;
  assert.is(found.code, code, found.describe());
  for (const pattern of says) assert.match(found.describe(), pattern);
  return found;
}

/** Waits for a loss that nobody asked for. */
function closing(of: ClusterClient): Promise<string> {
  return new Promise(resolve => {
    of.traffic.onClosed = resolve;
  });
}

spec('an address where nothing listens is named', async () => {
  const port = await unusedPort();
  const error = await failsWith('CLUSTER_UNREACHABLE', client([port]).connect(), /nothing listens/, /east/);
  assert.match(error.place ?? '', `127.0.0.1:${port}`);
  assert.ok(error.retriable);
});

spec('a host that does not exist is named', async () => {
  const factory = createClientFactory({ name: 'east', brokers: ['no-such-host.invalid:9092'] });
  await failsWith('CLUSTER_UNREACHABLE', factory(1).connect(), /no-such-host\.invalid/);
});

spec('each address is tried in turn, and where all fail one error names them all', async () => {
  const [dead, alsoDead] = [await unusedPort(), await unusedPort()];
  const broker = await listenAsBroker();
  const found = client([dead, alsoDead, broker.port]);
  await found.connect();
  await found.heartbeat();
  await failsWith(
    'CLUSTER_UNREACHABLE',
    client([dead, alsoDead]).connect(),
    new RegExp(`127.0.0.1:${dead}, 127.0.0.1:${alsoDead}`),
  );
});

spec('a silent first address does not keep the second one waiting for longer than a dial', async () => {
  const silent = await listen(() => {});
  const broker = await listenAsBroker();
  const started = performance.now();
  await client([silent.port, broker.port]).connect();
  const took = performance.now() - started;
  assert.ok(took >= 590 && took < 30_000, `${took} ms`);
});

spec('a port that speaks HTTP is not Kafka', async () => {
  const http = createHttpServer((_, response) => response.end('hello')).listen(0, '127.0.0.1');
  await once(http, 'listening');
  cleanUps.push(() => http.close());
  await failsWith('NOT_KAFKA', client([(http.address() as { port: number }).port]).connect(), /HTTP/, /port/);
});

spec('ports that speak something else are not Kafka either', async () => {
  for (const [bytes, says] of [
    ['SSH-2.0-OpenSSH_9.2\r\n', /SSH/],
    ['\x15\x03\x03\x00\x02\x02\x46', /TLS/],
    ['\xff\xff\xff\xff\x00\x00\x00\x00', /not as a Kafka broker/],
    ['\x00\x00\x00\x02\x00\x00\x00\x00', /not as a Kafka broker/],
    ['\x7f\xff\xff\xff\x00\x00\x00\x00', /not as a Kafka broker/],
    ['+OK\r\n', /not as a Kafka broker/],
  ] as const) {
    const port = await listen(socket => socket.on('data', () => socket.write(Buffer.from(bytes, 'latin1'))));
    await failsWith('NOT_KAFKA', client([port.port]).connect(), says);
  }
});

spec('an echo is not Kafka', async () => {
  const port = await listen(socket => socket.pipe(socket));
  await failsWith('NOT_KAFKA', client([port.port]).connect());
});

spec('a port that accepts and says nothing is given up in bounded time', async () => {
  const silent = await listen(() => {});
  await failsWith('CLUSTER_UNREACHABLE', client([silent.port]).connect(), /no answer within 600 ms/);
});

spec('a broker that answers the versions and then nothing is given up in bounded time', async () => {
  const broker = await listenAsBroker(apiKey => (apiKey === 3 ? new ByteWriter() : 'silence'));
  const silent = await listen(socket => socket.once('data', () => socket.write(Buffer.alloc(2))));
  await failsWith('RESPONSE_MALFORMED', client([broker.port]).connect());
  await failsWith('NOT_KAFKA', client([silent.port]).connect());
});

spec('a listener that hangs up during the handshake hints at TLS, and one that hangs up after it at SASL', async () => {
  for (const end of ['end', 'resetAndDestroy'] as const) {
    const port = await listen(socket => socket.once('data', () => socket[end]()));
    await failsWith('CLUSTER_UNREACHABLE', client([port.port]).connect(), /hung up/, /TLS \(ssl\)/);
    const tls = client([port.port], {}, { ssl: {} });
    await failsWith('CLUSTER_UNREACHABLE', tls.connect(), /hung up/, /speak TLS/);
  }
  for (const reply of ['hang up', 'reset'] as const) {
    const broker = await listenAsBroker(apiKey => (apiKey === 3 ? reply : 'silence'));
    await failsWith('CLUSTER_UNREACHABLE', client([broker.port]).connect(), /hung up/, /SASL \(sasl\)/);
  }
});

spec('a broker whose versions do not reach is named, with the request', async () => {
  const old = [0, 1, 2, 3, 18, 19].map(key => [key, 0, key === 1 ? 4 : 20]);
  const broker = await listenAsBroker(apiKey => (apiKey === 18 ? versions(old) : 'silence'));
  await failsWith('BROKER_ERROR', client([broker.port]).connect(), /Fetch 11/, /0 to 4/);
});

spec('a port without TLS, asked for TLS, is an error in bounded time', async () => {
  const broker = await listenAsBroker();
  const error = await failsWith(
    'CLUSTER_UNREACHABLE',
    client([broker.port], {}, { ssl: { rejectUnauthorized: false } }).connect(),
  );
  assert.ok(error.place?.includes(String(broker.port)));
});

spec('a reset turns pending calls into CONNECTION_LOST and is told once a socket', async () => {
  const broker = await listenAsBroker(apiKey => (apiKey === 1 ? 'reset' : 'silence'));
  const made = client([broker.port]);
  await made.connect();
  const closed = closing(made);
  const fetched = made.fetch(1, { topic: 't', partitions: [], waitMsMax: 0, bytesMin: 0, bytesMax: 1 });
  await failsWith('CONNECTION_LOST', fetched, /ECONNRESET/);
  assert.match(await closed, `127.0.0.1:${broker.port} ECONNRESET`);
  // The lane is dialled again; the loss of one socket is not the loss of the client.
  await made.heartbeat();
});

spec('a broker that ends its connections is told although nothing is pending', async () => {
  const broker = await listenAsBroker();
  const made = client([broker.port]);
  await made.connect();
  const closed = closing(made);
  for (const socket of broker.sockets) socket.end();
  assert.match(await closed, 'ended');
});

spec('after a loss, a port that refuses rejects the call and nothing is retried in secret', async () => {
  const broker = await listenAsBroker();
  const made = client([broker.port]);
  await made.connect();
  const closed = closing(made);
  broker.server.close();
  for (const socket of broker.sockets) socket.resetAndDestroy();
  await closed;
  await failsWith('CLUSTER_UNREACHABLE', made.heartbeat(), /nothing listens/);
  await failsWith('CLUSTER_UNREACHABLE', made.metadata(['t']), /nothing listens/);
  assert.is(made.traffic.inFlight, 0);
});

spec('a request that is not answered times out and takes its socket with it', async () => {
  let asked = 0;
  const broker = await listenAsBroker(apiKey => {
    if (apiKey === 0) asked++;
    return 'silence';
  });
  const made = client([broker.port], { requestMsMax: 150 });
  await made.connect();
  const closed = closing(made);
  const produce = () => made.produce(1, { topic: 't', timeoutMs: 0, partitions: [] });
  const [first, second] = [produce(), produce()];
  assert.is(await Promise.race([first.catch(() => 'rejected'), made.heartbeat().then(() => 'alive')]), 'alive');
  await failsWith('REQUEST_TIMED_OUT', first, /Produce/, /150 ms/, /may still be applied/);
  await failsWith('CONNECTION_LOST', second);
  assert.match(await closed, 'timed out');
  assert.is(asked, 2);
});

spec('an answer in pieces is put together, and one beyond the limit ends the connection', async () => {
  const broker = await listenAsBroker(apiKey =>
    apiKey === 1 ? new ByteWriter().raw(new Uint8Array(100_000)) : 'silence',
  );
  const made = client([broker.port], { responseBytesMax: 50_000 });
  await made.connect();
  const fetched = made.fetch(1, { topic: 't', partitions: [], waitMsMax: 0, bytesMin: 0, bytesMax: 1 });
  await failsWith('RESPONSE_MALFORMED', fetched, /100004 bytes/);
});

spec('an answer that makes no sense is malformed, not a crash', async () => {
  const broker = await listenAsBroker(apiKey =>
    apiKey === 1 ? new ByteWriter().int32(0).int16(0).int32(0).int32(0x7fffffff) : 'silence',
  );
  const made = client([broker.port]);
  await made.connect();
  const fetched = made.fetch(1, { topic: 't', partitions: [], waitMsMax: 0, bytesMin: 0, bytesMax: 1 });
  await failsWith('RESPONSE_MALFORMED', fetched);
});

spec('a client that is destroyed while it dials rejects at once', async () => {
  const silent = await listen(() => {});
  const made = client([silent.port], { connectMsMax: 20_000 });
  const connecting = made.connect();
  while (silent.sockets.length === 0) await new Promise(resolve => setImmediate(resolve));
  assert.is(made.traffic.inFlight, 1, 'a dial is a question, too');
  made.destroy();
  await failsWith('CONNECTION_LOST', connecting, /destroyed/);
  assert.is(made.traffic.inFlight, 0);
});

spec('addresses that cannot work are refused before anything is dialled', () => {
  const refused = (address: Partial<ClusterAddress>): string => {
    try {
      createClientFactory({ name: 'east', brokers: ['127.0.0.1:9092'], ...address });
    } catch (error) {
      assert.is((error as BraidError).code, 'OPTION_INVALID');
      return (error as BraidError).describe();
    }
    return 'accepted';
  };
  for (const broker of ['localhost', 'localhost:', ':9092', 'localhost:0', 'localhost:70000', 'http://a:1', 'a b:1'])
    assert.match(refused({ brokers: [broker] }), /not host:port/);
  assert.match(refused({ brokers: [] }), /no broker address/);
  assert.match(refused({ ssl: 'yes' }), /ssl/);
  assert.match(refused({ sasl: { username: 'u' } }), /mechanism/);
  for (const mechanism of ['plain', 'PLAIN', 'oauthbearer'])
    assert.match(refused({ sasl: { mechanism } }), /clear text/);
  assert.is(refused({ sasl: { mechanism: 'plain' }, ssl: true }), 'accepted');
  assert.is(refused({ sasl: { mechanism: 'plain' }, allowInsecure: true }), 'accepted');
  assert.is(refused({ sasl: { mechanism: 'scram-sha-256' } }), 'accepted');
  assert.is(refused({ brokers: ['[::1]:9092'] }), 'accepted');
});

spec.run();
