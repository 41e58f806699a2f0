import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import * as assert from 'uvu/assert';
import { charts } from '../state-machines/index.ts';
import { suite } from './support/suite.ts';

const root = join(import.meta.dirname, '..');

/** What each room may import: imports point down. `spec` and `perf` look at everything and nobody looks at them. */
const below: Readonly<Record<string, readonly string[]>> = {
  'lib/base': [],
  'lib/data': ['lib/base'],
  'lib/expressions': ['lib/data', 'lib/base'],
  'lib/formats': ['lib/expressions', 'lib/data', 'lib/base'],
  'lib/kernels': ['lib/formats', 'lib/expressions', 'lib/data', 'lib/base'],
  'lib/state': ['lib/expressions', 'lib/data', 'lib/base'],
  'lib/operators': ['lib/kernels', 'lib/state', 'lib/expressions', 'lib/data', 'lib/base'],
  'lib/plan': ['lib/operators', 'lib/kernels', 'lib/expressions', 'lib/data', 'lib/base'],
  'lib/kafka': ['lib/formats', 'lib/data', 'lib/base'],
  'lib/embedded': ['lib/base'],
  'lib/workers': ['lib/kernels', 'lib/data', 'lib/base'],
  'lib/inspect': ['lib/base'],
  'state-machines': [],
  actors: [
    'state-machines',
    'lib/plan',
    'lib/workers',
    'lib/kafka',
    'lib/operators',
    'lib/kernels',
    'lib/formats',
    'lib/data',
    'lib/base',
  ],
  'lib/api': [
    'actors',
    'lib/plan',
    'lib/inspect',
    'lib/kafka',
    'lib/kernels',
    'lib/expressions',
    'lib/data',
    'lib/base',
  ],
  'lib/cli': ['lib/api', 'lib/embedded', 'lib/data', 'lib/base'],
  'lib/index.ts': ['lib/api', 'lib/plan', 'lib/inspect', 'lib/expressions', 'lib/data', 'lib/base'],
  examples: ['lib/index.ts', 'lib/embedded', 'lib/kafka', 'lib/plan', 'lib/formats', 'lib/data', 'lib/base'],
};

/** Packages that only some rooms may know. What is not listed here may not be imported by the product at all. */
const packages: Readonly<Record<string, readonly string[]>> = {
  kafkajs: ['lib/kafka'],
  piscina: ['lib/workers'],
  xstate: ['state-machines', 'actors', 'lib/inspect'],
  rxjs: ['lib/api', 'lib/inspect'],
  commander: ['lib/cli'],
  picocolors: ['lib/cli', 'examples'],
  hyparquet: ['examples'],
  'hyparquet-compressors': ['examples'],
  '@duckdb/node-api': ['examples'],
};

interface Source {
  readonly path: string;
  readonly room: string;
  readonly text: string;
  /** Specifiers of its imports and re-exports. */
  readonly imports: readonly string[];
}

