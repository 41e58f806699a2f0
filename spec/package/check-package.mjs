/**
 * Packs the product, installs the tarball into an empty folder, compiles a small job against its declarations with
 * skipLibCheck off, checks that a wrong column does not compile, and runs the job. What a user of the package would do.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
const folder = mkdtempSync(join(tmpdir(), 'braid-package-'));
const run = (command, args, cwd = folder) =>
  execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

const job = column => `
import { count, job, rows, schema, sum, t, toArray } from 'braidstream';
import { startCluster } from 'braidstream/embedded';

const trips = schema({ at: t.timestamp(), city: t.string(), km: t.int() });
const cluster = await startCluster({ name: 'here' });
const seen = [
  { at: 0, city: 'Bern', km: 3 },
  { at: 1_000, city: 'Bern', km: 4 },
  { at: 3_600_000, city: 'Chur', km: 5 },
];
const run = await job('trips')
  .from(rows(trips, seen))
  .watermark('at', { outOfOrderMs: 0 })
  .groupBy('city')
  .tumble({ hours: 1 })
  .aggregate(trip => ({ trips: count(), km: sum(trip.${column}) }))
  .to(toArray())
  .start();
const { output } = await run.done;
console.log(JSON.stringify(output.map(row => [row.city, Number(row.trips), row.km])));
await cluster.close();
`;

try {
  const tarball = run('npm', ['pack', '--silent', '--pack-destination', folder], root).trim().split('\n').at(-1);
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'user', private: true, type: 'module' }));
  run('npm', ['install', '--no-audit', '--no-fund', '--silent', `./${tarball}`]);
  const config = {
    compilerOptions: {
      target: 'es2023',
      module: 'nodenext',
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: false,
      noEmit: false,
      types: ['node'],
      typeRoots: [join(root, 'node_modules/@types')],
    },
    files: ['job.ts'],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  const compile = () => run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder]);
  writeFileSync(join(folder, 'job.ts'), job('kilometres'));
  let refused = '';
  try {
    compile();
  } catch (error) {
    refused = `${error.stdout}${error.stderr}`;
  }
  if (!/kilometres/.test(refused)) throw new Error(`a wrong column compiled, or something else did not: ${refused}`);
  writeFileSync(join(folder, 'job.ts'), job('km'));
  compile();
  const printed = run(process.execPath, ['job.js']).trim();
  const expected = JSON.stringify([
    ['Bern', 2, 7],
    ['Chur', 1, 5],
  ]);
  if (printed !== expected) throw new Error(`the job printed ${printed}, expected ${expected}`);
  const help = run('npx', ['--no-install', 'braid', '--help']);
  if (!/cluster/.test(help)) throw new Error(`braid --help printed ${help}`);
  console.log(
    `${tarball}: ${readdirSync(join(folder, 'node_modules')).length} packages installed; a wrong column does not compile; the job gives ${printed}`,
  );
} catch (error) {
  console.error(error.stdout ?? '', error.stderr ?? '', error);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
