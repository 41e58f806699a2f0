import * as assert from 'uvu/assert';
import type { BraidError, BraidErrorCode } from '../../lib/base/errors.ts';
import type { ClusterAddress } from '../../lib/kafka/address.ts';
import { createClientFactory } from '../../lib/kafka/client.ts';
import { readTopic } from '../../lib/kafka/read-topic.ts';
import { TopicWriter } from '../../lib/kafka/topic-writer.ts';
import { type ApacheKafka, certificateAuthority, saslUser, startApacheKafka } from '../support/apache-kafka.ts';
import { suite } from '../support/suite.ts';

const spec = suite('TLS and SASL on Apache Kafka');
let cluster: ApacheKafka;
let topics = 0;

spec.before(async () => {
  cluster = await startApacheKafka({ name: 'security', secured: ['SSL', 'SASL_SSL', 'SASL_PLAINTEXT'] });
});
spec.after(() => cluster?.stop());

const trusted = { ca: [certificateAuthority()] };
const credentials = { mechanism: 'plain', ...saslUser };

function address(listener: 'SSL' | 'SASL_SSL' | 'SASL_PLAINTEXT', more: Partial<ClusterAddress>): ClusterAddress {
  return { name: 'east', brokers: [cluster.secured.get(listener)!], ...more };
}

/** Writes and reads a record over every kind of connection that a client opens. */
async function works(to: ClusterAddress): Promise<void> {
  const client = createClientFactory(to)(1);
  try {
    await client.connect();
    const topic = `secured-${++topics}`;
    await client.createTopics([{ topic, partitions: 1, replicationFactor: 1 }]);
    const writer = await TopicWriter.open(client, topic);
    writer.append(0, null, new Uint8Array(300_000), 1);
    await writer.flush();
    let bytes = 0;
    for await (const { value } of readTopic(client, topic)) bytes += value?.length ?? 0;
    assert.is(bytes, 300_000);
    await client.heartbeat();
  } finally {
    client.destroy();
  }
}

async function failsWith(code: BraidErrorCode, to: ClusterAddress, ...says: RegExp[]): Promise<void> {
  const client = createClientFactory(to)(1);
  try {
    await client.connect();
  } catch (thrown) {
    const error = thrown as BraidError;
    assert.is(error.code, code, error.describe?.());
    for (const pattern of says) assert.match(error.describe(), pattern);
    assert.not.match(error.describe(), saslUser.password);
    return;
  } finally {
    client.destroy();
  }
  assert.unreachable('it connected');
}

spec('ssl is passed through: a trusted authority, all connections over TLS', () =>
  works(address('SSL', { ssl: trusted })),
);

spec('a certificate of an unknown authority is refused by default', () =>
  failsWith('AUTHENTICATION_FAILED', address('SSL', { ssl: true }), /TLS handshake/, /check ca/),
);

spec('a certificate for another name is refused', () =>
  failsWith(
    'AUTHENTICATION_FAILED',
    address('SSL', { ssl: { ...trusted, servername: 'elsewhere.example' } }),
    /altname/,
  ),
);

spec('a TLS listener without ssl, and a plain one with it, are told apart from a dead one', async () => {
  await failsWith('NOT_KAFKA', address('SSL', {}), /TLS/, /set ssl/);
  await failsWith('CLUSTER_UNREACHABLE', { name: 'east', brokers: [cluster.broker], ssl: trusted }, /TLS/);
});

spec('sasl is passed through, over TLS', () => works(address('SASL_SSL', { ssl: trusted, sasl: credentials })));

spec('sasl without TLS works only where it is asked for', async () => {
  assert.throws(
    () => createClientFactory(address('SASL_PLAINTEXT', { sasl: credentials })),
    (error: BraidError) => error.code === 'OPTION_INVALID',
  );
  await works(address('SASL_PLAINTEXT', { sasl: credentials, allowInsecure: true }));
});

spec('wrong credentials, and a mechanism that is not offered, are refused, and the secret is not told', async () => {
  const wrong = { ...credentials, username: 'mallory' };
  await failsWith('AUTHENTICATION_FAILED', address('SASL_SSL', { ssl: trusted, sasl: wrong }), /plain/i, /check/);
  const scram = { ...credentials, mechanism: 'scram-sha-256' };
  await failsWith('AUTHENTICATION_FAILED', address('SASL_SSL', { ssl: trusted, sasl: scram }), /scram/i);
});

spec('a listener that asks for sasl, without it, says what is missing', () =>
  failsWith('CLUSTER_UNREACHABLE', address('SASL_SSL', { ssl: trusted }), /hung up/, /SASL/),
);

spec.run();
