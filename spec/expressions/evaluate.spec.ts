import * as assert from 'uvu/assert';
import { BraidError } from '../../lib/base/errors.ts';
import { formatType, type TypeName, type Value } from '../../lib/data/data-type.ts';
import { call, caseWhen, cast, literal } from '../../lib/expressions/build.ts';
import type { Expression, FunctionName } from '../../lib/expressions/expression.ts';
import { formatExpression } from '../../lib/expressions/format.ts';
import { interpret } from '../../lib/expressions/interpret.ts';
import { branch, everyType } from '../support/arbitrary-expression.ts';
import { evaluator, type Outcome } from '../support/evaluate-expression.ts';
import { suite } from '../support/suite.ts';

const spec = suite('evaluating expressions as Flink does');

const int = (value: number | null): Expression => literal(value, 'INT');
const big = (value: bigint | null): Expression => literal(value, 'BIGINT');
const double = (value: number | null): Expression => literal(value, 'DOUBLE');
const text = (value: string | null): Expression => literal(value, 'STRING');
const truth = (value: boolean | null): Expression => literal(value, 'BOOLEAN');
const time = (value: string): Expression => literal(Date.parse(`${value}Z`), 'TIMESTAMP');
const of = (fn: FunctionName, ...args: Expression[]): Expression => call(fn, args);

/** Interpreter, wide and narrow code agree (unless narrow code has to give up), and this is what they say. */
function evaluate(expression: Expression): Outcome {
  const { interpreted, wide, narrow } = evaluator(expression, everyType)(everyType.fields.map(() => null));
  assert.equal(wide, interpreted, 'wide code');
  if (narrow !== 'bailed' && narrow !== 'unfit') assert.equal(narrow, interpreted, 'narrow code');
  return interpreted;
}

type Rule = readonly [Expression, Value | 'fails'];

function rules(title: string, table: readonly Rule[]): void {
  spec(title, () => {
    for (const [expression, wanted] of table) {
      const outcome = evaluate(expression);
      const shown = formatExpression(expression, everyType);
      if (wanted === 'fails') assert.equal(outcome, { error: 'ROW_INVALID' }, shown);
      else {
        assert.ok('value' in outcome, shown);
        assert.ok(Object.is(outcome.value, wanted), `${shown} is ${String(outcome.value)}, not ${String(wanted)}`);
      }
    }
  });
}

const intMin = -2147483648;
const intMax = 2147483647;
const bigMin = -(2n ** 63n);
const bigMax = 2n ** 63n - 1n;

rules('integers wrap', [
  [of('+', int(intMax), int(1)), intMin],
  [of('-', int(intMin), int(1)), intMax],
  [of('*', int(intMin), int(intMin)), 0],
  [of('*', int(50000), int(50000)), -1794967296],
  [of('negate', int(intMin)), intMin],
  [of('abs', int(intMin)), intMin],
  [of('/', int(intMin), int(-1)), intMin],
  [of('+', big(bigMax), int(1)), bigMin],
  [of('-', big(bigMin), int(1)), bigMax],
  [of('*', big(bigMin), int(2)), 0n],
  [of('*', big(4611686018427387904n), int(2)), bigMin],
  [of('negate', big(bigMin)), bigMin],
  [of('abs', big(bigMin)), bigMin],
  [of('/', big(bigMin), int(-1)), bigMin],
  [of('*', cast(int(intMin), 'BIGINT'), int(intMin)), 4611686018427387904n],
]);

rules('BIGINT is exact across the border of the safe integers', [
  [of('+', big(9007199254740991n), int(1)), 9007199254740992n],
  [of('+', big(9007199254740991n), int(2)), 9007199254740993n],
  [of('-', big(-9007199254740991n), int(2)), -9007199254740993n],
  [of('*', big(94906267n), big(94906267n)), 9007199515875289n],
  [of('-', of('+', big(9007199254740991n), int(2)), int(2)), 9007199254740991n],
  [of('=', big(9007199254740993n), big(9007199254740992n)), false],
  [of('/', big(9007199254740991n), big(9007199254740990n)), 1n],
  [of('/', big(9007199254740990n), big(9007199254740991n)), 0n],
  [of('%', big(9007199254740991n), big(2n)), 1n],
]);

