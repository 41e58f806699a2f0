import * as assert from 'uvu/assert';
import { BraidError } from '../../lib/base/errors.ts';
import { dataType, formatType, type TypeName, typeNames, type Value } from '../../lib/data/data-type.ts';
import { schemaOf } from '../../lib/data/schema.ts';
import { call, caseWhen, cast, column, columnAt, literal } from '../../lib/expressions/build.ts';
import type { Expression, FunctionName } from '../../lib/expressions/expression.ts';
import { expressionDepthMax, expressionNodesMax } from '../../lib/expressions/limits.ts';
import { branch, everyType } from '../support/arbitrary-expression.ts';
import { suite } from '../support/suite.ts';

const spec = suite('building expressions');

const of = (name: TypeName, nullable = false): Expression =>
  column(everyType, `${nullable ? 'y' : 'x'}_${name.toLowerCase()}`);

function refusal(build: () => unknown): BraidError {
  try {
    build();
  } catch (error) {
    if (error instanceof BraidError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

/** Result type of a call, or `-` where it is refused. */
function typeOf(fn: FunctionName, ...args: Expression[]): string {
  try {
    return call(fn, args).type.name;
  } catch (error) {
    assert.is((error as BraidError).code, 'TYPE_MISMATCH');
    assert.ok((error as BraidError).place);
    return '-';
  }
}

/** Rows are the left type, columns the right one, both in the order of `typeNames`: BOOLEAN INT BIGINT DOUBLE STRING TIMESTAMP. */
const binaryRules: readonly (readonly [readonly FunctionName[], string])[] = [
  [
    ['+', '-', '*', '/'],
    `-  -       -       -       -  -
     -  INT     BIGINT  DOUBLE  -  -
     -  BIGINT  BIGINT  DOUBLE  -  -
     -  DOUBLE  DOUBLE  DOUBLE  -  -
     -  -       -       -       -  -
     -  -       -       -       -  -`,
  ],
  [
    ['%'],
    `-  -    -       -  -  -
     -  INT  BIGINT  -  -  -
     -  INT  BIGINT  -  -  -
     -  -    -       -  -  -
     -  -    -       -  -  -
     -  -    -       -  -  -`,
  ],
  [
    ['=', '<>', '<', '<=', '>', '>='],
    `BOOLEAN  -        -        -        -        -
     -        BOOLEAN  BOOLEAN  BOOLEAN  -        -
     -        BOOLEAN  BOOLEAN  BOOLEAN  -        -
     -        BOOLEAN  BOOLEAN  BOOLEAN  -        -
     -        -        -        -        BOOLEAN  -
     -        -        -        -        -        BOOLEAN`,
  ],
  [
    ['least', 'greatest'],
    `-  -       -       -       -       -
     -  INT     BIGINT  DOUBLE  -       -
     -  BIGINT  BIGINT  DOUBLE  -       -
     -  DOUBLE  DOUBLE  DOUBLE  -       -
     -  -       -       -       STRING  -
     -  -       -       -       -       TIMESTAMP`,
  ],
  [
    ['coalesce'],
    `BOOLEAN  -       -       -       -       -
     -        INT     BIGINT  DOUBLE  -       -
     -        BIGINT  BIGINT  DOUBLE  -       -
     -        DOUBLE  DOUBLE  DOUBLE  -       -
     -        -       -       -       STRING  -
     -        -       -       -       -       TIMESTAMP`,
  ],
];

for (const [fns, table] of binaryRules) {
  for (const fn of fns) {
    spec(`${fn} of each pair of types has the type that Flink gives it`, () => {
      const wanted = table.split('\n').map(line => line.trim().split(/ +/));
      const actual = typeNames.map(left => typeNames.map(right => typeOf(fn, of(left), of(right))));
      assert.equal(actual, wanted);
    });
  }
}

const unaryRules: readonly (readonly [FunctionName, string])[] = [
  ['negate', '- INT BIGINT DOUBLE - -'],
  ['abs', '- INT BIGINT DOUBLE - -'],
  ['not', 'BOOLEAN - - - - -'],
  ['isNull', 'BOOLEAN BOOLEAN BOOLEAN BOOLEAN BOOLEAN BOOLEAN'],
  ['isNotNull', 'BOOLEAN BOOLEAN BOOLEAN BOOLEAN BOOLEAN BOOLEAN'],
  ['lower', '- - - - STRING -'],
  ['upper', '- - - - STRING -'],
  ['charLength', '- - - - INT -'],
  ['concat', '- - - - STRING -'],
  ['hour', '- - - - - BIGINT'],
  ['dayOfWeek', '- - - - - BIGINT'],
];
for (const [fn, wanted] of unaryRules) {
  spec(`${fn} of each type has the type that Flink gives it`, () => {
    assert.is(typeNames.map(name => typeOf(fn, of(name))).join(' '), wanted);
  });
}

spec('casts are those of Flink', () => {
  const allowed = typeNames.map(from =>
    typeNames.filter(to => {
      try {
        return cast(of(from), to).type.name === to;
      } catch {
        return false;
      }
    }),
  );
  assert.equal(allowed, [
    ['BOOLEAN', 'INT', 'BIGINT', 'DOUBLE', 'STRING'],
    ['BOOLEAN', 'INT', 'BIGINT', 'DOUBLE', 'STRING'],
    ['BOOLEAN', 'INT', 'BIGINT', 'DOUBLE', 'STRING'],
    ['INT', 'BIGINT', 'DOUBLE', 'STRING'],
    ['BOOLEAN', 'INT', 'BIGINT', 'DOUBLE', 'STRING', 'TIMESTAMP'],
    ['STRING', 'TIMESTAMP'],
  ]);
});

const nullability: readonly (readonly [string, Expression, string])[] = [
  ['a sum of NOT NULLs', call('+', [of('INT'), literal(1)]), 'INT NOT NULL'],
  ['a sum with a nullable', call('+', [of('INT', true), literal(1)]), 'INT'],
  ['a comparison with a nullable', call('=', [of('INT', true), literal(1)]), 'BOOLEAN'],
  ['IS NULL', call('isNull', [of('INT', true)]), 'BOOLEAN NOT NULL'],
  ['COALESCE that ends in a constant', call('coalesce', [of('INT', true), literal(-99)]), 'INT NOT NULL'],
  ['COALESCE of nullables', call('coalesce', [of('INT', true), of('BIGINT', true)]), 'BIGINT'],
  ['CASE without ELSE', caseWhen([branch(of('BOOLEAN'), literal('x'))]), 'STRING'],
  ['CASE whose results widen', caseWhen([branch(of('BOOLEAN', true), literal(1))], of('DOUBLE')), 'DOUBLE NOT NULL'],
  ['GREATEST with a nullable', call('greatest', [of('INT'), of('INT', true)]), 'INT'],
  ['a CAST of a nullable', cast(of('INT', true), 'STRING'), 'STRING'],
  ['SUBSTRING to the end', call('substring', [of('STRING'), literal(2)]), 'STRING NOT NULL'],
  ['SUBSTRING of a length that may be negative', call('substring', [of('STRING'), literal(2), of('INT')]), 'STRING'],
  ['a NULL', literal(null, 'TIMESTAMP'), 'TIMESTAMP(3)'],
];
for (const [name, expression, wanted] of nullability) {
  spec(`the type of ${name} is ${wanted}`, () => assert.is(formatType(expression.type), wanted));
}

spec('constants have the type of their value', () => {
  const named = (value: Value): string => formatType(literal(value).type);
  assert.is(named(true), 'BOOLEAN NOT NULL');
  assert.is(named(2147483647), 'INT NOT NULL');
  assert.is(named(2147483648), 'BIGINT NOT NULL');
  assert.is(named(-0), 'INT NOT NULL');
  assert.is(named(5n), 'BIGINT NOT NULL');
  assert.is(named(0.5), 'DOUBLE NOT NULL');
  assert.is(named(Number.NaN), 'DOUBLE NOT NULL');
  assert.is(named('x'), 'STRING NOT NULL');
  assert.ok(Object.is(literal(-0).value, 0), 'an INT is never -0');
  assert.ok(Object.is(literal(-0, 'DOUBLE').value, -0));
  assert.is(literal(5, 'BIGINT').value, 5n);
  assert.is(literal('half of a pair: \ud83d').value, 'half of a pair: \ufffd');
});

spec('constants that are not of their type are refused', () => {
  const wrong: readonly (readonly [Value, TypeName])[] = [
    [2147483648, 'INT'],
    [1.5, 'INT'],
    [2n ** 63n, 'BIGINT'],
    [2 ** 53, 'BIGINT'],
    ['1', 'INT'],
    [1, 'STRING'],
    [1, 'BOOLEAN'],
    [Number.NaN, 'TIMESTAMP'],
    [5n, 'DOUBLE'],
  ];
  for (const [value, name] of wrong)
    assert.is(refusal(() => literal(value, name)).code, 'TYPE_MISMATCH', `${value} ${name}`);
  assert.is(refusal(() => literal(null)).hint, "name it: literal(null, 'INT')");
});

spec('numbers widen where they meet, and constants at once', () => {
  const sum = call('+', [of('INT'), literal(0.5)]);
  assert.ok(sum.kind === 'call' && sum.args[0]!.kind === 'cast' && sum.args[1]!.kind === 'literal');
  const compared = call('=', [of('BIGINT'), literal(1)]);
  assert.ok(compared.kind === 'call' && compared.args[1]!.kind === 'literal' && compared.args[1]!.value === 1n);
});

spec('what is refused says what, where and what to do', () => {
  const sum = refusal(() => call('+', [of('INT'), of('STRING')]));
  assert.is(
    sum.describe(),
    'TYPE_MISMATCH: + takes INT or BIGINT or DOUBLE, not STRING NOT NULL (argument 2 of +)\n  hint: cast it: CAST(... AS DOUBLE)',
  );
  const compared = refusal(() => call('=', [of('INT'), of('STRING')]));
  assert.is(
    compared.describe(),
    'TYPE_MISMATCH: INT and STRING do not go together (argument 2 of =)\n  hint: cast one of them: CAST(... AS INT)',
  );
  assert.is(refusal(() => column(everyType, 'x_itn')).hint, 'did you mean x_int?');
  assert.is(refusal(() => columnAt(everyType, 99)).code, 'COLUMN_UNKNOWN');
  assert.is(refusal(() => call('hour', [of('TIMESTAMP'), literal(1)])).hint, 'it takes 1');
  assert.is(refusal(() => caseWhen([branch(of('INT'), literal(1))])).place, 'WHEN 1 of CASE');
  assert.is(refusal(() => caseWhen([])).code, 'TYPE_MISMATCH');
  assert.match(refusal(() => cast(of('TIMESTAMP'), 'INT')).hint ?? '', 'STRING');
  assert.match(refusal(() => call('floorTo', [of('TIMESTAMP'), literal('FORTNIGHT')])).hint ?? '', 'WEEK');
  assert.match(refusal(() => call('floorTo', [of('TIMESTAMP'), of('STRING')])).hint ?? '', 'WEEK');
});

spec('functions that are not on the list are refused, and do not compile', () => {
  for (const name of ['constructor', '__proto__', 'toString', 'eval'])
    assert.is(refusal(() => call(name as FunctionName, [literal(1)])).code, 'TYPE_MISMATCH', name);
  // @ts-expect-error: a misspelt name is no FunctionName
  assert.is(refusal(() => call('charLengt', [of('STRING')])).hint, 'did you mean charLength?');
  // @ts-expect-error: there is no type of this name
  assert.is(refusal(() => cast(literal(1), 'NUMBER')).code, 'TYPE_MISMATCH');
});

spec('a tree that is too deep or too large is refused, also where its nodes are shared', () => {
  let deep: Expression = literal(1);
  const tooDeep = refusal(() => {
    for (let i = 0; i <= expressionDepthMax; i++) deep = call('negate', [deep]);
  });
  assert.is(tooDeep.code, 'PLAN_INVALID');
  let shared: Expression = literal(1);
  let doublings = 0;
  const tooLarge = refusal(() => {
    for (;;) {
      shared = call('+', [shared, shared]);
      doublings++;
    }
  });
  assert.is(tooLarge.code, 'PLAN_INVALID');
  assert.is(doublings, Math.floor(Math.log2(expressionNodesMax + 1)) - 1);
});

spec('nodes are frozen plain data', () => {
  const tree = caseWhen([branch(call('>', [of('INT'), literal(1)]), cast(of('INT'), 'STRING'))], literal('x'));
  assert.equal(structuredClone(tree), tree);
  const frozen = (value: unknown): boolean =>
    typeof value !== 'object' || value === null || (Object.isFrozen(value) && Object.values(value).every(frozen));
  assert.ok(frozen(tree));
  assert.ok(frozen(column(schemaOf([{ name: 'a', type: dataType('INT', true) }]), 'a')));
});

spec.run();
