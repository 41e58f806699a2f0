import fc from 'fast-check';
import * as assert from 'uvu/assert';
import {
  parseTimestampText,
  timestampMax,
  timestampMin,
  writeTimestampText,
} from '../../../lib/formats/json/timestamp-text.ts';
import { suite } from '../../support/suite.ts';

const spec = suite('timestamps as text');
const encoder = new TextEncoder();

function parse(text: string): number {
  const bytes = encoder.encode(`--${text}--`);
  return parseTimestampText(bytes, 2, bytes.length - 2);
}

spec(
  'the first days and the last days of every month of the years 0000 to 9999 are those that Date says, there and back',
  () => {
    const bytes = new Uint8Array(32);
    const date = new Date(0);
    for (let month = 0; month < 120_000; month++) {
      for (const day of [1, 0, -1]) {
        date.setUTCFullYear(0, month, day);
        const time = date.getTime();
        if (time < timestampMin) continue;
        const iso = date.toISOString();
        const end = writeTimestampText(bytes, 0, time);
        if (end !== 19 || new TextDecoder().decode(bytes.subarray(0, end)) !== iso.slice(0, 19))
          assert.unreachable(iso);
        if (parseTimestampText(bytes, 0, end) !== time) assert.unreachable(iso);
      }
    }
    assert.is(date.toISOString(), '9999-11-29T00:00:00.000Z');
  },
);

spec('any millisecond goes there and back', () => {
  fc.assert(
    fc.property(fc.integer({ min: timestampMin, max: timestampMax }), time => {
      const bytes = new Uint8Array(32);
      assert.is(parseTimestampText(bytes, 0, writeTimestampText(bytes, 0, time)), time);
      assert.is(parse(new Date(time).toISOString()), time);
    }),
  );
});

spec('reads what is documented and nothing else', () => {
  const minute = Date.UTC(2001, 0, 31, 23, 59);
  assert.is(parse('2001-01-31T23:59'), minute);
  assert.is(parse('2001-01-31 23:59Z'), minute);
  assert.is(parse('2001-01-31 23:59:58'), minute + 58_000);
  assert.is(parse('2001-01-31T23:59:58.1'), minute + 58_100);
  assert.is(parse('2001-01-31T23:59:58.1239999Z'), minute + 58_123);
  assert.is(parse('2000-02-29T00:00'), Date.UTC(2000, 1, 29));
  for (const text of [
    ...['2001-02-29T00:00', '1900-02-29T00:00', '2001-04-31T00:00', '2001-00-10T00:00', '2001-13-10T00:00'],
    ...['2001-01-00T00:00', '2001-01-32T00:00', '2001-01-01T24:00', '2001-01-01T00:60', '2001-01-01T00:00:60'],
    ...['2001-01-01', '2001-01-01T', '2001-01-01T00', '2001-01-01T00:0', '2001-01-01T00:00:', '2001-01-01T00:00:0'],
    ...['2001-01-01T00:00:00.', '2001-01-01T00:00:00.1234567890', '2001-01-01T00:00:00z', '2001-01-01t00:00:00'],
    ...[
      '2001-01-01T00:00:00+00:00',
      '2001/01/01T00:00',
      '2001-01-01T00:00ZZ',
      '2001-01-01T00:00.5',
      ' 2001-01-01T00:00',
    ],
    ...['', '20010-01-01T00:00', '-001-01-01T00:00', '2001-01-01T0x:00:00', '2001-01-01T00:00:00.x'],
  ])
    assert.ok(Number.isNaN(parse(text)), text);
});

spec.run();