rules('integer division truncates towards zero, and a remainder has the sign of the dividend', [
  [of('/', int(-7), int(2)), -3],
  [of('/', int(7), int(-2)), -3],
  [of('/', int(-1), int(2)), 0],
  [of('%', int(-7), int(2)), -1],
  [of('%', int(7), int(-2)), 1],
  [of('%', int(-4), int(2)), 0],
  [of('/', big(bigMin), big(1000000007n)), -9223371972n],
  [of('%', big(bigMin), int(1000)), -808],
  [of('%', big(bigMax), int(1000)), 807],
  [of('%', int(-7), big(2n)), -1n],
  [of('%', big(-7n), big(7n)), 0n],
  [of('/', big(-1n), big(2n)), 0n],
]);

rules('integers divided by zero fail, doubles do not, and NULL comes first', [
  [of('/', int(10), int(0)), 'fails'],
  [of('%', int(10), int(0)), 'fails'],
  [of('/', big(10n), big(0n)), 'fails'],
  [of('%', big(10n), int(0)), 'fails'],
  [of('/', int(null), int(0)), null],
  [of('/', int(0), int(null)), null],
  [of('/', big(null), big(0n)), null],
  [of('/', double(1), int(0)), Infinity],
  [of('/', double(-1), int(0)), -Infinity],
  [of('/', double(0), int(0)), Number.NaN],
]);

rules('doubles follow IEEE 754, and LEAST and GREATEST the order of Java', [
  [of('+', double(0.1), double(0.2)), 0.30000000000000004],
  [of('=', double(Number.NaN), double(Number.NaN)), false],
  [of('<>', double(Number.NaN), double(Number.NaN)), true],
  [of('<', double(Number.NaN), double(1)), false],
  [of('=', double(-0), double(0)), true],
  [of('negate', double(0)), -0],
  [of('abs', double(-0)), 0],
  [of('greatest', double(Number.NaN), double(Infinity)), Number.NaN],
  [of('least', double(Number.NaN), double(Infinity)), Infinity],
  [of('least', double(0), double(-0)), -0],
  [of('greatest', double(-0), double(0)), 0],
  [of('=', big(9007199254740993n), double(9007199254740992)), true],
]);

rules('logic has three values', [
  [of('and', truth(false), truth(null)), false],
  [of('and', truth(null), truth(false)), false],
  [of('and', truth(true), truth(null)), null],
  [of('and', truth(null), truth(null)), null],
  [of('and', truth(null), truth(true), truth(false)), false],
  [of('or', truth(true), truth(null)), true],
  [of('or', truth(null), truth(true)), true],
  [of('or', truth(false), truth(null)), null],
  [of('or', truth(false), truth(false)), false],
  [of('not', truth(null)), null],
  [of('not', truth(false)), true],
  [of('=', int(null), int(null)), null],
  [of('isNull', int(null)), true],
  [of('isNotNull', int(0)), true],
  [of('<', truth(false), truth(true)), true],
]);

rules('what is not needed is not evaluated', [
  [of('and', truth(false), of('=', of('/', int(1), int(0)), int(1))), false],
  [of('or', truth(true), of('=', of('/', int(1), int(0)), int(1))), true],
  [of('and', truth(null), of('=', of('/', int(1), int(0)), int(1))), 'fails'],
  [of('coalesce', int(5), of('/', int(1), int(0))), 5],
  [of('coalesce', int(null), of('/', int(1), int(0))), 'fails'],
  [caseWhen([branch(truth(false), of('/', int(1), int(0)))], int(2)), 2],
  [caseWhen([branch(truth(true), int(1))], of('/', int(1), int(0))), 1],
  [caseWhen([branch(truth(null), of('/', int(1), int(0)))], int(2)), 2],
  [caseWhen([branch(truth(true), int(1)), branch(of('=', of('/', int(1), int(0)), int(1)), int(3))]), 1],
  [caseWhen([branch(truth(false), int(1))]), null],
  [of('+', int(null), of('/', int(1), int(0))), 'fails'],
]);

rules('COALESCE takes the first, LEAST and GREATEST are NULL if any argument is', [
  [of('coalesce', int(null), int(null), int(-99)), -99],
  [of('coalesce', int(null), big(3n)), 3n],
  [of('greatest', int(1), int(null), int(3)), null],
  [of('greatest', int(1), big(4n), int(3)), 4n],
  [of('least', text('b'), text('a'), text('c')), 'a'],
]);

