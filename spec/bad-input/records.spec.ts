/**
 * What becomes of a record that is not a row of the schema: one line of the table for each way to be wrong. Around it
 * stand two good records, which nothing may happen to.
 */
import * as assert from 'uvu/assert';
import { startCluster } from '../../lib/embedded/index.ts';
import { count, job, kafka, schema, t, toArray } from '../../lib/index.ts';
import { assertError, endingOf } from '../support/ending.ts';
import { type RecordSource, recordBatch } from '../support/record-batches.ts';
import { suite } from '../support/suite.ts';

const test = suite('bad input: records', 10_000);
const cluster = await startCluster();
test.after(() => cluster.close());

/** `id` may not be NULL, so what is wrong about it leaves no row; all else may. */
const strict = schema({
  id: t.int().notNull(),
  big: t.bigint(),
  d: t.double(),
  s: t.string(),
  ok: t.boolean(),
  at: t.timestamp(),
});
const loose = schema({
  id: t.int(),
  big: t.bigint(),
  d: t.double(),
  s: t.string(),
  ok: t.boolean(),
  at: t.timestamp(),
});
const nothing = { id: null, big: null, d: null, s: null, ok: null, at: null };

interface Line {
  readonly what: string;
  readonly value: string | Uint8Array | null;
  /** What the error, or the dead letter, says; undefined: it is not bad at all. */
  readonly reason?: RegExp;
  /** Fields that the row has, the others being NULL; undefined: there is no row. With `badRecords: 'null'`, or where it is not bad. */
  readonly row?: Readonly<Record<string, unknown>>;
  readonly schema?: 'strict' | 'loose';
  readonly validate?: 'structure' | 'full';
}

const deep = (levels: number, close: boolean): string => '['.repeat(levels) + (close ? ']'.repeat(levels) : '');
const bytes = (...parts: (string | number)[]): Uint8Array =>
  Uint8Array.from(parts.flatMap(part => (typeof part === 'number' ? [part] : [...new TextEncoder().encode(part)])));

