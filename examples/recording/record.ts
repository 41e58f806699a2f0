/**
 * `npm run recording`: runs the main job in a pseudo-terminal of 80x24, takes a picture of the window twice a second,
 * and writes docs/flights.svg for the first screen of README.md. Needs `script` (util-linux), nothing else.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { animatedSvg, type Frame } from './animated-svg.ts';
import { TerminalWindow } from './terminal.ts';

const columns = 80;
/** What the view draws; the line below it belongs to the cursor. */
const rows = 24;
const takeEveryMs = 500;
/** A recording plays a little faster than life. */
const secondsAFrame = 0.35;
const lastFrameSeconds = 5;
const svgBytesMax = 300_000;

// From the build: dist/examples/recording.
const root = join(import.meta.dirname, '..', '..', '..');
const main = join(root, 'dist', 'examples', 'flights', 'main.js');
const target = join(root, 'docs', 'flights.svg');

const command = `stty rows ${rows} cols ${columns}; exec ${process.execPath} ${main} ${process.argv.slice(2).join(' ')}`;
const child = spawn('script', ['-qefc', command, '/dev/null'], {
  // The same colours wherever it runs.
  env: { ...process.env, TERM: 'xterm-256color', FORCE_COLOR: '1' },
  stdio: ['ignore', 'pipe', 'inherit'],
});
const window = new TerminalWindow(columns, rows);
const decoder = new StringDecoder('utf8');
const frames: Frame[] = [];
child.stdout.on('data', (chunk: Buffer) => window.write(decoder.write(chunk)));

const take = () => {
  const lines = window.snapshot();
  if (lines.some(line => line.length > 0)) frames.push({ lines, seconds: secondsAFrame });
};
const timer = setInterval(take, takeEveryMs);
const [code] = (await once(child, 'close')) as [number | null];
clearInterval(timer);
if (code !== 0) throw new Error(`the main job ended with exit code ${code}: nothing is recorded`);
// The summary, for long enough to be read.
frames.push({ lines: window.snapshot(), seconds: lastFrameSeconds });

const svg = animatedSvg(
  frames,
  columns,
  'braid: three million flights through two Kafka clusters, one of which goes dark',
);
if (svg.length > svgBytesMax) throw new Error(`the recording has ${svg.length} bytes, more than ${svgBytesMax}`);
await mkdir(join(root, 'docs'), { recursive: true });
await writeFile(target, svg);
console.log(`${target}: ${frames.length} pictures, ${svg.length} bytes`);