rules('texts compare by their bytes', [
  [of('<', text('a'), text('b')), true],
  [of('<', text('a'), text('')), false],
  [of('=', text('a'), text('a ')), false],
  [of('<', text('Z'), text('a')), true],
  // In UTF-16 a surrogate sorts before U+FFFF, in bytes and code points behind it.
  [of('<', text('\uffff'), text('👍')), true],
  [of('greatest', text('\uffff'), text('👍')), '👍'],
  [of('>=', text('ab'), text('abc')), false],
]);

rules('texts are counted and cut by code points', [
  [of('charLength', text('👍🏽 ok')), 5],
  [of('charLength', text('')), 0],
  [of('substring', text('👍🏽 ok'), int(2)), '🏽 ok'],
  [of('substring', text('naïve'), int(2), int(3)), 'aïv'],
  [of('substring', text('hello'), int(-3)), 'llo'],
  [of('substring', text('日本'), int(-3)), ''],
  [of('substring', text('hello'), int(0), int(2)), 'he'],
  [of('substring', text('hello'), int(9)), ''],
  [of('substring', text('hello'), int(1), int(0)), ''],
  [of('substring', text('hello'), int(1), int(-1)), null],
  [of('upper', text('straße')), 'STRASSE'],
  [of('upper', text('ﬁne')), 'FINE'],
  [of('lower', text('ÅNGSTRÖM')), 'ångström'],
  [of('upper', text('k1=v1')), 'K1=V1'],
  [of('concat', text('a'), text('日'), text('')), 'a日'],
  [of('concat', text('a'), text(null)), null],
  [of('startsWith', text('日本'), text('日')), true],
  [of('startsWith', text('日'), text('日本')), false],
  [of('startsWith', text('x'), text('')), true],
]);

rules('times: hours, days of the week (1 is Sunday), rounding down', [
  [of('hour', time('2026-06-21T23:50:58.827')), 23n],
  [of('hour', time('1969-12-31T23:59:59.999')), 23n],
  [of('dayOfWeek', time('1970-01-01T00:00:00')), 5n],
  [of('dayOfWeek', time('2026-06-21T23:50:58')), 1n],
  [of('dayOfWeek', time('2025-12-27T20:58:26')), 7n],
  [of('floorTo', time('2026-06-21T23:50:58.827'), text('SECOND')), Date.UTC(2026, 5, 21, 23, 50, 58)],
  [of('floorTo', time('2026-06-21T23:50:58.827'), text('MINUTE')), Date.UTC(2026, 5, 21, 23, 50)],
  [of('floorTo', time('2026-06-21T23:50:58.827'), text('HOUR')), Date.UTC(2026, 5, 21, 23)],
  [of('floorTo', time('2026-06-21T23:50:58.827'), text('DAY')), Date.UTC(2026, 5, 21)],
  [of('floorTo', time('2025-12-27T20:58:26'), text('WEEK')), Date.UTC(2025, 11, 21)],
  [of('floorTo', time('2024-02-29T12:34:56'), text('MONTH')), Date.UTC(2024, 1, 1)],
  [of('floorTo', time('2025-06-05T17:25:37'), text('QUARTER')), Date.UTC(2025, 3, 1)],
  [of('floorTo', time('1969-12-31T23:59:59.999'), text('YEAR')), Date.UTC(1969, 0, 1)],
]);

rules('casts among numbers wrap, saturate and cut', [
  [cast(big(bigMin), 'INT'), 0],
  [cast(big(9007199254740993n), 'INT'), 1],
  [cast(big(-679856735488642741n), 'INT'), -1358237365],
  [cast(double(2.5), 'INT'), 2],
  [cast(double(-2.5), 'INT'), -2],
  [cast(double(-0.5), 'INT'), 0],
  [cast(double(1e21), 'INT'), intMax],
  [cast(double(-Infinity), 'INT'), intMin],
  [cast(double(Number.NaN), 'INT'), 0],
  [cast(double(1e21), 'BIGINT'), bigMax],
  [cast(double(-1e21), 'BIGINT'), bigMin],
  [cast(double(Number.NaN), 'BIGINT'), 0n],
  [cast(double(-0.1), 'BIGINT'), 0n],
  [cast(double(2 ** 53), 'BIGINT'), 9007199254740992n],
  [cast(big(9007199254740993n), 'DOUBLE'), 9007199254740992],
  [cast(cast(of('*', big(0n), big(-5n)), 'DOUBLE'), 'STRING'), '0.0'],
  [cast(cast(of('%', int(-4), int(2)), 'DOUBLE'), 'STRING'), '0.0'],
  [cast(truth(true), 'INT'), 1],
  [cast(truth(false), 'DOUBLE'), 0],
  [cast(int(-3), 'BOOLEAN'), true],
  [cast(big(0n), 'BOOLEAN'), false],
]);