const table: readonly Line[] = [
  // No JSON object. Without NOT NULL all fields are NULL; with it there is no row.
  { what: 'no value (a tombstone)', value: null, reason: /no value \(a tombstone\)/, row: {}, schema: 'loose' },
  { what: 'no value where a field may not be NULL', value: null, reason: /tombstone/ },
  { what: 'an empty value', value: '', reason: /not a JSON object/, row: {}, schema: 'loose' },
  { what: 'white space', value: ' \n\t ', reason: /not a JSON object/ },
  { what: 'plain text', value: 'hello', reason: /not a JSON object/, row: {}, schema: 'loose' },
  { what: 'an array', value: '[{"id":2}]', reason: /not a JSON object/ },
  { what: 'a number', value: '2', reason: /not a JSON object/ },
  { what: 'null', value: 'null', reason: /not a JSON object/ },
  { what: 'a byte order mark', value: bytes(0xef, 0xbb, 0xbf, '{"id":2}'), reason: /not a JSON object/ },
  { what: 'an opening bracket alone', value: '{', reason: /ends in the middle/ },
  { what: 'an object cut off in a key', value: '{"id":2,"b', reason: /ends in the middle/ },
  { what: 'an object cut off before a colon', value: '{"id":2,"big"', reason: /ends in the middle/ },
  { what: 'an object cut off before a value', value: '{"id":2,"big":', reason: /ends in the middle|value is missing/ },
  { what: 'an object cut off in a number', value: '{"id":2', reason: /ends in the middle/ },
  { what: 'an object cut off in a text', value: '{"id":2,"s":"abc', reason: /ends in the middle/ },
  { what: 'an object cut off in an escape', value: '{"id":2,"s":"abc\\', reason: /ends in the middle/ },
  { what: 'an object cut off in a nested value', value: '{"id":2,"x":{"y":[1,2', reason: /ends in the middle/ },
  { what: 'an object cut off behind a comma', value: '{"id":2,', reason: /ends in the middle/ },
  { what: 'a comma before the end', value: '{"id":2,}', reason: /key is not in quotes/ },
  { what: 'two objects', value: '{"id":2}{"id":3}', reason: /something follows/, row: {}, schema: 'loose' },
  { what: 'a zero byte behind the object', value: bytes('{"id":2}', 0), reason: /something follows/ },
  { what: 'white space behind the object', value: '{"id":2} \r\n', row: { id: 2 } },
  { what: 'keys without quotes', value: '{id:2}', reason: /key is not in quotes/ },
  { what: 'single quotes', value: "{'id':2}", reason: /key is not in quotes/ },
  { what: 'no colon', value: '{"id" 2}', reason: /not followed by a colon/ },
  { what: 'no comma', value: '{"id":2 "d":3}', reason: /neither a comma nor a closing bracket/ },
  { what: 'brackets that do not match', value: '{"id":2,"x":[1}', reason: /neither a comma nor a closing bracket/ },
  { what: 'a comment', value: '{"id":2/* */}', reason: /neither a comma|not written/ },
  { what: 'a word that is none', value: '{"id":2,"ok":yes}', reason: /neither true, false nor null/ },
  { what: 'NaN', value: '{"id":2,"d":NaN}', reason: /neither true, false nor null/ },
  { what: 'a number with a leading zero', value: '{"id":02}', reason: /not written as JSON demands/ },
  { what: 'a number with a plus', value: '{"id":+2}', reason: /value is missing|neither true|not written/ },
  { what: 'a hexadecimal number', value: '{"id":0x2}', reason: /neither a comma|not written/ },
  { what: 'an unknown escape', value: '{"id":2,"s":"\\x41"}', reason: /escape that JSON does not know/ },
  { what: 'a bad \\u escape', value: '{"id":2,"s":"\\u12G4"}', reason: /escape that JSON does not know/ },
  { what: 'a line break in a text', value: '{"id":2,"s":"a\nb"}', reason: /control character/ },
  {
    what: 'invalid UTF-8 in a wanted text',
    value: bytes('{"id":2,"s":"', 0xc3, 0x28, '"}'),
    reason: /not valid UTF-8/,
  },
  { what: 'a surrogate in UTF-8', value: bytes('{"id":2,"s":"', 0xed, 0xa0, 0x80, '"}'), reason: /not valid UTF-8/ },
  { what: 'an overlong form in UTF-8', value: bytes('{"id":2,"s":"', 0xc0, 0xaf, '"}'), reason: /not valid UTF-8/ },
  {
    what: 'invalid UTF-8 in a text that nobody wants',
    value: bytes('{"id":2,"x":"', 0xc3, 0x28, '"}'),
    row: { id: 2 },
  },
  {
    what: 'invalid UTF-8 in a text that nobody wants, where everything is checked',
    value: bytes('{"id":2,"x":"', 0xc3, 0x28, '"}'),
    reason: /not valid UTF-8/,
    validate: 'full',
  },
  { what: 'a wrong word that nobody wants', value: '{"id":2,"x":tru}', row: { id: 2 } },
  {
    what: 'a wrong word that nobody wants, where everything is checked',
    value: '{"id":2,"x":tru}',
    reason: /neither true, false nor null/,
    validate: 'full',
  },

  // Nesting bombs: nothing recurses.
  { what: '100,000 levels in a field that nobody wants', value: `{"x":${deep(100_000, true)},"id":2}`, row: { id: 2 } },
  {
    what: '100,000 levels that do not close',
    value: `{"id":2,"x":${deep(100_000, false)}`,
    reason: /ends in the middle/,
  },
  {
    what: '100,000 levels in a wanted field',
    value: `{"id":2,"s":${deep(100_000, true)}}`,
    reason: /the field s is not a STRING/,
    row: { id: 2 },
  },
  {
    what: '100,000 objects in one another',
    value: `${'{"x":'.repeat(100_000)}1${'}'.repeat(100_000)}`,
    reason: /id .*missing/,
  },

  // Fields.
  { what: 'a NOT NULL field is missing', value: '{"d":1}', reason: /the field id \(INT NOT NULL\) is missing/ },
  { what: 'a NOT NULL field is null', value: '{"id":null}', reason: /the field id \(INT NOT NULL\) is null/ },
  { what: 'nothing but the fields that must be there', value: '{"id":2}', row: { id: 2 } },
  { what: 'no field at all', value: '{}', row: {}, schema: 'loose' },
  { what: 'null in fields that may be NULL', value: '{"id":2,"s":null,"at":null,"ok":null}', row: { id: 2 } },
  { what: 'a name in another case', value: '{"ID":2}', reason: /the field id \(INT NOT NULL\) is missing/ },
  { what: 'repeated keys: the last one counts', value: '{"id":1,"s":"a","s":"b","id":2}', row: { id: 2, s: 'b' } },
  {
    what: 'a repeated key whose last value is wrong',
    value: '{"id":1,"id":"x"}',
    reason: /the field id is not an? INT/,
  },
  { what: 'a repeated key whose last value is right', value: '{"id":"x","id":2}', row: { id: 2 } },
  { what: '__proto__ as a field', value: '{"__proto__":{"id":9},"id":2}', row: { id: 2 } },
  { what: 'a text for an INT', value: '{"id":"2"}', reason: /the field id is not an? INT/ },
  { what: 'a text for a BIGINT', value: '{"id":2,"big":"3"}', reason: /the field big is not a BIGINT/, row: { id: 2 } },
  { what: 'a text for a DOUBLE', value: '{"id":2,"d":"1.5"}', reason: /the field d is not a DOUBLE/, row: { id: 2 } },
  { what: 'a number for a STRING', value: '{"id":2,"s":5}', reason: /the field s is not a STRING/, row: { id: 2 } },
  { what: 'an object for a STRING', value: '{"id":2,"s":{}}', reason: /the field s is not a STRING/, row: { id: 2 } },
  { what: 'a number for a BOOLEAN', value: '{"id":2,"ok":1}', reason: /the field ok is not a BOOLEAN/, row: { id: 2 } },
  { what: 'an array for a DOUBLE', value: '{"id":2,"d":[1]}', reason: /the field d is not a DOUBLE/, row: { id: 2 } },
  { what: 'true for an INT', value: '{"id":true}', reason: /the field id is not an? INT/ },
  {
    what: 'two wrong fields: the first of them is told, both are NULL',
    value: '{"id":2,"s":5,"d":"x"}',
    reason: /the field d is not a DOUBLE/,
    row: { id: 2 },
  },

  // Numbers.
  { what: 'an INT below its range', value: '{"id":-2147483649}', reason: /id is out of the range of INT/ },
  { what: 'an INT above its range', value: '{"id":2147483648}', reason: /id is out of the range of INT/ },
  { what: 'the greatest INT', value: '{"id":2147483647}', row: { id: 2147483647 } },
  { what: 'a fraction for an INT', value: '{"id":2.5}', reason: /id has a fraction/ },
  { what: 'an integer with an exponent', value: '{"id":2e0,"big":1.5e3}', row: { id: 2, big: 1500n } },
  {
    what: 'a BIGINT beyond the safe integers, exact',
    value: '{"id":2,"big":9007199254740993}',
    row: { id: 2, big: 9007199254740993n },
  },
  {
    what: 'the smallest BIGINT',
    value: '{"id":2,"big":-9223372036854775808}',
    row: { id: 2, big: -9223372036854775808n },
  },
  {
    what: 'a BIGINT above its range',
    value: '{"id":2,"big":9223372036854775808}',
    reason: /big is out of the range of BIGINT/,
    row: { id: 2 },
  },
  {
    what: 'an integer of 100,000 digits',
    value: `{"id":2,"big":${'9'.repeat(100_000)}}`,
    reason: /big is out of the range of BIGINT/,
    row: { id: 2 },
  },
  {
    what: 'an exponent of 100,000 digits',
    value: `{"id":2,"big":1e${'9'.repeat(100_000)}}`,
    reason: /big is out of the range of BIGINT/,
    row: { id: 2 },
  },
  { what: '1e400, as JSON.parse reads it', value: '{"id":2,"d":1e400}', row: { id: 2, d: Number.POSITIVE_INFINITY } },
  { what: '1e400 for an INT', value: '{"id":1e400}', reason: /id is out of the range of INT/ },
  { what: 'a huge integer for a DOUBLE', value: `{"id":2,"d":1${'0'.repeat(30)}}`, row: { id: 2, d: 1e30 } },
  { what: 'a minus alone', value: '{"id":2,"d":-}', reason: /not written as JSON demands/ },
  { what: 'a point without digits', value: '{"id":2,"d":1.}', reason: /not written as JSON demands/ },

  // Timestamps.
  { what: 'a timestamp', value: '{"id":2,"at":"2001-01-01T00:01:00"}', row: { id: 2, at: Date.UTC(2001, 0, 1, 0, 1) } },
  { what: 'milliseconds as a timestamp', value: '{"id":2,"at":0}', row: { id: 2, at: 0 } },
  ...[
    ['no time', '""'],
    ['a word', '"yesterday"'],
    ['a day that does not exist', '"2001-02-29T00:00:00"'],
    ['hour 24', '"2001-01-01T24:00:00"'],
    ['month 13', '"2001-13-01T00:00:00"'],
    ['an offset from UTC', '"2001-01-01T00:00:00+02:00"'],
    ['a day alone', '"2001-01-01"'],
  ].map(([what, text]) => ({
    what: `a timestamp that is none: ${what}`,
    value: `{"id":2,"at":${text}}`,
    reason: /the field at is not a timestamp like/,
    row: { id: 2 },
  })),
  {
    what: 'milliseconds beyond the year 9999',
    value: '{"id":2,"at":1e17}',
    reason: /at is out of the range of TIMESTAMP/,
    row: { id: 2 },
  },
  {
    what: 'true for a timestamp',
    value: '{"id":2,"at":true}',
    reason: /the field at is not a TIMESTAMP/,
    row: { id: 2 },
  },
];

