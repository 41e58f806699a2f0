/**
 * What becomes of a job whose clusters are not there, are something else, refuse, or say what no broker says: one error
 * from `start`, or a failed job, in bounded time. Nothing is left running.
 */
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import * as assert from 'uvu/assert';
import { startCluster } from '../../lib/embedded/index.ts';
import { type Job, job, type KafkaCluster, kafka, kafkaSink, rows, schema, t, toArray } from '../../lib/index.ts';
import { assertError, type ErrorWanted, endingOf, errorOf } from '../support/ending.ts';
import { answers, type FakeAnswers, fakeBroker, framed } from '../support/fake-broker.ts';
import { recordBatch } from '../support/record-batches.ts';
import { suite } from '../support/suite.ts';

const test = suite('bad input: clusters', 20_000);
const cluster = await startCluster({
  topics: [{ topic: 'flights' }, { topic: 'delays' }, { topic: 'wide', partitions: 2 }],
});
const other = await startCluster({ topics: [{ topic: 'wide', partitions: 3 }] });
await cluster.append('flights', 0, recordBatch([{ value: '{"n":1}' }]));

const numbers = schema({ n: t.int() });
type Address = Omit<KafkaCluster, 'name'> & { readonly name?: string };
const reading = (address: Address, topic = 'flights'): Job<unknown> =>
  job('reading')
    .from(kafka({ topic, clusters: [{ name: 'east', ...address }], schema: numbers, bounded: true }))
    .to(toArray());
const writing = (address: Address, topic = 'delays'): Job<unknown> =>
  job('writing')
    .from(rows(numbers, [{ n: 1 }]))
    .to(kafkaSink({ topic, clusters: [{ name: 'east', ...address }] }));
const there = { brokers: cluster.bootstrap };

/** Ports that are no broker. */
const servers: Server[] = [];
const sockets = new Set<Socket>();
async function port(server: Server): Promise<string> {
  servers.push(server);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}
const http = await port(createHttpServer((_, response) => response.end('hello')));
const silent = await port(createServer(() => {}));
const closing = await port(createServer(socket => socket.destroy()));
const echo = await port(createServer(socket => socket.pipe(socket)));
const ssh = await port(createServer(socket => socket.write('SSH-2.0-OpenSSH_9.6\r\n')));
const noise = await port(createServer(socket => socket.write(Buffer.alloc(64, 0x5a))));
const drip = await port(
  createServer(socket => {
    const timer = setInterval(() => socket.write('\0'), 100);
    socket.on('close', () => clearInterval(timer));
  }),
);
test.after(async () => {
  for (const socket of sockets) socket.destroy();
  await Promise.all(servers.map(server => once(server.close(), 'close')));
  await Promise.all([cluster.close(), other.close()]);
});

interface Line {
  readonly what: string;
  readonly build: () => Job<unknown>;
  readonly wanted: ErrorWanted;
  readonly startMsMax?: number;
}
const nothingListens = {
  code: 'CLUSTER_UNREACHABLE',
  sentence: /nothing listens at east at 127\.0\.0\.1:1\b/,
} as const;
const notKafka = (sentence: RegExp, address: string): ErrorWanted => ({
  code: 'NOT_KAFKA',
  sentence,
  place: new RegExp(address),
  hint: /port/,
});
const invalid = (sentence: RegExp, place: RegExp, hint?: RegExp): ErrorWanted => ({
  code: 'OPTION_INVALID',
  sentence,
  place,
  ...(hint && { hint }),
});

