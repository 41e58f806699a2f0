/**
 * The examples of the doc comments run, and type-check, as they are printed.
 *
 * - `EXPRESSION; // => VALUE` asserts: the value is the text behind the arrow, which may go on in lines of its own, each
 *   beginning with `// =>`. A promise is awaited.
 * - An example without an import continues the first example of its file.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import * as assert from 'uvu/assert';
import * as entry from '../../lib/index.ts';
import { suite } from '../support/suite.ts';

const test = suite('doc examples', 60_000);
const root = join(import.meta.dirname, '..', '..');
const folder = join(root, '.cache', `doc-examples-${process.pid}`);

interface Example {
  readonly file: string;
  readonly line: number;
  /** What the doc comment stands before: its first line. */
  readonly subject: string;
  readonly code: string;
}

function examplesOf(path: string): Example[] {
  const text = readFileSync(path, 'utf8');
  const found: Example[] = [];
  for (const comment of text.matchAll(/\/\*\*[\s\S]*?\*\//g)) {
    const lines = comment[0].split('\n').map(line => line.replace(/^\s*\* ?/, ''));
    const start = lines.findIndex(line => line.startsWith('```ts'));
    if (!lines.includes('@example') || start < 0) continue;
    const end = lines.indexOf('```', start);
    const after = text.slice(comment.index + comment[0].length).trimStart();
    found.push({
      file: basename(path),
      line: text.slice(0, comment.index).split('\n').length + start + 1,
      subject: after.slice(0, after.indexOf('\n')),
      code: lines.slice(start + 1, end).join('\n'),
    });
  }
  const [first] = found;
  return found.map(example =>
    first === undefined || /^import /m.test(example.code)
      ? example
      : { ...example, code: `${first.code}\n{\n${example.code}\n}` },
  );
}

/** The code with its arrows turned into assertions and its imports pointed at the sources. */
function runnable(code: string): string {
  const out: string[] = [];
  let statement: string[] = [];
  let expected: string[] = [];
  const flush = (): void => {
    if (expected.length === 0) out.push(...statement);
    else {
      const expression = statement.join('\n').trim().replace(/;$/, '');
      out.push(`assertEqual(await (${expression}), ${expected.join('\n')});`);
    }
    statement = [];
    expected = [];
  };
  for (const line of code.split('\n')) {
    if (line === '}') {
      flush();
      out.push(line);
      continue;
    }
    const [source, arrow] = line.split('// =>') as [string, string | undefined];
    // A statement begins in the first column, with anything but what goes on with another one.
    if (/^[^\s.)\]}/]/.test(source)) flush();
    if (source.trim() !== '') statement.push(source);
    if (arrow !== undefined) expected.push(arrow);
  }
  flush();
  return ["import { deepStrictEqual as assertEqual } from 'node:assert/strict';", ...out, 'export {};']
    .join('\n')
    .replaceAll("from 'braidstream'", `from '${join(root, 'lib/index.ts')}'`)
    .replaceAll("from 'braidstream/embedded'", `from '${join(root, 'lib/embedded/index.ts')}'`);
}

const api = join(root, 'lib', 'api');
const examples = readdirSync(api)
  .filter(file => file.endsWith('.ts'))
  .flatMap(file => examplesOf(join(api, file)));
const pathOf = (example: Example): string => join(folder, `${example.file.replace('.ts', '')}-${example.line}.ts`);

test.before(() => {
  mkdirSync(folder, { recursive: true });
  for (const example of examples) writeFileSync(pathOf(example), runnable(example.code));
  const config = {
    extends: join(root, 'tsconfig.json'),
    include: ['*.ts'],
    exclude: [],
    compilerOptions: { noUnusedLocals: false, rewriteRelativeImportExtensions: false },
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
});
test.after(() => rmSync(folder, { recursive: true, force: true }));

for (const example of examples)
  test(`${example.file}:${example.line} does what it says`, async () => {
    await import(pathToFileURL(pathOf(example)).href);
  });

test('examples compile', async () => {
  const tsc = join(root, 'node_modules', '.bin', 'tsc');
  const { stdout } = await promisify(execFile)(tsc, ['-p', folder], { cwd: root }).catch(
    (failure: { stdout: string }) => failure,
  );
  const ours = stdout.split('\n').filter(line => line.includes('doc-examples-'));
  assert.equal(ours, []);
});

test('everything that the package exports has a doc comment, and what can be called has an example', () => {
  const sources = readdirSync(join(root, 'lib'), { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('.ts') && !file.startsWith('embedded'))
    .map(file => readFileSync(join(root, 'lib', file), 'utf8'));
  const index = readFileSync(join(root, 'lib', 'index.ts'), 'utf8');
  const exported = [...index.matchAll(/\{([^}]*)\}/g)]
    .flatMap(([, names]) => names!.split(','))
    .map(name => name.replace('type ', '').trim())
    .filter(name => name !== '');
  assert.ok(exported.length > 50);
  const called = Object.entries(entry)
    .filter(([name, value]) => typeof value === 'function' && name !== 'BraidError')
    .map(([name]) => name);
  const lacking = exported.filter(name => {
    const declaration = new RegExp(
      `\\/\\*\\*(?:(?!\\*\\/)[\\s\\S])*\\*\\/\\n(?:export (?:abstract )?(?:function|const|class|interface|type) ${name}\\b)`,
    );
    const comment = sources.map(source => declaration.exec(source)?.[0]).find(found => found !== undefined);
    return comment === undefined || (called.includes(name) && !comment.includes('@example'));
  });
  assert.equal(lacking, []);
});

test.run();
