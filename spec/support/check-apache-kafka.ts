/** Before `npm run test:kafka`: says what the machine lacks and fails; else fetches the brokers, so that no spec waits for Maven. */
import { spawnSync } from 'node:child_process';
import { installApacheKafka, missingForApacheKafka } from './apache-kafka.ts';

const missing = missingForApacheKafka();
for (const [command, words, what] of [
  ['kcat', ['-V'], 'kcat is not installed, a Kafka client that shares no code with Braid: apt-get install kcat'],
  ['openssl', ['version'], 'openssl is not installed, which makes the certificates: apt-get install openssl'],
] as const) {
  if (spawnSync(command, words).status !== 0) missing.push(what);
}
if (missing.length > 0) {
  console.error(`npm run test:kafka needs more than this machine has:\n  ${missing.join('\n  ')}`);
  process.exit(1);
}
console.log(`Apache Kafka: ${await installApacheKafka()}`);
