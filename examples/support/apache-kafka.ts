/**
 * Real Apache Kafka brokers, single-node clusters on loopback ports: installed once from Maven Central into
 * `.cache/apache-kafka`, started in temporary folders, and gone with the process that started them, however it ends.
 * `BRAID_CACHE` names another cache folder. Not part of the package: used by `npm run test:kafka` and by examples with `--kafka`. Needs Java 17+ and Maven.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { warmUp } from './warm-up.ts';

const version = '4.2.2';
const readyMsMax = 60_000;
const startsMax = 3;
/** Sixteen bytes in base64url; the same on all nodes of a cluster, so any will do for one node. */
const clusterId = 'QnJhaWRUZXN0Q2x1c3Rlcg';
const javaOptions = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn'];

export interface ApacheKafka {
  /** `host:port` of the plaintext listener. */
  readonly broker: string;
  /** `host:port` of each secured listener that was asked for. */
  readonly secured: ReadonlyMap<SecureListener['protocol'], string>;
  readonly pid: number;
  /** Its temporary folder: log, configuration, broker.log. */
  readonly folder: string;
  /** SIGSTOP: the broker accepts connections and answers nothing, until `resume`. */
  pause(): void;
  /** SIGCONT: what had reached its sockets is applied. */
  resume(): void;
  /** Stops the broker, also a paused one, and removes its folder. */
  stop(): Promise<void>;
  /** CPU seconds so far and peak resident bytes, from /proc; undefined where there is none. */
  usage(): { readonly cpuSeconds: number; readonly rssBytes: number } | undefined;
}

export interface SecureListener {
  readonly protocol: 'SSL' | 'SASL_SSL' | 'SASL_PLAINTEXT';
}

export interface ApacheKafkaOptions {
  /** For messages and for the temporary folder. */
  readonly name: string;
  readonly secured?: readonly SecureListener['protocol'][];
  /** Further lines of server.properties. */
  readonly properties?: readonly string[];
}

/** What is missing on this machine, one line each; empty where real brokers can be started. */
export function missingForApacheKafka(): string[] {
  const missing: string[] = [];
  const java = /version "(\d+)/.exec(spawnSync('java', ['-version'], { encoding: 'utf8' }).stderr ?? '')?.[1];
  if (java === undefined) missing.push('Java 17 or later is not installed: apt-get install openjdk-17-jre-headless');
  else if (Number(java) < 17) missing.push(`Java ${java} is too old, Kafka ${version} needs 17 or later`);
  if (!existsSync(join(installation(), 'lib')) && spawnSync('mvn', ['-version']).status !== 0)
    missing.push('Maven is not installed, which fetches the brokers: apt-get install maven');
  return missing;
}

/** Installs the brokers where they are not yet, and returns their folder. Two processes may do so at once. */
export async function installApacheKafka(): Promise<string> {
  const missing = missingForApacheKafka();
  if (missing.length > 0) throw new Error(`real Apache Kafka brokers cannot be started:\n  ${missing.join('\n  ')}`);
  const folder = installation();
  if (existsSync(join(folder, 'lib'))) return folder;
  await mkdir(dirname(folder), { recursive: true });
  const fresh = await mkdtemp(`${folder}-`);
  await copyFile(join(projectRoot(), 'examples', 'support', 'apache-kafka.pom.xml'), join(fresh, 'pom.xml'));
  const maven = spawn('mvn', ['-q', '-B', 'dependency:copy-dependencies'], { cwd: fresh });
  let output = '';
  maven.stdout.on('data', chunk => (output += chunk));
  maven.stderr.on('data', chunk => (output += chunk));
  const [code] = (await once(maven, 'close')) as [number];
  if (code !== 0) {
    await rm(fresh, { recursive: true, force: true });
    throw new Error(`Maven could not fetch Apache Kafka ${version}:\n${output}`);
  }
  // Whole or not at all; whoever loses the race uses the winner's.
  await rename(fresh, folder).catch(() => rm(fresh, { recursive: true, force: true }));
  return folder;
}

/** Starts a single-node cluster and resolves when it is ready: its coordinators too. Takes 2 to 4 seconds. */
export async function startApacheKafka(options: ApacheKafkaOptions): Promise<ApacheKafka> {
  const installed = await installApacheKafka();
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(installed, options);
    } catch (error) {
      // Between finding a free port and binding it, somebody else may take it.
      if (attempt >= startsMax || !/Address already in use|BindException/.test(String(error))) throw error;
    }
  }
}