let topics = 0;
async function topicOf(records: readonly RecordSource[]): Promise<string> {
  const topic = `records-${topics++}`;
  await cluster.createTopic({ topic });
  await cluster.append(topic, 0, recordBatch(records));
  return topic;
}
const clusters = [{ name: 'east', brokers: cluster.bootstrap }];

for (const line of table) {
  const { what, reason, value } = line;
  test(`${what}: ${reason === undefined ? 'read' : 'fail, null and skip, each counted'}`, async () => {
    const isLoose = line.schema === 'loose';
    const rows = isLoose ? loose : strict;
    const topic = await topicOf([{ value: '{"id":1}' }, { value }, { value: '{"id":3}' }]);
    const run = (badRecords: 'fail' | 'null' | 'skip') => {
      const source = kafka({
        topic,
        clusters,
        schema: rows as typeof loose,
        bounded: true,
        badRecords,
        validate: line.validate ?? 'structure',
      });
      return endingOf(job('records').from(source).to(toArray()));
    };
    const first = { ...nothing, id: 1 };
    const last = { ...nothing, id: 3 };
    const row = line.row === undefined ? [] : [{ ...nothing, ...line.row }];
    if (reason === undefined) {
      for (const policy of ['fail', 'null', 'skip'] as const) {
        const { error, output, metrics } = await run(policy);
        assert.is(error, undefined);
        assert.equal(output, [first, ...row, last]);
        assert.equal([metrics!.recordsIn, metrics!.recordsOut, metrics!.badRecords], [3, 3, 0]);
      }
      return;
    }
    const { error } = await run('fail');
    const place = new RegExp(`^${topic}-0 of east, .*offset 1$`);
    assertError(error, { code: 'ROW_INVALID', sentence: reason, place, hint: /badRecords/ });
    assert.match(error!.message, /^record 1: /);
    const expected = value === null ? new Uint8Array(0) : typeof value === 'string' ? bytes(value) : value;
    for (const policy of ['null', 'skip'] as const) {
      const { error: none, output, metrics, letters, events } = await run(policy);
      assert.is(none, undefined);
      const kept = policy === 'null' ? row : [];
      assert.equal(output, [first, ...kept, last], policy);
      assert.equal([metrics!.recordsIn, metrics!.recordsOut, metrics!.badRecords], [3, 2 + kept.length, 1], policy);
      assert.is(letters.length, 1);
      const { bytes: told, reason: why, ...where } = letters[0]!;
      assert.equal(where, { cluster: 'east', topic, partition: 0, offset: 1 });
      assert.match(why, reason);
      assert.equal(Buffer.from(told), Buffer.from(expected.subarray(0, 64 << 10)), 'the letter has the bytes');
      assert.equal(
        events.filter(event => event.type === 'deadLetters').map(event => [event.records, event.firstOffset]),
        [[1, 1]],
      );
    }
  });
}

