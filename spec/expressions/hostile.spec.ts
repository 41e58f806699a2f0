import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { dataType, type TypeName } from '../../lib/data/data-type.ts';
import { schemaOf } from '../../lib/data/schema.ts';
import { call, column, literal } from '../../lib/expressions/build.ts';
import type { Expression } from '../../lib/expressions/expression.ts';
import { everyType, expressionOf } from '../support/arbitrary-expression.ts';
import { type GeneratedCode, generateCode } from '../support/evaluate-expression.ts';
import { suite } from '../support/suite.ts';

const spec = suite('nothing of a user is in generated code');
const seed = Number(process.env['BRAID_SEED'] ?? Date.now() % 2 ** 31);

/** Every word that generated code may have; everything else is a variable or a number. */
const words = new Set(
  (
    'const let if else break return undefined true false NaN Infinity ' +
    'Math trunc abs imul Number BigInt asIntN ' +
    'begin append lower upper slice boolean integer double timestamp bytes start end'
  ).split(' '),
);
const token = /[A-Za-z_$][\w$]*|\d+(?:\.\d+)?(?:e[+-]\d+)?n?|===|!==|<=|>=|&&|\|\||[-+*/%<>!?:;,.(){}[\]=|]|\s+/y;

/** Splits code into tokens of the white list, all of it; there are no quotes, comments or escapes among them. */
function checkTokens(code: string): void {
  let at = 0;
  let previous = '';
  while (at < code.length) {
    token.lastIndex = at;
    const match = token.exec(code);
    assert.ok(match !== null, `unexpected text in generated code: ${code.slice(at, at + 40)}`);
    const [found] = match;
    if (/^[A-Za-z_$]/.test(found))
      assert.ok(
        words.has(found) || /^(?:[vk]\d+|[cn]\d+|[cv]\d+[bse])$/.test(found),
        `unexpected word ${found} in ${code}`,
      );
    assert.ok(!(previous === '/' && (found === '/' || found === '*')), 'a comment');
    previous = found;
    at += found.length;
  }
  assert.type(new Function(code), 'function');
}

function bothWidths(expression: Expression, schema = everyType): GeneratedCode[] {
  return [generateCode(expression, schema, 'narrow'), generateCode(expression, schema, 'wide')];
}

const attacks = [
  "'); process.exit(1); //",
  '`${process.exit(1)}`',
  '"];return globalThis//',
  '*/ while (true); /*',
  '\u2028process.exit(1)\u2029',
  '</script><script>',
  'process',
  '__proto__',
  'constructor',
  'k0',
  '\\x27\\u0027',
  '\0',
];
const hostile = fc.oneof(
  fc.constantFrom(...attacks),
  fc.string({ unit: 'binary' }),
  fc.string().map(text => `${text}process`),
);

spec(`texts come in as hoisted bytes (BRAID_SEED=${seed})`, () => {
  fc.assert(
    fc.property(hostile, hostile, (first, second) => {
      const x = column(everyType, 'x_string');
      const trees = [
        literal(first),
        call('=', [x, literal(first)]),
        call('concat', [literal(first), x, literal(second)]),
        call('coalesce', [column(everyType, 'y_string'), literal(first)]),
        call('least', [literal(first), literal(second)]),
      ];
      for (const tree of trees) {
        for (const { code, constants } of bothWidths(tree)) {
          checkTokens(code);
          const bytes = new TextEncoder().encode(first);
          assert.ok(
            constants.some(constant => constant instanceof Uint8Array && Buffer.compare(constant, bytes) === 0),
          );
          assert.not.ok(constants.includes(first), 'a text is hoisted as bytes, never as a string');
        }
      }
    }),
    { seed, numRuns: 200 },
  );
});