rules('casts to STRING look as in Flink', [
  [cast(truth(true), 'STRING'), 'TRUE'],
  [cast(big(bigMin), 'STRING'), '-9223372036854775808'],
  [cast(double(1), 'STRING'), '1.0'],
  [cast(double(-0), 'STRING'), '-0.0'],
  [cast(double(1e21), 'STRING'), '1.0E21'],
  [cast(double(1e7), 'STRING'), '1.0E7'],
  [cast(double(9999999.5), 'STRING'), '9999999.5'],
  [cast(double(0.001), 'STRING'), '0.001'],
  [cast(double(1e-7), 'STRING'), '1.0E-7'],
  [cast(double(123456789.125), 'STRING'), '1.23456789125E8'],
  [cast(double(5e-324), 'STRING'), '5.0E-324'],
  [cast(double(-Infinity), 'STRING'), '-Infinity'],
  [cast(double(Number.NaN), 'STRING'), 'NaN'],
  [cast(time('2024-02-29T12:34:56.789'), 'STRING'), '2024-02-29 12:34:56.789'],
  [cast(time('1970-01-01T00:00:00'), 'STRING'), '1970-01-01 00:00:00.000'],
  [cast(int(null), 'STRING'), null],
]);

rules('casts from STRING read what Flink reads, and fail the row else', [
  [cast(text(' 12 '), 'INT'), 12],
  [cast(text('12.5'), 'INT'), 12],
  [cast(text('-7'), 'BIGINT'), -7n],
  [cast(text('9007199254740993'), 'BIGINT'), 9007199254740993n],
  [cast(text('2147483648'), 'INT'), 'fails'],
  [cast(text('1e3'), 'INT'), 'fails'],
  [cast(text('0x1F'), 'INT'), 'fails'],
  [cast(text(''), 'INT'), 'fails'],
  [cast(text('hello world'), 'INT'), 'fails'],
  [cast(text('1e3'), 'DOUBLE'), 1000],
  [cast(text(' 12 '), 'DOUBLE'), 12],
  [cast(text('-Infinity'), 'DOUBLE'), -Infinity],
  [cast(text('NaN'), 'DOUBLE'), Number.NaN],
  [cast(text('0x1F'), 'DOUBLE'), 'fails'],
  [cast(text('Infinit'), 'DOUBLE'), 'fails'],
  [cast(text('TRUE'), 'BOOLEAN'), true],
  [cast(text('no'), 'BOOLEAN'), false],
  [cast(text('maybe'), 'BOOLEAN'), 'fails'],
  [cast(text('2026-03-01 10:20:30'), 'TIMESTAMP'), Date.UTC(2026, 2, 1, 10, 20, 30)],
  [cast(text('2026-03-01T10:20:30.1239'), 'TIMESTAMP'), Date.UTC(2026, 2, 1, 10, 20, 30, 123)],
  [cast(text('2026-03-01'), 'TIMESTAMP'), Date.UTC(2026, 2, 1)],
  [cast(text('2026-02-30 00:00:00'), 'TIMESTAMP'), 'fails'],
  [cast(text('2026-02-03 24:00:00'), 'TIMESTAMP'), 'fails'],
  [cast(text(null), 'INT'), null],
]);

spec('a text that cannot be cast is shown, but not at full length', () => {
  try {
    interpret(cast(text('x'.repeat(1000)), 'INT'), () => null);
    assert.unreachable();
  } catch (error) {
    assert.ok(error instanceof BraidError && error.place !== undefined);
    assert.match(error.place, /^CAST of "x{64}"$/);
  }
});

spec('each type has a NULL', () => {
  for (const name of ['BOOLEAN', 'INT', 'BIGINT', 'DOUBLE', 'STRING', 'TIMESTAMP'] as readonly TypeName[]) {
    const nothing = literal(null, name);
    assert.equal(evaluate(nothing), { value: null }, formatType(nothing.type));
  }
});

spec.run();