const table: readonly Line[] = [
  // Addresses.
  {
    what: 'an address where nothing listens, of a source',
    build: () => reading({ brokers: ['127.0.0.1:1'] }),
    wanted: { ...nothingListens, place: /^east$/, hint: /is the cluster up/ },
    startMsMax: 3000,
  },
  {
    what: 'an address where nothing listens, of a sink',
    build: () => writing({ brokers: ['127.0.0.1:1'] }),
    wanted: { ...nothingListens, hint: /is the cluster up/ },
    startMsMax: 3000,
  },
  {
    what: 'several addresses where nothing listens',
    build: () => reading({ brokers: ['127.0.0.1:1', '127.0.0.1:2'] }),
    wanted: { code: 'CLUSTER_UNREACHABLE', sentence: /no broker of east .*127\.0\.0\.1:1, 127\.0\.0\.1:2/ },
    startMsMax: 3000,
  },
  {
    what: 'a name that does not resolve',
    build: () => reading({ brokers: ['no-such-host.invalid:9092'] }),
    wanted: { code: 'CLUSTER_UNREACHABLE', sentence: /host name of east at no-such-host\.invalid:9092 is unknown/ },
    startMsMax: 3000,
  },
  {
    what: 'a port that speaks HTTP, of a source',
    build: () => reading({ brokers: [http] }),
    wanted: notKafka(/speaks HTTP, not Kafka/, http),
  },
  {
    what: 'a port that speaks HTTP, of a sink',
    build: () => writing({ brokers: [http] }),
    wanted: notKafka(/speaks HTTP, not Kafka/, http),
  },
  { what: 'a port that speaks SSH', build: () => reading({ brokers: [ssh] }), wanted: notKafka(/speaks SSH/, ssh) },
  { what: 'a port that sends noise', build: () => reading({ brokers: [noise] }), wanted: notKafka(/not as/, noise) },
  {
    what: 'a port that sends back what it gets',
    build: () => reading({ brokers: [echo] }),
    wanted: notKafka(/not as/, echo),
  },
  {
    what: 'a port that drips zeros',
    build: () => reading({ brokers: [drip] }),
    wanted: notKafka(/not as a Kafka broker/, drip),
  },
  {
    what: 'a port that accepts and says nothing',
    build: () => reading({ brokers: [silent] }),
    wanted: { code: 'CLUSTER_UNREACHABLE', sentence: /gave no answer within 2000 ms/, hint: /firewall/ },
    startMsMax: 5000,
  },
  {
    what: 'a port that accepts and says nothing, with less time than a dial takes',
    build: () => reading({ brokers: [silent] }),
    wanted: { code: 'JOB_STATE', sentence: /did not start in time/, hint: /no answer yet from east/ },
    startMsMax: 300,
  },
  {
    what: 'a port that hangs up',
    build: () => reading({ brokers: [closing] }),
    wanted: { code: 'CLUSTER_UNREACHABLE', sentence: /hung up during the handshake/, hint: /TLS/ },
    startMsMax: 3000,
  },
  {
    what: 'TLS to a port that speaks none',
    build: () => reading({ ...there, ssl: true }),
    wanted: { code: 'CLUSTER_UNREACHABLE', sentence: /hung up during the handshake/, hint: /TLS/ },
    startMsMax: 3000,
  },
  ...[
    ['a host without a port', 'localhost'],
    ['a port that is none', 'localhost:port'],
    ['port 0', 'localhost:0'],
    ['port 65536', 'localhost:65536'],
    ['a URL', 'kafka://localhost:9092'],
    ['an IPv6 address without brackets', '::1:9092'],
    ['white space', ' localhost:9092'],
    ['nothing', ''],
  ].map(
    ([what, address]): Line => ({
      what: `as an address ${what}`,
      build: () => reading({ brokers: [address!] }),
      wanted: invalid(/a broker as host:port/, /^kafka\.clusters\[0\]\.brokers\[0\]$/, /localhost:9092/),
    }),
  ),

  // Credentials.
  {
    what: 'a password in clear text',
    build: () => reading({ ...there, sasl: { mechanism: 'plain', username: 'u', password: 'hunter2' } }),
    wanted: invalid(/PLAIN secret in clear text/, /^kafka\.clusters\[0\]\.sasl$/, /set ssl, or allowInsecure/),
  },
  {
    what: 'a password in clear text, of a sink',
    build: () => writing({ ...there, sasl: { mechanism: 'PLAIN', username: 'u', password: 'hunter2' } }),
    wanted: invalid(/PLAIN secret in clear text/, /^kafkaSink\.clusters\[0\]\.sasl$/),
  },
  {
    what: 'a token in clear text',
    build: () => reading({ ...there, sasl: { mechanism: 'oauthbearer', oauthBearerProvider: () => ({}) } }),
    wanted: invalid(/OAUTHBEARER secret in clear text/, /sasl$/),
  },
  {
    what: 'SASL without a mechanism',
    build: () => reading({ ...there, sasl: { username: 'u', password: 'hunter2' } }),
    wanted: invalid(/sasl option without a mechanism/, /sasl$/),
  },
  {
    what: 'a number as ssl',
    build: () => reading({ ...there, ssl: 5 }),
    wanted: invalid(/ssl option that is no object/, /ssl$/),
  },
  {
    what: 'SASL where the listener wants none',
    build: () => reading({ ...there, sasl: { mechanism: 'scram-sha-256', username: 'u', password: 'hunter2' } }),
    wanted: { code: 'AUTHENTICATION_FAILED', sentence: /scram-sha-256/, place: /east at 127/, hint: /asks for SASL/ },
  },
  {
    what: 'a clear-text mechanism, allowed, where the listener wants none',
    build: () =>
      reading({ ...there, sasl: { mechanism: 'plain', username: 'u', password: 'hunter2' }, allowInsecure: true }),
    wanted: { code: 'AUTHENTICATION_FAILED', sentence: /plain/ },
  },

  // Topics.
  {
    what: 'a topic that does not exist, of a source',
    build: () => reading(there, 'no-such-topic'),
    wanted: {
      code: 'TOPIC_UNKNOWN',
      sentence: /east has no topic no-such-topic/,
      place: /no-such-topic in east/,
      hint: /create it/,
    },
  },
  {
    what: 'a topic that does not exist, of a sink',
    build: () => writing(there, 'no-such-topic'),
    wanted: { code: 'TOPIC_UNKNOWN', sentence: /east has no topic no-such-topic/, place: /no-such-topic in east/ },
  },
  {
    what: 'a misspelt topic',
    build: () => reading(there, 'flihgts'),
    wanted: { code: 'TOPIC_UNKNOWN', sentence: /east has no topic flihgts/, hint: /did you mean flights\?/ },
  },
  ...['__proto__', 'constructor', 'prototype', '', '.', '..', 'a b', 'a/b', 'ä', 'x'.repeat(250)].flatMap(topic =>
    [reading, writing].map(
      (build): Line => ({
        what: `a topic called ${JSON.stringify(topic.slice(0, 20))} to be ${build === reading ? 'read' : 'written'}`,
        build: () => build(there, topic),
        wanted: { code: 'TOPIC_NAME_INVALID', sentence: /topic name/, place: /^kafka(Sink)?\.topic$/, hint: /letters/ },
      }),
    ),
  ),
  ...['constructor', 'toString', 'hasOwnProperty', '__proto__', '', 'a b', '-', 'x'.repeat(101)].map(
    (name): Line => ({
      what: `a cluster called ${JSON.stringify(name.slice(0, 20))}`,
      build: () => reading({ ...there, name }),
      wanted: invalid(/a name/, /^kafka\.clusters\[0\]\.name$/),
    }),
  ),
  {
    what: 'a sink topic with another number of partitions in the second cluster',
    build: () =>
      job('differ')
        .from(rows(numbers, [{ n: 1 }]))
        .to(
          kafkaSink({
            topic: 'wide',
            clusters: [
              { name: 'east', brokers: cluster.bootstrap },
              { name: 'west', brokers: other.bootstrap },
            ],
          }),
        ),
    wanted: {
      code: 'PARTITIONS_DIFFER',
      sentence: /2 partitions in east and 3 in west|3 .* west and 2 .* east/,
      hint: /same number/,
    },
  },
];

