import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as assert from 'uvu/assert';
import { flightDelays } from '../examples/flights/job.ts';
import { suite } from './support/suite.ts';

const root = join(import.meta.dirname, '..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> };

function blocks(language: string): string[] {
  const all = [...readme.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)];
  return all.filter(match => match[1] === language).map(match => match[2]!);
}

const spec = suite('README');

spec('shows the job as it is', () => {
  assert.is(blocks('ts')[0], readFileSync(join(root, 'examples/flights/job.ts'), 'utf8'));
});

spec('shows the plan that the job prints', () => {
  const clusters = ['east', 'west'].map(name => ({ name, brokers: ['127.0.0.1:9092'] }));
  assert.is(blocks('')[0]!.trim(), flightDelays(clusters, 150_000).explain({ threads: 2 }).trim());
});

spec('shows an example that gives what it says', async () => {
  const example = blocks('ts').find(block => block.includes("job('trips')"))!;
  const promised = /const \{ output \} = await run\.done; \/\/ (.*)/.exec(example)![1]!;
  const folder = mkdtempSync(join(tmpdir(), 'braid-readme-'));
  const file = join(folder, 'example.mts');
  const code = example.replace("from 'braidstream'", `from '${pathToFileURL(join(root, 'lib/index.ts'))}'`);
  writeFileSync(file, `${code}\nexport { output };\nexport const promised = ${promised};\n`);
  const { output, promised: given } = (await import(file)) as {
    output: readonly object[];
    promised: readonly object[];
  };
  rmSync(folder, { recursive: true });
  assert.equal(
    output.map(row => ({ ...row })),
    given,
  );
});

spec('names commands and files that exist', () => {
  for (const [, name] of readme.matchAll(/npm run ([a-z:-]+)/g)) assert.ok(manifest.scripts[name!], `npm run ${name}`);
  for (const [, target] of readme.matchAll(/\]\(([^)#:]+)\)/g)) assert.ok(existsSync(join(root, target!)), target);
});

spec.run();
