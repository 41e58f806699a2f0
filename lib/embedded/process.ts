import { type ChildProcess, fork } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BraidError, type BraidErrorCode } from '../base/errors.ts';
import type { ClusterOptions, RunningCluster } from './cluster.ts';
import type {
  ChildMessage,
  CommandArguments,
  CommandName,
  ParentMessage,
  PlainError,
  ProcessUsage,
} from './process-protocol.ts';

/** A cluster in a child process. */
export interface ClusterProcess extends RunningCluster {
  readonly pid: number;
  /** CPU time and memory of the cluster's process alone. */
  usage(): Promise<ProcessUsage>;
  /** Resolves when the process is gone, for whatever reason. */
  readonly exited: Promise<void>;
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: BraidError) => void;
}

/**
 * Starts a cluster as a child process, on free ports unless told otherwise, with the same faults as `startCluster`
 * except interceptors, which are functions. The process ignores SIGINT, ends at once on SIGTERM, and ends when this
 * process dies in any way. `close()` resolves when it is gone.
 *
 * Throws what `startCluster` throws. After the process is gone, every call rejects with CONNECTION_LOST.
 */
export async function startClusterProcess(options: ClusterOptions = {}): Promise<ClusterProcess> {
  const child = forkEntry();
  const waiting = new Map<number, Waiting>();
  const name = options.name ?? 'embedded';
  const exited = new Promise<void>(resolve => child.once('exit', () => resolve()));
  const gone = () =>
    new BraidError('CONNECTION_LOST', `the process of cluster ${name} is gone`, { place: `pid ${child.pid}` });
  void exited.then(() => {
    for (const { reject } of waiting.values()) reject(gone());
    waiting.clear();
  });

  const bootstrap = await started(child, options, exited, gone);
  child.on('message', (message: ChildMessage) => {
    if (message.kind !== 'result' && message.kind !== 'error') return;
    const caller = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.kind === 'result') caller?.resolve(message.value);
    else caller?.reject(revived(message.error));
  });

  let calls = 0;
  const call = <Name extends CommandName>(command: Name, ...args: CommandArguments[Name]): Promise<unknown> =>
    new Promise((resolve, reject) => {
      if (!child.connected) {
        reject(gone());
        return;
      }
      const id = ++calls;
      waiting.set(id, { resolve, reject });
      send(child, { kind: 'call', id, name: command, args });
    });
  const order = async <Name extends CommandName>(command: Name, ...args: CommandArguments[Name]): Promise<void> => {
    await call(command, ...args);
  };

  return {
    name,
    pid: child.pid!,
    bootstrap,
    exited,
    faults: {
      down: broker => order('down', broker),
      up: broker => order('up', broker),
      blackHole: broker => order('blackHole', broker),
      heal: broker => order('heal', broker),
      delay: (api, delayMs, scope) => order('delay', api, delayMs, scope),
      errorReply: (api, code, scope) => order('errorReply', api, code, scope),
      verdict: (api, verdict, scope) => order('verdict', api, verdict, scope),
      clear: () => order('clear'),
    },
    createTopic: topic => order('createTopic', topic),
    endOffset: async (topic, partition) => (await call('endOffset', topic, partition)) as number,
    records: async (topic, partition) => (await call('records', topic, partition)) as Uint8Array[],
    append: async (topic, partition, batch) => (await call('append', topic, partition, batch)) as number,
    usage: async () => (await call('usage')) as ProcessUsage,
    close: async () => {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

/** Built code runs as plain JavaScript; from the sources (in specs) the child loads them as this process did. */
function forkEntry(): ChildProcess {
  const extension = extname(fileURLToPath(import.meta.url));
  const entry = fileURLToPath(new URL(`./process-entry${extension}`, import.meta.url));
  return fork(entry, [], {
    execArgv: extension === '.ts' ? ['--import', import.meta.resolve('tsx')] : [],
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
}

function started(
  child: ChildProcess,
  options: ClusterOptions,
  exited: Promise<void>,
  gone: () => BraidError,
): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    child.once('error', cause => reject(new BraidError('CLUSTER_UNREACHABLE', cause.message, { cause })));
    let refusal: BraidError | undefined;
    void exited.then(() => reject(refusal ?? gone()));
    child.once('message', (message: ChildMessage) => {
      if (message.kind === 'started') {
        resolve(message.bootstrap);
      } else if (message.kind === 'failed') {
        refusal = revived(message.error);
        child.kill('SIGTERM');
      }
    });
    send(child, { kind: 'start', options });
  });
}

function send(child: ChildProcess, message: ParentMessage): void {
  // A child that died meanwhile is noticed by its exit, which rejects all that waits.
  child.send(message, () => undefined);
}

function revived({ code, sentence, place, hint }: PlainError): BraidError {
  return new BraidError(code as BraidErrorCode, sentence, { place, hint });
}