// The engine is loaded by the first start, which is not what is timed here.
await endingOf(reading(there));
/** They wait more than they work, so all of them wait at once. */
const outcomes = table.map(async ({ build, startMsMax = 8000 }) => {
  const started = performance.now();
  const error = await errorOf(async () => (await build().start({ threads: 0, startMsMax })).done).catch(String);
  return { error, ms: performance.now() - started, msMax: startMsMax + 6000 };
});
for (const [i, { what, wanted }] of table.entries()) {
  test(`${what}: ${wanted.code}`, async () => {
    const { error, ms, msMax } = await outcomes[i]!;
    if (typeof error === 'string') throw new Error(error);
    assertError(error, wanted);
    assert.not.match(error.describe(), /hunter2/);
    assert.ok(ms < msMax, `${ms} ms`);
  });
}

test('the first address is dead, the second is not: the job runs', async () => {
  const { error, output } = await endingOf(reading({ brokers: ['127.0.0.1:1', ...cluster.bootstrap] }));
  assert.is(error, undefined);
  assert.equal(output, [{ n: 1 }]);
});

test('a topic name as long as Kafka allows is read and written', async () => {
  const topic = 'x'.repeat(249);
  await cluster.createTopic({ topic });
  assert.is((await endingOf(writing(there, topic))).error, undefined);
  assert.equal((await endingOf(reading(there, topic))).output, [{ n: 1 }]);
});