test('an event time that is NULL, missing or wrong leaves no row under any policy, and is counted once', async () => {
  const timed = schema({ id: t.int().notNull(), at: t.timestamp() });
  const at = '"2001-01-01T00:00:00"';
  const topic = await topicOf([
    { value: `{"id":1,"at":${at}}` },
    { value: '{"id":2,"at":null}' },
    { value: '{"id":3}' },
    { value: '{"id":4,"at":"never"}' },
    { value: `{"id":5,"at":${at}}` },
  ]);
  const run = (badRecords: 'fail' | 'null' | 'skip') =>
    endingOf(
      job('event-time')
        .from(kafka({ topic, clusters, schema: timed, bounded: true, badRecords }))
        .watermark('at')
        .tumble({ days: 1 })
        .aggregate(() => ({ rows: count() }))
        .select('rows')
        .to(toArray()),
    );
  for (const policy of ['null', 'skip'] as const) {
    const { output, metrics, letters } = await run(policy);
    assert.equal(output, [{ rows: 2n }], policy);
    assert.equal([metrics!.recordsIn, metrics!.badRecords, metrics!.lateRows], [5, 3, 0], policy);
    assert.equal(
      letters.map(letter => letter.offset),
      [1, 2, 3],
    );
    assert.match(letters[0]!.reason, /event time is NULL/);
    assert.match(letters[2]!.reason, /the field at is not a timestamp/);
  }
  const { error } = await run('fail');
  const place = new RegExp(`^${topic}-0 of east, .*offset 1$`);
  assertError(error, { code: 'EVENT_TIME_MISSING', sentence: /event time is NULL/, place, hint: /badRecords/ });
});

