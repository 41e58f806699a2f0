import { existsSync, readFileSync } from 'node:fs';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { BraidError, toBraidError } from '../base/errors.ts';

/** Runs one command line (without node and the script) and resolves to its exit code. */
export async function run(args: readonly string[]): Promise<number> {
  const program = buildProgram();
  try {
    if (args.length === 0) program.help();
    await program.parseAsync([...args], { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const described = toBraidError(error);
    process.stderr.write(`braid: ${described.describe()}\n`);
    return described.code === 'OPTION_INVALID' ? 2 : 1;
  }
}

function buildProgram(): Command {
  const program = new Command('braid')
    .description('Two clusters, one stream: a stream processor for Node.js that survives the loss of a Kafka cluster.')
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [verb]', 'print the help of a verb')
    .showHelpAfterError('(braid --help lists verbs and options)')
    .exitOverride();

  program
    .command('cluster')
    .description('run an embedded Kafka cluster on loopback ports, in memory, until Ctrl-C: for tests and development')
    .option(
      '-p, --port <number>',
      'port of the first broker; the others follow; 0 = free ones',
      wholeNumber(0, 65_535),
      9092,
    )
    .option('-b, --brokers <number>', 'how many brokers', wholeNumber(1, 100), 1)
    .option('-t, --topic <name:partitions>', 'a topic to make at the start; may be given several times', another, [])
    .option('--no-auto-create', 'a topic that does not exist stays so; otherwise it is made when a client asks for it')
    .addHelpText(
      'after',
      '\nExamples:\n  $ braid cluster --port 9092 --topic flights:4\n  $ braid cluster --port 0 --brokers 3\n',
    )
    .exitOverride()
    .action(async (options: import('./cluster.ts').ClusterVerbOptions) => {
      const { runCluster } = await import('./cluster.ts');
      await runCluster(options);
    });
  return program;
}

function another(text: string, before: readonly string[]): readonly string[] {
  return [...before, text];
}

function wholeNumber(min: number, max: number): (text: string) => number {
  return text => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It is no whole number from ${min} to ${max}.`);
  };
}

/** From package.json, which lies two folders up from the source and three from the build. */
function packageVersion(): string {
  for (let folder = new URL('../../', import.meta.url); ; folder = new URL('../', folder)) {
    const file = new URL('package.json', folder);
    if (existsSync(file)) return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
    if (folder.pathname === '/') throw new BraidError('ASSERTION', 'package.json of braidstream is missing');
  }
}