// Brokers that refuse: the code of an answer that no second try mends ends the job.
for (const [api, code, wanted] of [
  ['ApiVersions', 35, { code: 'BROKER_ERROR', sentence: /UNSUPPORTED_VERSION/ }],
  ['Metadata', 29, { code: 'BROKER_ERROR', sentence: /Metadata with TOPIC_AUTHORIZATION_FAILED/, hint: /ACL/ }],
  ['ListOffsets', 29, { code: 'BROKER_ERROR', sentence: /ListOffsets with TOPIC_AUTHORIZATION_FAILED/ }],
  ['Fetch', 29, { code: 'BROKER_ERROR', sentence: /Fetch with TOPIC_AUTHORIZATION_FAILED/, place: /flights/ }],
  ['Fetch', 35, { code: 'BROKER_ERROR', sentence: /Fetch with UNSUPPORTED_VERSION/ }],
  ['Fetch', 9999, { code: 'BROKER_ERROR', sentence: /UNKNOWN_9999/ }],
  ['Produce', 29, { code: 'BROKER_ERROR', sentence: /Produce with TOPIC_AUTHORIZATION_FAILED/, place: /delays-0/ }],
  ['Produce', 2, { code: 'BROKER_ERROR', sentence: /Produce with CORRUPT_MESSAGE/, place: /delays-0/ }],
] as const satisfies readonly (readonly [string, number, ErrorWanted])[])
  test(`${api} is answered with error ${code}: the job fails and says so`, async () => {
    await cluster.faults.errorReply(api, code);
    try {
      const { error } = await endingOf(api === 'Produce' ? writing(there) : reading(there));
      assertError(error, wanted);
    } finally {
      await cluster.faults.clear();
    }
  });

test('an error that a second try mends is tried again', async () => {
  for (const [api, code] of [
    ['Fetch', 6],
    ['Produce', 6],
    ['Produce', 7],
  ] as const) {
    await cluster.faults.errorReply(api, code, { times: 2 });
    const { error } = await endingOf(api === 'Produce' ? writing(there) : reading(there));
    assert.is(error, undefined, `${api} ${code}`);
  }
});

// Answers that no broker gives.
const batch = recordBatch([{ value: '{"n":1}' }]);
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const unreadable = (api: string): ErrorWanted => ({
  code: 'RESPONSE_MALFORMED',
  sentence: new RegExp(`answer to ${api} cannot be read`),
  place: /east at 127\.0\.0\.1:\d+/,
});
const leavesOut = { code: 'RESPONSE_MALFORMED', sentence: /leaves out a partition/, place: /t\/0 in east/ } as const;
const noMetadata = {
  code: 'CLUSTER_UNREACHABLE',
  sentence: /answer to Metadata cannot be read/,
  hint: /Apache Kafka/,
} as const;