test('a column that no record has: under NOT NULL every record is bad, else it is NULL everywhere', async () => {
  const records = Array.from({ length: 1000 }, (_, i) => ({ value: `{"id":${i}}` }));
  const topic = await topicOf(records);
  const run = (columns: typeof absent, badRecords: 'fail' | 'null' | 'skip') =>
    endingOf(
      job('absent')
        .from(kafka({ topic, clusters, schema: columns, bounded: true, badRecords }))
        .to(toArray()),
    );
  const absent = schema({ id: t.int(), dely: t.int() });
  const required = schema({ id: t.int(), dely: t.int().notNull() }) as unknown as typeof absent;
  const { output } = await run(absent, 'fail');
  assert.is(output!.filter(row => row.dely === null).length, 1000);
  const { error } = await run(required, 'fail');
  assertError(error, { code: 'ROW_INVALID', sentence: /record 0: the field dely \(INT NOT NULL\) is missing/ });
  for (const policy of ['null', 'skip'] as const) {
    const all = await run(required, policy);
    assert.is(all.error, undefined);
    assert.equal(
      [all.output!.length, all.metrics!.recordsIn, all.metrics!.badRecords, all.letters.length],
      [0, 1000, 1000, 1000],
    );
  }
});

test('bad records among good ones, over partitions, batches and gzip: the counts add up', async () => {
  const topic = 'mixed';
  await cluster.createTopic({ topic, partitions: 3 });
  let bad = 0;
  for (let batch = 0; batch < 30; batch++) {
    const records = Array.from({ length: 100 }, (_, i) => {
      const isBad = (batch * 100 + i) % 7 === 0;
      if (isBad) bad++;
      return { value: isBad ? `{"id":${i}` : `{"id":${i}}` };
    });
    await cluster.append(topic, batch % 3, recordBatch(records));
  }
  const { output, metrics, letters } = await endingOf(
    job('mixed')
      .from(kafka({ topic, clusters, schema: strict, bounded: true, badRecords: 'skip' }))
      .to(toArray()),
  );
  assert.is(output!.length, 3000 - bad);
  assert.equal([metrics!.recordsIn, metrics!.recordsOut, metrics!.badRecords], [3000, 3000 - bad, bad]);
  assert.is(new Set(letters.map(letter => `${letter.partition}/${letter.offset}`)).size, bad);
});

test.run();
