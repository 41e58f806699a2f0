import pc from 'picocolors';
import * as assert from 'uvu/assert';
import { agrees, type Findings, toReport } from '../../examples/flights/report.ts';
import { summaryLines } from '../../examples/flights/summary.ts';
import { suite } from '../support/suite.ts';

const test = suite('account of the main job');

const account = { recordsOut: 424_259, duplicates: 12, lost: 0, doubled: 0, mismatches: 0, differences: [] };
const whole: Findings = {
  job: 'flight-delays',
  rate: 150_000,
  records: 3_000_000,
  loaded: 3_000_000,
  loadSeconds: 5.04,
  recordsIn: 3_000_000,
  rowsOut: 424_259,
  lateRows: 0,
  badRecords: 0,
  outages: [{ cluster: 'east', detectMs: 412, downMs: 3000, resumeMs: 220 }],
  failovers: [{ from: 'east', to: 'west', switchMs: 430 }],
  unplannedOutages: 0,
  run: { seconds: 20, cpuSeconds: 4, rssBytesMax: 300e6 },
  clusters: [{ name: 'east', cpuSeconds: 1.5, rssBytesMax: 200e6 }],
  verify: { seconds: 2, account, by: 'DuckDB v1' },
};
const text = (findings: Findings) => summaryLines(findings, pc.createColors(false)).join('\n');

test('a whole run has a whole report, with rates from the measured times', () => {
  const report = toReport(whole);
  assert.is(report?.recordsPerSecond, 150_000);
  assert.is(report?.recordsPerCpuSecond, 750_000);
  assert.equal(report?.seconds, { load: 5, run: 20, verify: 2 });
  assert.is(report?.recordsOut, 424_259);
  assert.is(report?.duplicates, 12);
  assert.is(toReport({ ...whole, rate: Number.POSITIVE_INFINITY })?.rate, 'max');
});

test('a run that was cut short has no report and agrees with nothing', () => {
  const { verify: _, ...cut } = whole;
  assert.is(toReport(cut), undefined);
  assert.is(agrees(cut), false);
  assert.match(text({ ...cut, recordsIn: 1_500_000 }), '1,500,000 in of 3,000,000 (50 %)');
  assert.match(text(cut), 'nothing was compared');
});

test('it agrees only if everything went in and nothing is lost, doubled or different', () => {
  assert.is(agrees(whole), true);
  assert.is(agrees({ ...whole, recordsIn: 2_999_999 }), false);
  for (const fault of ['lost', 'doubled', 'mismatches'] as const) {
    const findings = { ...whole, verify: { ...whole.verify!, account: { ...account, [fault]: 1 } } };
    assert.is(agrees(findings), false, fault);
    assert.match(text(findings), 'does not equal');
  }
});

test('the summary has every figure and says where to look next', () => {
  for (const part of [
    'all 424,259 rows equal DuckDB v1',
    '3,000,000 in',
    '0 lost, 0 doubled, 0 mismatches',
    '12 rows lie in the topics twice',
    'east detected in 412 ms, down for 3,000 ms, resumed in 220 ms',
    'from east to west in 430 ms',
    '150,000 records/s (paced at 150,000), 750,000 per CPU-second',
    '300 MB',
    'load 5.0 s, run 20.0 s, verify 2.0 s',
    'examples/flights/job.ts',
  ])
    assert.match(text(whole), part);
  for (const line of text(whole).split('\n')) assert.ok(line.length <= 80, line);
});

test('an outage that was not over at the end is told as such', () => {
  const outages = [{ cluster: 'east', detectMs: 400, downMs: 30, resumeMs: null }];
  assert.match(text({ ...whole, outages }), 'east detected in 400 ms, down for 30 ms, not resumed before the end');
  const unnoticed = [{ cluster: 'east', detectMs: null, downMs: null, resumeMs: null }];
  assert.match(text({ ...whole, outages: unnoticed }), 'east not detected before the end, not resumed');
});

test('while it loads, the summary says how far it came', () => {
  const { loadSeconds: _, recordsIn: __, run: ___, verify: ____, ...loading } = whole;
  assert.match(text({ ...loading, loaded: 1_000_000, outages: [], failovers: [] }), '1,000,000 of 3,000,000 flights');
});

test.run();