/** Answers that no second question mends. */
const lies: readonly (readonly [what: string, lies: FakeAnswers, wanted: ErrorWanted])[] = [
  ['metadata of nothing', { metadata: () => bytes() }, noMetadata],
  ['metadata cut off', { metadata: (_, at) => answers.metadata(at).subarray(0, 40) }, noMetadata],
  ['metadata with two billion brokers', { metadata: () => bytes(0, 0, 0, 0, 0x7f, 255, 255, 255) }, noMetadata],
  ['offsets cut off', { listOffsets: () => answers.listOffsets(0n).subarray(0, 12) }, unreadable('ListOffsets')],
  ['an offset beyond all', { listOffsets: () => answers.listOffsets(2n ** 62n) }, unreadable('ListOffsets')],
  ['offsets of another partition', { listOffsets: () => answers.listOffsets(5n, 7) }, leavesOut],
  [
    'records that are noise',
    { listOffsets: endingAt(5), fetch: () => answers.fetch(new Uint8Array(500).fill(0x41), 5n) },
    { code: 'BATCH_CORRUPT', sentence: /no whole record batch/, place: /t-0 of east, offset 0/ },
  ],
  [
    'the same batch for ever',
    { listOffsets: endingAt(5), fetch: () => answers.fetch(batch, 5n) },
    { code: 'BATCH_CORRUPT', sentence: /offsets 0 to 0 came where offset 1 was due/, place: /t-0 of east/ },
  ],
];

/** Answers that cost the reader a restart each, of which it has a budget: the broker comes to its senses after two. */
const confusions: readonly (readonly [what: string, fetch: NonNullable<FakeAnswers['fetch']>])[] = [
  ['cut off', () => answers.fetch(batch, 1n).subarray(0, 50)],
  ['of another partition', () => answers.fetch(batch, 1n, { partition: 3 })],
  ['of two billion topics', () => bytes(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f, 255, 255, 255)],
  ['in a frame of two gigabytes', () => socket => socket.write(bytes(0x7f, 255, 255, 255, 0, 0, 0, 0))],
];

/** The log ends at `end` and begins at 0. */
function endingAt(end: number): NonNullable<FakeAnswers['listOffsets']> {
  return ({ body }) => {
    body.slice(body.remaining - 8);
    return answers.listOffsets(body.int64() === -2n ? 0n : BigInt(end));
  };
}

for (const [what, told, wanted] of lies)
  test(`a broker that sends ${what}: ${wanted.code}`, async () => {
    const broker = await fakeBroker(told);
    const { error } = await endingOf(reading({ brokers: [broker.address] }, 't'), { startMsMax: 1500 });
    await broker.close();
    assertError(error, wanted);
  });

for (const [what, fetch] of confusions)
  test(`a broker that answers a fetch with one ${what}, twice: the job says so and goes on`, async () => {
    let asked = 0;
    const broker = await fakeBroker({
      listOffsets: endingAt(1),
      fetch: (request, at) => (asked++ < 2 ? fetch(request, at) : answers.fetch(batch, 1n)),
    });
    const { error, output, events } = await endingOf(reading({ brokers: [broker.address] }, 't'));
    await broker.close();
    assert.equal([error, output], [undefined, [{ n: 1 }]]);
    const told = events.filter(
      event => event.type === 'actor.restarted' || (event.type === 'cluster' && event.to === 'suspect'),
    );
    assert.ok(told.length >= 2, JSON.stringify(events));
  });

test('a broker that says the truth is read to its end', async () => {
  const broker = await fakeBroker();
  const { error, output } = await endingOf(reading({ brokers: [broker.address] }, 't'));
  await broker.close();
  assert.equal([error, output], [undefined, []]);
});

test('an answer to a question that nobody asked is passed over', async () => {
  const broker = await fakeBroker({
    listOffsets: asked => {
      const end = endingAt(1)(asked, 0) as Uint8Array;
      return socket => {
        socket.write(framed(asked.correlationId + 1_000_000, bytes(1, 2, 3)));
        socket.write(framed(asked.correlationId, end));
      };
    },
    fetch: () => answers.fetch(batch, 1n),
  });
  const { error, output } = await endingOf(reading({ brokers: [broker.address] }, 't'));
  await broker.close();
  assert.equal([error, output], [undefined, [{ n: 1 }]]);
});

test.run();