function sources(): Source[] {
  const tops = ['lib', 'actors', 'state-machines', 'examples', 'spec', 'perf'];
  return tops.flatMap(top =>
    readdirSync(join(root, top), { recursive: true, encoding: 'utf8' })
      .filter(file => /\.(ts|mts)$/.test(file) && !file.endsWith('.d.ts'))
      .map(file => {
        const path = `${top}/${file}`;
        const text = readFileSync(join(root, path), 'utf8');
        const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
        const imports = [
          ...code.matchAll(/^(?:import|export)\s[^;'`]*?from\s+'([^']+)'|^import\s+'([^']+)'|\bimport\('([^']+)'\)/gm),
        ].map(match => match[1] ?? match[2] ?? match[3]!);
        return { path, room: roomOf(path), text, imports };
      }),
  );
}

function roomOf(path: string): string {
  if (path === 'lib/index.ts') return path;
  const parts = path.split('/');
  return parts[0] === 'lib' ? `${parts[0]}/${parts[1]}` : parts[0]!;
}

const all = sources();
const product = all.filter(source => source.room !== 'spec' && source.room !== 'perf');

function target(source: Source, specifier: string): string {
  return relative(root, join(root, dirname(source.path), specifier));
}

const tidy = suite('tidy');

tidy('imports point down', () => {
  const wrong: string[] = [];
  for (const source of product) {
    const allowed = below[source.room];
    assert.ok(allowed, `the room ${source.room} is not in the list of rooms`);
    for (const specifier of source.imports.filter(name => name.startsWith('.'))) {
      const to = roomOf(target(source, specifier));
      if (to !== source.room && !allowed.includes(to)) wrong.push(`${source.path} imports ${to}`);
    }
  }
  assert.equal(wrong, []);
});

tidy('packages stay in their rooms', () => {
  const wrong: string[] = [];
  for (const source of product) {
    for (const specifier of source.imports) {
      if (specifier.startsWith('.') || specifier.startsWith('node:')) continue;
      const name = specifier.startsWith('@') ? specifier.split('/').slice(0, 2).join('/') : specifier.split('/')[0]!;
      if (!packages[name]?.includes(source.room)) wrong.push(`${source.path} imports ${specifier}`);
    }
  }
  assert.equal(wrong, []);
});

tidy('every runtime dependency is used, and nothing else is', () => {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  const shipped = product.filter(source => source.room !== 'examples');
  const used = new Set(
    shipped
      .flatMap(source => source.imports)
      .filter(name => !name.startsWith('.') && !name.startsWith('node:'))
      .map(name => name.split('/')[0]!),
  );
  assert.equal([...used].sort(), Object.keys(manifest.dependencies).sort());
});

tidy('there are no dead files', () => {
  // The interpreter of fragments is what the generated kernels are compared with.
  const entries =
    /(^lib\/kernels\/interpret\.ts$|^lib\/index\.ts$|^lib\/embedded\/(index|process-entry)\.ts$|^lib\/cli\/main\.ts$|worker-entry\.ts$|^examples\/|\.spec(-d)?\.ts$|^perf\/|^spec\/support\/)/;
  const reached = new Set(
    all.flatMap(source => source.imports.filter(name => name.startsWith('.')).map(name => target(source, name))),
  );
  assert.equal(
    product.map(source => source.path).filter(path => !entries.test(path) && !reached.has(path)),
    [],
  );
});

tidy('there are no dead exports', () => {
  const dead: string[] = [];
  const publicFiles = new Set(['lib/index.ts', 'lib/embedded/index.ts']);
  for (const source of product.filter(each => !publicFiles.has(each.path))) {
    for (const match of source.text.matchAll(
      /^export (?:declare )?(?:async )?(?:function\*?|class|const|interface|type) (\w+)/gm,
    )) {
      const name = match[1]!;
      const word = new RegExp(`\\b${name}\\b`);
      const usedOutside = all.some(other => other !== source && word.test(other.text));
      const usedInside = [...source.text.matchAll(new RegExp(`\\b${name}\\b`, 'g'))].length > 1;
      if (!usedOutside && !usedInside) dead.push(`${source.path}: ${name}`);
    }
  }
  assert.equal(dead, []);
});

tidy('no file is longer than one sitting', () => {
  assert.equal(
    all.filter(source => source.text.split('\n').length > 600).map(source => source.path),
    [],
  );
});

tidy('every room says what it is', () => {
  const silent = Object.keys(below)
    .filter(room => !room.endsWith('.ts'))
    .filter(room => !readdirSync(join(root, room)).includes('README.md'));
  assert.equal(silent, []);
});

tidy('every chart has a spec and a drawing', () => {
  const specs = readdirSync(join(root, 'spec/state-machines'));
  const drawings = readdirSync(join(root, 'state-machines/drawings'));
  for (const name of Object.keys(charts)) {
    const file = name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`);
    assert.ok(specs.includes(`${file}.spec.ts`), `spec/state-machines/${file}.spec.ts is missing`);
    assert.ok(
      drawings.some(drawing => drawing.startsWith(`${file}.`)),
      `no drawing of ${name}`,
    );
  }
});

tidy.run();
