import fc from 'fast-check';
import type { TypeName } from '../../lib/data/data-type.ts';
import type { Schema } from '../../lib/data/schema.ts';

/** Texts of JSON values, valid by grammar, with an eye for borders; right and wrong ones for a column of each type. */
const numbers: readonly string[] = [
  ...['0', '-0', '1', '-1', '7', '12', '123', '1234', '12345', '12345678', '999999999', '1000000000'],
  ...['2147483647', '2147483648', '-2147483648', '-2147483649', '999999999999999', '1000000000000000'],
  ...['9007199254740991', '9007199254740992', '9007199254740993', '-9007199254740991', '-9007199254740993'],
  ...['9223372036854775807', '9223372036854775808', '-9223372036854775808', '-9223372036854775809'],
  ...['1.0', '-1.000', '1e3', '1E+3', '10e-1', '15e-1', '1.5', '0.0', '0e5', '-0.0', '1e-5', '1e19', '1e18', '123e400'],
  ...['9223372036854775807.0', '92233720368547758070e-1', '0.10000000000000000000000000000000000000000001e1'],
  ...[
    '100000000000000000000000000000000000000000000000e-46',
    '0.1',
    '0.000001',
    '123456.789',
    '1e22',
    '1e23',
    '5e-324',
  ],
  ...['1.7976931348623157e308', '1e400', '-1e400', '123456789012345.6', '0.30000000000000004', '9007199254740993.0'],
  ...['8.5e15', '253402300799999', '253402300800000', '-62167219200000', '-62167219200001', '1e99999999999'],
];
const times: readonly string[] = [
  ...['2001-01-01T00:01:00', '2001-01-01 00:01', '2000-02-29T23:59:59.999', '1900-02-28T01:02:03Z', '0000-01-01T00:00'],
  ...[
    '9999-12-31T23:59:59.999999999',
    '1969-12-31T23:59:59.9',
    '2004-02-29T00:00:00.12',
    '2100-03-01T00:00:00.123456Z',
  ],
  ...['2001-02-29T00:00', '1900-02-29T00:00', '2001-04-31T00:00', '2001-00-01T00:00', '2001-13-01T00:00'],
  ...['2001-01-00T00:00', '2001-01-01T24:00', '2001-01-01T00:60', '2001-01-01T00:00:60', '2001-01-01T00:00:00.'],
  ...['2001-01-01T00:00:00.1234567890', '2001-01-01', '2001-01-01T00:00:0', '2001-01-01t00:00', '2001-01-01T00:00z'],
  ...['2001-01-01T00:00:00ZZ', '2001-01-01T00:00:00+01:00', '+2001-01-01T00:00', '2001-1-01T00:00:00', ''],
];

/** A string token: some characters as escapes that need none, halves of surrogate pairs among them. */
export const stringToken: fc.Arbitrary<string> = fc
  .tuple(
    fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 12 }),
      fc.string({ unit: 'binary', maxLength: 6 }),
      fc.constantFrom('\ud83d', '\udc00', 'a\ud83d\ude00b', '\ud800\u0041', '"\\/\b\f\n\r\t\u0000\u001f\u007f\u2028'),
      fc.constantFrom(...times),
    ),
    fc.infiniteStream(fc.nat(9)),
  )
  .map(([text, dice]) => {
    let token = '';
    for (const unit of text) {
      const roll = dice.next().value ?? 0;
      const plain = JSON.stringify(unit).slice(1, -1);
      const codes = [...unit].length === 1 ? Array.from({ length: unit.length }, (_, i) => unit.charCodeAt(i)) : [];
      const hex = codes.map(code => `\\u${code.toString(16).padStart(4, '0')}`).join('');
      token += roll === 0 ? hex : roll === 1 ? hex.toUpperCase().replaceAll('\\U', '\\u') : plain;
    }
    return `"${token}"`;
  });

const number = fc.oneof(
  fc.constantFrom(...numbers),
  fc.integer().map(String),
  fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n }).map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(value => (Object.is(value, -0) ? '-0' : String(value))),
  fc.tuple(fc.integer({ min: -9999, max: 9999 }), fc.integer({ min: -12, max: 12 })).map(([a, b]) => `${a}e${b}`),
  fc.tuple(fc.nat(999999), fc.stringMatching(/^\d{1,12}$/)).map(([a, b]) => `${a}.${b}`),
);

