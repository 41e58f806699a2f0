import * as assert from 'uvu/assert';
import { Comparison, type DelayRecord } from '../../examples/flights/comparison.ts';
import { askDuckDB, type ExpectedRows } from '../../examples/flights/expected.ts';
import { FlightJson } from '../../examples/flights/flight-json.ts';
import { readFlights } from '../../examples/flights/parquet.ts';
import { suite } from '../support/suite.ts';

const test = suite('comparison of the main job with DuckDB');

const records = 20_000;
const expected: ExpectedRows = await askDuckDB(records);
const rows = await naiveJob(records);

/** The job's question, answered by JSON.parse and a Map: the reader's reference for what the rows mean. */
async function naiveJob(count: number): Promise<DelayRecord[]> {
  const groups = new Map<string, { flights: number; sum: number; max: number; late: number; distance: number }>();
  const json = new FlightJson();
  for await (const flights of readFlights(count)) {
    for (let row = 0; row < flights.rows; row++) {
      const flight = JSON.parse(json.bytes.toString('utf8', 0, json.write(flights, row)));
      const key = `${flight.origin} ${flight.date.slice(0, 13)}:00:00`;
      const group = groups.get(key) ?? { flights: 0, sum: 0, max: Number.NEGATIVE_INFINITY, late: 0, distance: 0 };
      groups.set(key, group);
      group.flights++;
      group.sum += flight.delay;
      group.max = Math.max(group.max, flight.delay);
      group.late += flight.delay > 15 ? 1 : 0;
      group.distance += flight.distance;
    }
  }
  return [...groups].map(([key, group], i) => {
    const [origin, hour] = key.split(' ');
    const value = {
      origin,
      hour,
      flights: group.flights,
      meanDelay: group.sum / group.flights,
      maxDelay: group.max,
      lateShare: group.late / group.flights,
      distance: group.distance,
    };
    return { identity: `tag ${i}`, key: origin, value: JSON.stringify(value), place: `record ${i}` };
  });
}

function account(...all: readonly DelayRecord[]) {
  const comparison = new Comparison(expected);
  for (const record of all) comparison.add(record);
  return comparison.account();
}
const first = rows[0]!;
const rest = rows.slice(1);
const changed = (value: object): DelayRecord => ({
  ...first,
  value: JSON.stringify({ ...JSON.parse(first.value), ...value }),
});
const clean = { recordsOut: rows.length, duplicates: 0, lost: 0, doubled: 0, mismatches: 0, differences: [] };

test('a naive job over the same JSON agrees with DuckDB, row for row and bit for bit', () => {
  assert.ok(rows.length > 1000);
  assert.is(expected.rows, rows.length);
  assert.equal(account(...rows), clean);
});

test('a copy under the same tag is a duplicate and nothing else', () => {
  assert.equal(account(...rows, first), { ...clean, duplicates: 1 });
});

test('a row under two tags is doubled', () => {
  const again = { ...first, identity: 'another' };
  assert.equal(account(...rows, again), { ...clean, recordsOut: rows.length + 1, doubled: 1 });
});

test('a row without a record is lost', () => {
  assert.equal(account(...rest), { ...clean, recordsOut: rows.length - 1, lost: 1 });
});

for (const [what, record] of [
  ['another count', changed({ flights: 77_777 })],
  ['a mean that is off by the last bit', changed({ meanDelay: nextDouble(JSON.parse(first.value).meanDelay) })],
  ['another maximum', changed({ maxDelay: 5000 })],
  ['another share', changed({ lateShare: 0.123 })],
  ['another distance', changed({ distance: 1 })],
  ['a number as text', changed({ flights: '1' })],
  ['another key', { ...first, key: 'XXX' }],
  ['no key', { ...first, key: undefined }],
] as const)
  test(`${what} is a mismatch, and not lost`, () => {
    const { differences, ...figures } = account(...rest, record);
    const { differences: _, ...wanted } = clean;
    assert.equal(figures, { ...wanted, mismatches: 1 });
    assert.is(differences.length, 1);
  });

for (const [what, record] of [
  ['an unknown origin', changed({ origin: 'XXX' })],
  ['an hour without flights', changed({ hour: '1999-01-01T00:00:00' })],
  ['text that is no JSON', { ...first, value: '{' }],
  ['null', { ...first, value: 'null' }],
] as const)
  test(`${what} is a mismatch, and its row is lost`, () => {
    const found = account(...rest, record);
    assert.is(found.mismatches, 1);
    assert.is(found.lost, 1);
  });

test('a record without a tag is a mismatch and counts for nothing', () => {
  const found = account(...rest, { ...first, identity: undefined });
  assert.is(found.mismatches, 1);
  assert.is(found.lost, 1);
  assert.is(found.recordsOut, rows.length - 1);
});

test('a tag that stands on two rows is a mismatch, and the second row is lost', () => {
  const found = account(...rest.slice(1), first, { ...rest[0]!, identity: first.identity });
  assert.is(found.mismatches, 1);
  assert.is(found.lost, 1);
});

function nextDouble(value: number): number {
  const bits = new BigInt64Array(Float64Array.of(value).buffer);
  bits[0] = bits[0]! + 1n;
  return new Float64Array(bits.buffer)[0]!;
}

test.run();
