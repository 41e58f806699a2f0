/**
 * The child process of `startClusterProcess`: runs one cluster and does what its parent says over IPC.
 *
 * It lives exactly as long as its parent wants it: it ends when the channel closes, however the parent died, and at
 * once on SIGTERM. SIGINT goes to the whole process group of a terminal and is the parent's to answer, so it is ignored.
 */
import { toBraidError } from '../base/errors.ts';
import { type EmbeddedCluster, startCluster } from './cluster.ts';
import type {
  ChildMessage,
  CommandArguments,
  CommandName,
  ParentMessage,
  PlainError,
  ProcessUsage,
} from './process-protocol.ts';

process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => process.exit(0));
process.on('disconnect', () => process.exit(0));
// The parent may have died while this file was loading, and the event with it.
if (!process.connected) process.exit(0);

let cluster: EmbeddedCluster | undefined;

process.on('message', (message: ParentMessage) => {
  if (message.kind === 'start') {
    startCluster(message.options).then(
      started => {
        cluster = started;
        tell({ kind: 'started', bootstrap: started.bootstrap });
      },
      error => tell({ kind: 'failed', error: plain(error) }),
    );
    return;
  }
  const { id, name, args } = message;
  run(name, args).then(
    value => tell({ kind: 'result', id, value }),
    error => tell({ kind: 'error', id, error: plain(error) }),
  );
});

async function run(name: CommandName, args: readonly unknown[]): Promise<unknown> {
  const commands = commandsOf(cluster!);
  return (commands[name] as (...given: readonly unknown[]) => unknown)(...args);
}

function commandsOf(running: EmbeddedCluster): {
  readonly [Name in CommandName]: (...args: CommandArguments[Name]) => unknown;
} {
  const { faults } = running;
  return {
    down: faults.down,
    up: faults.up,
    blackHole: faults.blackHole,
    heal: faults.heal,
    delay: faults.delay,
    errorReply: faults.errorReply,
    verdict: faults.verdict,
    clear: faults.clear,
    createTopic: running.createTopic,
    endOffset: running.endOffset,
    records: running.records,
    append: running.append,
    usage,
  };
}

function usage(): ProcessUsage {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  return { cpuSeconds: (userCPUTime + systemCPUTime) / 1e6, rssBytesMax: maxRSS * 1024 };
}

function plain(thrown: unknown): PlainError {
  const { code, message, place, hint } = toBraidError(thrown);
  return { code, sentence: message, place, hint };
}

function tell(message: ChildMessage): void {
  if (process.connected) process.send!(message);
}