async function startOnce(installed: string, options: ApacheKafkaOptions): Promise<ApacheKafka> {
  const folder = await mkdtemp(join(tmpdir(), `braid-kafka-${options.name}-`));
  const secured = options.secured ?? [];
  const [plain, controller, ...securedPorts] = (await freePorts(2 + secured.length)) as [number, number, ...number[]];
  const certificates = secured.some(protocol => protocol.endsWith('SSL')) ? makeCertificates(folder) : undefined;
  const listeners = [
    `PLAIN://127.0.0.1:${plain}`,
    ...secured.map((protocol, i) => `${protocol}://127.0.0.1:${securedPorts[i]}`),
  ];
  const config = join(folder, 'server.properties');
  await writeFile(
    config,
    [
      'process.roles=broker,controller',
      'node.id=1',
      `controller.quorum.voters=1@127.0.0.1:${controller}`,
      'controller.listener.names=CTRL',
      'inter.broker.listener.name=PLAIN',
      `listeners=${listeners.join(',')},CTRL://127.0.0.1:${controller}`,
      `advertised.listeners=${listeners.join(',')}`,
      `listener.security.protocol.map=CTRL:PLAINTEXT,PLAIN:PLAINTEXT${secured.map(p => `,${p}:${p}`).join('')}`,
      `log.dirs=${join(folder, 'log')}`,
      'num.network.threads=2',
      'num.io.threads=2',
      'auto.create.topics.enable=false',
      'offsets.topic.num.partitions=1',
      'offsets.topic.replication.factor=1',
      'transaction.state.log.num.partitions=1',
      'transaction.state.log.replication.factor=1',
      'transaction.state.log.min.isr=1',
      'share.coordinator.state.topic.replication.factor=1',
      'share.coordinator.state.topic.min.isr=1',
      'group.initial.rebalance.delay.ms=0',
      'log.cleaner.dedupe.buffer.size=2097152',
      'broker.session.timeout.ms=3000',
      'broker.heartbeat.interval.ms=500',
      ...secured.flatMap(protocol => saslProperties(protocol)),
      ...(certificates ?? []),
      ...(options.properties ?? []),
    ].join('\n'),
  );
  const classPath = join(installed, 'lib', '*');
  const format = ['kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', config, '--ignore-formatted'];
  const broker = spawnGuarded(folder, [
    ['java', ...javaOptions, '-cp', classPath, ...format],
    ['java', '-Xms64m', '-Xmx256m', ...javaOptions, '-cp', classPath, 'kafka.Kafka', config],
  ]);
  const address = `127.0.0.1:${plain}`;
  try {
    const pid = await broker.pid;
    await warmUp(address, () => !broker.exited, readyMsMax);
    return {
      broker: address,
      secured: new Map(secured.map((protocol, i) => [protocol, `127.0.0.1:${securedPorts[i]}`])),
      pid,
      folder,
      pause: () => void process.kill(pid, 'SIGSTOP'),
      resume: () => void process.kill(pid, 'SIGCONT'),
      stop: () => broker.stop(),
      usage: () => usageOf(pid),
    };
  } catch (error) {
    await broker.stop();
    throw broker.output() === '' ? error : new Error(`the broker did not start:\n${broker.output()}`, { cause: error });
  }
}

/** Where the files of `npm run` live, from the sources as well as from the build. */
function projectRoot(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'package-lock.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error(`no project around ${import.meta.dirname}`);
    folder = parent;
  }
  return folder;
}

function installation(): string {
  return join(process.env.BRAID_CACHE ?? join(projectRoot(), '.cache'), 'apache-kafka', version);
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map(server => once(server, 'listening')));
  const ports = servers.map(server => (server.address() as { port: number }).port);
  await Promise.all(servers.map(server => once(server.close(), 'close')));
  return ports;
}

interface Guarded {
  /** Of the last command, the broker itself. */
  readonly pid: Promise<number>;
  readonly exited: boolean;
  output(): string;
  stop(): Promise<void>;
}

/**
 * Runs commands one after the other under a shell that reads its standard input: when the parent is gone, in whatever way,
 * the pipe ends, and the shell kills the broker (SIGKILL reaches a stopped one too) and removes the folder.
 */