export const space: fc.Arbitrary<string> = fc.oneof(
  { weight: 8, arbitrary: fc.constant('') },
  { weight: 1, arbitrary: fc.constantFrom(' ', '\n', '\t', '\r', '  \r\n\t ') },
);

/** Any JSON value, nested ones too, with white space here and there. */
export const anyToken: fc.Arbitrary<string> = fc.letrec<{ value: string }>(tie => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.oneof(number, stringToken, fc.constantFrom('true', 'false', 'null', '{}', '[]', '{ }', '[ ]')),
    fc.tuple(fc.array(tie('value'), { maxLength: 3 }), space).map(([items, s]) => `[${s}${items.join(`${s},`)}${s}]`),
    fc
      .tuple(fc.array(fc.tuple(stringToken, tie('value')), { maxLength: 3 }), space)
      .map(([members, s]) => `{${members.map(([key, value]) => `${s}${key}${s}:${s}${value}`).join(`${s},`)}${s}}`),
  ),
})).value;

const right: Readonly<Record<TypeName, fc.Arbitrary<string>>> = {
  BOOLEAN: fc.constantFrom('true', 'false'),
  INT: fc.oneof(fc.integer().map(String), fc.integer({ min: -20, max: 20 }).map(String)),
  BIGINT: fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: -1_000_000, max: 1_000_000 }).map(String) },
    { weight: 3, arbitrary: fc.maxSafeInteger().map(String) },
    { weight: 1, arbitrary: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String) },
  ),
  DOUBLE: number,
  STRING: stringToken,
  TIMESTAMP: fc.oneof(
    fc.integer({ min: Date.UTC(1950), max: Date.UTC(2050) }).map(ms => `"${new Date(ms).toISOString()}"`),
    fc.integer({ min: 0, max: 100_000 }).map(String),
    fc.constantFrom(...times.slice(0, 9)).map(text => JSON.stringify(text)),
  ),
};

/** A key token: the name, some of its characters as escapes at times. */
function keyToken(name: string): fc.Arbitrary<string> {
  const escaped = [...name]
    .map((c, i) => (i % 2 === 0 ? `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}` : c))
    .join('');
  return fc.oneof(
    { weight: 9, arbitrary: fc.constant(JSON.stringify(name)) },
    { weight: 1, arbitrary: fc.constant(`"${escaped}"`) },
  );
}

/** How often a field is of another type, missing, null or repeated: one in so many. */
export interface JsonNoise {
  readonly oneIn: number;
}

/** A JSON object with the fields of a schema, shuffled among others that nobody asked for. */
export function objectOf(schema: Schema, { oneIn }: JsonNoise): fc.Arbitrary<string> {
  const members = schema.fields.map(({ name, type }) => {
    const value = fc.oneof(
      { weight: oneIn, arbitrary: right[type.name] },
      {
        weight: 1,
        arbitrary: fc.oneof(
          anyToken,
          number,
          fc.constantFrom(...times).map(text => JSON.stringify(text)),
        ),
      },
      { weight: type.nullable ? 2 : 0, arbitrary: fc.constant('null') },
    );
    const member = fc.tuple(keyToken(name), value);
    return fc.oneof(
      { weight: oneIn * 3, arbitrary: member.map(one => [one]) },
      { weight: 1, arbitrary: fc.array(member, { minLength: 2, maxLength: 3 }) },
      { weight: type.nullable ? 2 : 0, arbitrary: fc.constant([]) },
    );
  });
  const unwanted = fc.array(
    fc.tuple(fc.oneof(stringToken, fc.constantFrom('"__proto__"', '"x"', '"x_in"', '"x_intx"', '""')), anyToken),
    { maxLength: 4 },
  );
  return fc
    .tuple(fc.tuple(...members), unwanted, fc.infiniteStream(space), fc.infiniteStream(fc.nat()))
    .map(([wanted, others, spaces, dice]) => {
      const s = (): string => spaces.next().value ?? '';
      const all = [...wanted.flat(), ...others]
        .map(member => ({ member, order: dice.next().value ?? 0 }))
        .sort((a, b) => ((dice.next().value ?? 0) % 4 === 0 ? a.order - b.order : 0));
      const text = all.map(({ member: [key, value] }) => `${s()}${key}${s()}:${s()}${value}${s()}`).join(',');
      return `${s()}{${text}${s()}}${s()}`;
    });
}
