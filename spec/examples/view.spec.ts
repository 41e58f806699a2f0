import pc from 'picocolors';
import * as assert from 'uvu/assert';
import { clip, drawFrame, type Picture, visibleLength } from '../../examples/flights/frame.ts';
import { LiveView } from '../../examples/flights/live-view.ts';
import { PlainView } from '../../examples/flights/plain-view.ts';
import { Screen } from '../../examples/flights/screen.ts';
import type { JobMetrics } from '../../lib/plan/job-report.ts';
import { suite } from '../support/suite.ts';

const test = suite('views of the main job');

const metrics = {
  recordsIn: 1_440_000,
  watermark: Date.UTC(2001, 3, 7, 13),
  recordsPerSecond: 150_102,
  recordsOut: 204_118,
  heldBy: { cluster: 'east', ms: 2100 },
  operators: [{ openWindows: 14 }],
  clusters: [
    { name: 'east', state: 'down', recordsPerSecond: 0, lag: 900_000 },
    { name: 'west', state: 'healthy', recordsPerSecond: 150_102, lag: 660_004 },
  ],
  sink: { active: 'west' },
} as unknown as JobMetrics;

const picture: Picture = {
  phase: 'running',
  elapsedMs: 12_400,
  total: 3_000_000,
  loaded: 3_000_000,
  clusters: [
    { name: 'east', brokers: ['127.0.0.1:19092'] },
    { name: 'west', brokers: ['127.0.0.1:29092'] },
  ],
  metrics,
  delayed: [{ origin: 'EGE', hour: '2001-04-07T13:00:00', flights: 4, meanDelay: 74.25 }],
  verified: 0,
  verifiedTotal: 1,
  events: Array.from({ length: 9 }, (_, i) => ({
    atMs: i * 1000,
    tone: 'bad' as const,
    text: `event ${i} ${'x'.repeat(99)}`,
  })),
};

test('the picture fits into 80x24 in every phase, with and without colours', () => {
  for (const phase of ['starting', 'loading', 'running', 'verifying'] as const)
    for (const colors of [pc.createColors(true), pc.createColors(false)])
      for (const figures of [metrics, undefined]) {
        const lines = drawFrame({ ...picture, phase, metrics: figures }, 80, colors);
        assert.ok(lines.length <= 23);
        for (const line of lines) assert.ok(visibleLength(line) <= 80, line);
      }
});

test('the picture says who holds the watermark, how long, and what waits for it', () => {
  const text = drawFrame(picture, 80, pc.createColors(false)).join('\n');
  assert.match(text, 'watermark held by east, 2.1 s, 14 windows waiting');
  assert.match(text, '2001-04-07 13:00');
  assert.match(text, /west +healthy .* active sink/);
  assert.match(text, /EGE .* 74\.3 min {2}mean of 4 flights/);
  assert.match(text, 'event 8');
  assert.not.match(text, 'event 3');
});

test('a cut line keeps its colours and ends them', () => {
  const colors = pc.createColors(true);
  const cut = clip(`${colors.red('abc')}def`, 4);
  assert.is(visibleLength(cut), 4);
  assert.ok(cut.startsWith('\u001b[31mabc\u001b[39md'));
  assert.is(clip('abc', 3), 'abc');
});

test('the screen draws over itself, cuts what does not fit, and gives the cursor back once', () => {
  const written: string[] = [];
  const screen = new Screen({ rows: 3, write: text => written.push(text) });
  screen.draw(['a', 'b', 'c']);
  screen.draw(['d']);
  screen.close();
  screen.close();
  screen.draw(['e']);
  assert.equal(written, [
    '\u001b[?25l',
    '\u001b[?2026h\ra\u001b[K\nb\u001b[K\n\u001b[J\u001b[?2026l',
    '\u001b[?2026h\u001b[2A\rd\u001b[K\n\u001b[J\u001b[?2026l',
    '\u001b[?25h',
  ]);
});

test('the live view leaves no timer and no listener behind', () => {
  const written: string[] = [];
  let listeners = 0;
  const view = new LiveView(
    { columns: 80, rows: 24, write: text => written.push(text), on: () => listeners++, off: () => listeners-- },
    3_000_000,
  );
  view.running(metrics);
  view.close();
  assert.is(listeners, 0);
  assert.match(written.at(-2)!, '150,102');
  assert.is(written.at(-1), '\u001b[?25h');
});

test('plain lines: at most one of figures a second, and the last one of a phase in any case', () => {
  let now = 0;
  const lines: string[] = [];
  const view = new PlainView(
    line => lines.push(line),
    100,
    () => now,
  );
  for (const loaded of [0, 10, 20, 100]) view.loading(loaded);
  now = 500;
  view.running(metrics);
  now = 900;
  view.running(metrics);
  now = 1500;
  view.running(metrics);
  assert.equal(
    lines.map(line => line.slice(9, 14)),
    ['load:', 'load:', 'run: ', 'run: '],
  );
  assert.match(lines[3]!, 'watermark held by east, 2.1 s, 14 windows waiting');
});

test.run();
