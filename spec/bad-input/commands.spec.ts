/** Commands that are called wrongly: exit 2, at once, one sentence with a hint on the error output, no stack trace. */
import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { suite } from '../support/suite.ts';

const root = join(import.meta.dirname, '../..');
const test = suite('bad input: commands', 20_000);

interface Run {
  readonly code: number | string | null;
  readonly out: string;
  readonly err: string;
}

function run(script: string, args: readonly string[]): Promise<Run> {
  return new Promise(resolve => {
    execFile(
      process.execPath,
      ['--import', 'tsx', join(root, script), ...args],
      { cwd: root, timeout: 15_000 },
      (error, out, err) => resolve({ code: error === null ? 0 : (error.code ?? error.signal ?? null), out, err }),
    );
  });
}

const start = 'examples/flights/main.ts';
const braid = 'lib/cli/main.ts';
const missing = join(tmpdir(), 'no-such-folder', 'report.json');

/** Both commands have specs of their own that go through their options; here is what the process makes of a wrong one. */
const table: readonly (readonly [script: string, args: readonly string[], says: RegExp])[] = [
  [start, ['--recrods', '5'], /OPTION_UNKNOWN: there is no option --recrods\n {2}hint: did you mean --records\?/],
  [start, ['--report', missing], /OPTION_INVALID: the report cannot be written .*\n {2}hint: ENOENT/],
  [start, ['--report', root], /OPTION_INVALID: the report cannot be written .*\n {2}hint: EISDIR/],
  [braid, ['--versoin'], /unknown option '--versoin'\n\(Did you mean --version\?\)/],
  [braid, ['cluster', '--port', '0', '--topic', 'a/b'], /OPTION_INVALID: "a\/b" is no legal topic name/],
  [braid, ['cluster', '--port', '0', '--topic', 'a:0'], /OPTION_INVALID: Number of partitions was 0/],
  [braid, ['cluster', 'now'], /too many arguments for 'cluster'/],
];

/** Two at a time, as the machine has cores, and all of them while the first is waited for. */
const queue = table.map(([script, args]) => ({ script, args, settle: (_: Run): void => {} }));
const runs = queue.map(job => new Promise<Run>(resolve => Object.assign(job, { settle: resolve })));
const lane = async (): Promise<void> => {
  for (let next = queue.shift(); next !== undefined; next = queue.shift())
    next.settle(await run(next.script, next.args));
};
void lane();
void lane();

for (const [i, [script, args, says]] of table.entries())
  test(`${script === start ? 'npm start --' : 'braid'} ${args.join(' ')}`, async () => {
    const { code, out, err } = await runs[i]!;
    assert.is(code, 2, err);
    assert.is(out, '');
    assert.match(err, says);
    assert.not.match(err, /\n\s+at /);
  });

test.run();