function spawnGuarded(folder: string, commands: readonly (readonly string[])[]): Guarded {
  const quoted = commands.map(words => words.map(word => `'${word.replaceAll("'", "'\\''")}'`).join(' '));
  const last = quoted.at(-1);
  const script = `
    exec 3<&0
    cleanup() { kill -9 "$child" 2>/dev/null; cd /; rm -rf '${folder}'; }
    ${quoted.slice(0, -1).join(' >>broker.log 2>&1 </dev/null 3<&- || exit 1\n')} >>broker.log 2>&1 </dev/null 3<&- || { cat broker.log; exit 1; }
    ${last} >>broker.log 2>&1 </dev/null 3<&- &
    child=$!
    echo "$child"
    { read -r _ <&3; cleanup; } >/dev/null 2>&1 &
    guard=$!
    exec 3<&-
    wait "$child"
    cat broker.log
    kill "$guard" 2>/dev/null
    exit 0`;
  const shell: ChildProcess = spawn('sh', ['-c', script], {
    cwd: folder,
    detached: true, // Ctrl-C is for the parent, which stops its brokers in order.
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const closed = once(shell, 'close');
  let output = '';
  const pid = new Promise<number>((resolve, reject) => {
    shell.stdout?.on('data', chunk => {
      output += chunk;
      const first = /^(\d+)\n/.exec(output)?.[1];
      if (first !== undefined) resolve(Number(first));
    });
    void closed.then(() => reject(new Error(`the broker did not start:\n${output}`)));
  });
  pid.catch(() => {});
  let exited = false;
  void closed.then(() => (exited = true));
  return {
    pid,
    get exited() {
      return exited;
    },
    output: () => output,
    async stop() {
      const broker = await pid.catch(() => undefined);
      if (broker !== undefined && !exited) {
        try {
          process.kill(broker, 'SIGKILL');
        } catch {
          // It is gone already.
        }
      }
      shell.stdin?.end();
      await closed;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function saslProperties(protocol: SecureListener['protocol']): string[] {
  if (protocol === 'SSL') return [];
  const prefix = `listener.name.${protocol.toLowerCase()}`;
  const module = 'org.apache.kafka.common.security.plain.PlainLoginModule required';
  return [
    `${prefix}.sasl.enabled.mechanisms=PLAIN`,
    `${prefix}.plain.sasl.jaas.config=${module} user_${saslUser.username}="${saslUser.password}";`,
  ];
}

/** The one user of SASL listeners, mechanism PLAIN. */
export const saslUser = { username: 'braid', password: 'two-clusters' } as const;

/** The certificate authority that signed the brokers of this process; made once, with openssl. */
export function certificateAuthority(): string {
  return authority().certificate;
}

let authorityMade: { readonly certificate: string; readonly folder: string } | undefined;

function authority(): { readonly certificate: string; readonly folder: string } {
  if (authorityMade !== undefined) return authorityMade;
  const folder = mkdtempSync(join(tmpdir(), 'braid-authority-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const subject = ['-subj', '/CN=braid test authority'];
  openssl(
    ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '30', ...subject, '-keyout', 'ca.key', '-out', 'ca.crt'],
    folder,
  );
  authorityMade = { certificate: readFileSync(join(folder, 'ca.crt'), 'utf8'), folder };
  return authorityMade;
}

/** A key and a certificate for 127.0.0.1 in Kafka's PEM form; the properties that point to them. */
function makeCertificates(folder: string): string[] {
  const { folder: ca } = authority();
  const at = (file: string): string => join(folder, file);
  openssl([
    'req',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-subj',
    '/CN=127.0.0.1',
    '-keyout',
    at('broker.key'),
    '-out',
    at('broker.csr'),
  ]);
  writeFileSync(at('names'), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
  const signer = ['-CA', join(ca, 'ca.crt'), '-CAkey', join(ca, 'ca.key'), '-set_serial', String(Date.now())];
  openssl([
    'x509',
    '-req',
    '-in',
    at('broker.csr'),
    ...signer,
    '-days',
    '30',
    '-extfile',
    at('names'),
    '-out',
    at('broker.crt'),
  ]);
  writeFileSync(at('keystore.pem'), readFileSync(at('broker.key'), 'utf8') + readFileSync(at('broker.crt'), 'utf8'));
  return ['ssl.keystore.type=PEM', `ssl.keystore.location=${at('keystore.pem')}`];
}

function openssl(words: readonly string[], cwd?: string): void {
  const { status, stderr, error } = spawnSync('openssl', words, {
    encoding: 'utf8',
    ...(cwd === undefined ? {} : { cwd }),
  });
  if (error !== undefined) throw new Error('openssl is not installed: apt-get install openssl', { cause: error });
  if (status !== 0) throw new Error(`openssl ${words[0]} failed:\n${stderr}`);
}

const clockTicksPerSecond = 100;

function usageOf(pid: number): { readonly cpuSeconds: number; readonly rssBytes: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const peakKiB = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
    return {
      cpuSeconds: (Number(fields[11]) + Number(fields[12])) / clockTicksPerSecond,
      rssBytes: peakKiB * 1024,
    };
  } catch {
    return undefined;
  }
}
