import { BraidError } from '../base/errors.ts';
import { startCluster, type TopicSpec } from '../embedded/index.ts';

export interface ClusterVerbOptions {
  readonly port: number;
  readonly brokers: number;
  readonly topic: readonly string[];
  readonly autoCreate: boolean;
}

/** `braid cluster`: an embedded cluster in the foreground. Resolves after SIGINT or SIGTERM; a second one ends it at once. */
export async function runCluster(options: ClusterVerbOptions): Promise<void> {
  const { port, brokers } = options;
  if (port !== 0 && port + brokers - 1 > 65_535)
    throw new BraidError('OPTION_INVALID', `${brokers} brokers from port ${port} on do not fit below 65536`, {
      place: '--port',
    });
  const cluster = await startCluster({
    name: 'braid',
    ports: Array.from({ length: brokers }, (_, i) => (port === 0 ? 0 : port + i)),
    topics: options.topic.map(parseTopic),
    autoCreateTopics: options.autoCreate,
  });
  // Listened for before the addresses are out: whoever reads them may answer with a signal at once.
  const asked = askedToStop();
  const addresses = cluster.bootstrap.join(',');
  process.stdout.write(
    `${addresses}\n` +
      `An embedded Kafka cluster with ${brokers === 1 ? 'one broker' : `${brokers} brokers`}: in memory, on loopback, ` +
      'for tests and development. Ctrl-C stops it.\n' +
      `  echo hello | kcat -b ${cluster.bootstrap[0]} -t greetings -P\n` +
      `  kcat -b ${cluster.bootstrap[0]} -t greetings -C -e\n`,
  );
  await asked;
  await cluster.close();
}

/** `name` or `name:partitions`. */
function parseTopic(text: string): TopicSpec {
  const [, topic, partitions] = /^([^:]+)(?::(\d{1,5}))?$/.exec(text) ?? [];
  if (topic === undefined)
    throw new BraidError('OPTION_INVALID', `"${text}" names no topic`, {
      place: '--topic',
      hint: 'for example --topic flights:4',
    });
  return { topic, partitions: Number(partitions ?? 1) };
}

function askedToStop(): Promise<void> {
  return new Promise(resolve => {
    let asked = false;
    const onSignal = (signal: NodeJS.Signals) => {
      if (asked) process.exit(signal === 'SIGINT' ? 130 : 143);
      asked = true;
      resolve();
    };
    process.on('SIGINT', onSignal);
    process.on('SIGTERM', onSignal);
  });
}
