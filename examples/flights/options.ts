import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { didYouMean } from '../../lib/base/did-you-mean.ts';
import { BraidError } from '../../lib/base/errors.ts';
import { flightsInFile } from './parquet.ts';

/** What the command line of `npm start` asks for. */
export interface FlightOptions {
  /** Records per second over both clusters; Infinity = flat out. */
  readonly rate: number;
  /** The first so many flights of the file. */
  readonly records: number;
  /** Pool threads of the job; 0 = inline on the main thread. */
  readonly threads: number;
  /** Whether `east` goes dark on the way. */
  readonly outage: boolean;
  /** Real Apache Kafka brokers instead of embedded clusters. */
  readonly kafka: boolean;
  /** Leave the clusters up at the end. */
  readonly keep: boolean;
  /** Where to write the account as JSON. */
  readonly report: string | undefined;
}

const declared = {
  rate: { type: 'string' },
  records: { type: 'string' },
  threads: { type: 'string' },
  'no-outage': { type: 'boolean' },
  kafka: { type: 'boolean' },
  keep: { type: 'boolean' },
  report: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;
type OptionName = keyof typeof declared;
const optionNames = Object.keys(declared) as OptionName[];

const threadsMax = 64;
const rateDefault = 150_000;
/** A run of fewer records is slowed down to this long, so that an outage of more than a second fits into it. */
const shortRunSeconds = 6;

export const help = `Three million real flights out of two Kafka clusters, into hourly statistics of each airport's delays.
On the way the cluster "east" goes dark and comes back. At the end every row is compared with DuckDB's answer.

usage: npm start -- [options]

  --rate N|max    records per second over both clusters; max = flat out
                  (default ${rateDefault}; with few records less, so that the run takes ${shortRunSeconds} s)
  --records N     only the first N flights of the file (default ${flightsInFile})
  --threads N     threads of the job's worker pool; 0 = none (default: number of cores, here ${availableParallelism()})
  --no-outage     both clusters stay up
  --kafka         two real Apache Kafka brokers instead of embedded clusters (needs Java and Maven)
  --report FILE   write the account as JSON
  --keep          leave the clusters up at the end and print their addresses
  -h, --help      this text

examples:
  npm start
  npm start -- --rate max --no-outage             how fast is it?
  npm start -- --records 200000 --report out.json a shorter run, with an account to read by program
  npm start -- --keep                             then: kcat -b 127.0.0.1:PORT -t delays -C -o -5 -e
`;

/**
 * Options from command line arguments (without node and the script), or `help` where that is asked for.
 * Throws OPTION_UNKNOWN with the nearest name as a hint, and OPTION_INVALID for a value that does not fit.
 */
export function parseOptions(args: readonly string[]): FlightOptions | 'help' {
  const { tokens } = parseArgs({ args: [...args], options: declared, strict: false, tokens: true });
  const given = new Map<OptionName, string | true>();
  for (const token of tokens) {
    if (token.kind === 'positional')
      throw new BraidError('OPTION_UNKNOWN', `"${token.value}" is not an option`, { hint: hintAt(token.value) });
    if (token.kind !== 'option') continue;
    const name = optionNames.find(name => name === token.name);
    if (name === undefined)
      throw new BraidError('OPTION_UNKNOWN', `there is no option ${token.rawName}`, { hint: hintAt(token.rawName) });
    if (given.has(name)) throw new BraidError('OPTION_INVALID', `--${name} is given twice`, { place: `--${name}` });
    const takesValue = declared[name].type === 'string';
    // An option swallows the next one as its value where its own is forgotten: `--report --keep`.
    const missing =
      token.value === undefined || token.value === '' || (!token.inlineValue && token.value.startsWith('-'));
    if (takesValue && missing)
      throw new BraidError('OPTION_INVALID', `--${name} needs a value`, { place: `--${name}`, hint: examples[name] });
    if (!takesValue && token.value !== undefined)
      throw new BraidError('OPTION_INVALID', `--${name} takes no value`, { place: `--${name}=${token.value}` });
    given.set(name, token.value ?? true);
  }
  if (given.has('help')) return 'help';
  const records = integer(given, 'records', 1, flightsInFile) ?? flightsInFile;
  const rate = given.get('rate') === 'max' ? Number.POSITIVE_INFINITY : integer(given, 'rate', 1, 1e9);
  return {
    rate: rate ?? Math.min(rateDefault, Math.ceil(records / shortRunSeconds)),
    records,
    threads: integer(given, 'threads', 0, threadsMax) ?? Math.min(availableParallelism(), threadsMax),
    outage: !given.has('no-outage'),
    kafka: given.has('kafka'),
    keep: given.has('keep'),
    report: given.get('report') as string | undefined,
  };
}

const examples: Partial<Record<OptionName, string>> = {
  rate: 'for example --rate 100000, or --rate max',
  records: 'for example --records 200000',
  threads: 'for example --threads 2',
  report: 'for example --report report.json',
};

function integer(given: ReadonlyMap<OptionName, string | true>, name: OptionName, min: number, max: number) {
  const text = given.get(name);
  if (text === undefined) return undefined;
  const value = /^\d{1,12}$/.test(String(text)) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new BraidError('OPTION_INVALID', `"${text}" is no whole number from ${min} to ${max}`, {
    place: `--${name}`,
    hint: examples[name],
  });
}

function hintAt(word: string): string {
  const options = optionNames.map(name => `--${name}`);
  const dashed = word.startsWith('-') ? word : `--${word}`;
  return didYouMean(dashed, options) ?? `the options are ${options.join(', ')}`;
}