spec(`names of columns are not in it (BRAID_SEED=${seed})`, () => {
  fc.assert(
    fc.property(hostile, name => {
      fc.pre(name !== '');
      const schema = schemaOf([{ name, type: dataType('BIGINT', true) }]);
      const tree = call('>', [call('*', [column(schema, name), literal(2)]), literal(100)]);
      for (const { code } of bothWidths(tree, schema)) checkTokens(code);
    }),
    { seed, numRuns: 200 },
  );
});

spec(`random trees give only words of the white list (BRAID_SEED=${seed})`, () => {
  fc.assert(
    fc.property(
      fc
        .constantFrom<TypeName>('BOOLEAN', 'BIGINT', 'DOUBLE', 'STRING', 'TIMESTAMP')
        .chain(name => expressionOf(name, 3)),
      tree => {
        for (const { code } of bothWidths(tree)) checkTokens(code);
      },
    ),
    { seed, numRuns: 500 },
  );
});

spec('numbers are printed from their value, whatever that is', () => {
  const numbers = [0, -0, -1, 1e21, -1e-7, 5e-324, Number.NaN, Infinity, -Infinity, 2 ** 53];
  for (const value of numbers) {
    const [{ code }] = bothWidths(literal(value, 'DOUBLE')) as [GeneratedCode];
    checkTokens(code);
    const [, printed] = new Function(code)() as [boolean, number];
    assert.ok(Object.is(printed, value), `${value} became ${printed}`);
  }
  const [, wide] = bothWidths(literal(-(2n ** 63n))) as [GeneratedCode, GeneratedCode];
  assert.equal(new Function(wide.code)(), [false, -(2n ** 63n)]);
});

spec('a tree that was forged, and not built, gives an error or harmless code, but no text of its own', () => {
  const evil = 'process.exit(1)';
  const int = dataType('INT', false);
  const forged: unknown[] = [
    { kind: 'literal', value: evil, type: int },
    { kind: 'literal', value: evil, type: dataType('BIGINT', false) },
    { kind: 'literal', value: { toString: () => evil }, type: dataType('DOUBLE', false) },
    { kind: 'literal', value: evil, type: dataType('BOOLEAN', false) },
    { kind: 'literal', value: 1, type: { name: evil, nullable: false } },
    { kind: 'call', fn: evil, args: [literal(1), literal(2)], type: int },
    { kind: 'call', fn: '__proto__', args: [literal(1), literal(2)], type: int },
    { kind: 'call', fn: 'floorTo', args: [literal(1, 'TIMESTAMP'), literal(evil)], type: dataType('TIMESTAMP', false) },
    {
      kind: 'call',
      fn: 'floorTo',
      args: [literal(1, 'TIMESTAMP'), literal('__proto__')],
      type: dataType('TIMESTAMP', false),
    },
    { kind: 'cast', operand: literal(1), type: { name: evil, nullable: false } },
    { kind: 'cast', operand: { kind: 'literal', value: 1, type: { name: '__proto__', nullable: false } }, type: int },
    { kind: evil, type: int },
  ];
  let refused = 0;
  for (const tree of forged) {
    let generated: GeneratedCode[] = [];
    try {
      generated = bothWidths(tree as Expression);
    } catch {
      refused++;
    }
    for (const { code } of generated) checkTokens(code);
  }
  assert.ok(refused >= 8, `${refused} of ${forged.length} were refused`);
});

spec('a forged tree without end is refused, and does not exhaust the stack', () => {
  let deep: Expression = literal(1);
  for (let i = 0; i < 100_000; i++) deep = { kind: 'call', fn: 'negate', args: [deep], type: deep.type };
  assert.throws(() => bothWidths(deep), /too large or too deep/);
  let wide: Expression = literal(1);
  for (let i = 0; i < 40; i++) wide = { kind: 'call', fn: '+', args: [wide, wide], type: wide.type };
  assert.throws(() => bothWidths(wide), /too large or too deep/);
  assert.throws(() => call('+', [deep, literal(1)]), /too large/);
  assert.throws(() => call('+', [wide, literal(1)]), /too large/);
});

spec.run();
