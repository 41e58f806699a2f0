import fc from 'fast-check';
import { dataType, type TypeName, typeNames, type Value } from '../../lib/data/data-type.ts';
import { schemaOf } from '../../lib/data/schema.ts';
import { call, caseWhen, cast, column, literal } from '../../lib/expressions/build.ts';
import { castTargets } from '../../lib/expressions/casts.ts';
import type { Expression, FunctionName } from '../../lib/expressions/expression.ts';
import { floorUnits } from '../../lib/expressions/time.ts';

/** Two columns of each type: `x_int` INT NOT NULL, `y_int` INT, and so on. */
export const everyType = schemaOf(
  typeNames.flatMap(name => [
    { name: `x_${name.toLowerCase()}`, type: dataType(name, false) },
    { name: `y_${name.toLowerCase()}`, type: dataType(name, true) },
  ]),
);

const safe = 2n ** 53n;
const int64 = 2n ** 63n;
const texts = [
  '',
  'a',
  'A',
  'ß',
  'İ',
  'Σίσυφος',
  '日本',
  '👍🏽 ok',
  '\uffff',
  '\u{10000}',
  '\ufeffbom',
  'ab',
  ' 12 ',
  '12.5',
  '1e3',
  'true',
  'NaN',
];
/** Halves of surrogate pairs are no text: columns hold UTF-8. */
const text = fc.oneof(fc.constantFrom(...texts), fc.string({ unit: 'grapheme', maxLength: 6 }));

/** Values with an eye for borders. Times keep to what a Date can hold after rounding down to a year. */
const values: Readonly<Record<TypeName, fc.Arbitrary<NonNullable<Value>>>> = {
  BOOLEAN: fc.boolean(),
  INT: fc.oneof(fc.constantFrom(0, 1, -1, 2, 7, -7, 2147483647, -2147483648, 2147483646), fc.integer()),
  BIGINT: fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(0n, 1n, -1n, 3n, safe - 1n, 1n - safe, 2147483648n, -2147483649n) },
    { weight: 3, arbitrary: fc.bigInt({ min: -10_000n, max: 10_000n }) },
    { weight: 1, arbitrary: fc.constantFrom(safe, -safe, safe + 1n, int64 - 1n, -int64) },
    { weight: 1, arbitrary: fc.bigInt({ min: -int64, max: int64 - 1n }) },
  ),
  DOUBLE: fc.oneof(
    fc.constantFrom(
      0,
      -0,
      1,
      -1.5,
      0.1,
      Number.NaN,
      Infinity,
      -Infinity,
      2 ** 53,
      -(2 ** 63),
      2 ** 63,
      5e-324,
      1e21,
      1e7,
      1e-3,
    ),
    fc.double(),
  ),
  STRING: text,
  TIMESTAMP: fc.oneof(
    fc.constantFrom(0, -1, 951782400000, 951868799999, -62135596800000, 253402300799999),
    fc.integer({ min: -8_600_000_000_000_000, max: 8_600_000_000_000_000 }),
    fc.integer({ min: Date.UTC(1900), max: Date.UTC(2100) }),
  ),
};

export const rowOfEveryType: fc.Arbitrary<readonly Value[]> = fc.tuple(
  ...everyType.fields.map(({ type }) =>
    type.nullable
      ? fc.option<Value>(values[type.name], { nil: null, freq: 3 })
      : (values[type.name] as fc.Arbitrary<Value>),
  ),
);

/** One WHEN ... THEN ... of a CASE. */
export function branch(when: Expression, result: Expression): { readonly when: Expression; readonly then: Expression } {
  // biome-ignore lint/suspicious/noThenProperty: SQL's own word; it is never awaited.
  return { when, then: result };
}

const built = new Map<string, fc.Arbitrary<Expression>>();

/** A random tree of a type, through the public builders alone; `depth` levels at most. Built once: it is large. */
export function expressionOf(name: TypeName, depth: number): fc.Arbitrary<Expression> {
  const key = `${name} ${depth}`;
  const known = built.get(key) ?? buildExpressionOf(name, depth);
  built.set(key, known);
  return known;
}

function buildExpressionOf(name: TypeName, depth: number): fc.Arbitrary<Expression> {
  const lower = name.toLowerCase();
  const leaf: fc.Arbitrary<Expression> = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(column(everyType, `x_${lower}`), column(everyType, `y_${lower}`)) },
    { weight: 3, arbitrary: values[name].map(value => literal(value, name)) },
    { weight: 1, arbitrary: fc.constant(literal(null, name)) },
  );
  if (depth <= 0) return leaf;
  const of = (type: TypeName): fc.Arbitrary<Expression> => expressionOf(type, depth - 1);
  const calls = (fns: readonly FunctionName[], ...args: fc.Arbitrary<Expression>[]): fc.Arbitrary<Expression> =>
    fc.tuple(fc.constantFrom(...fns), ...args).map(([fn, ...operands]) => call(fn, operands as Expression[]));
  const several = (fns: readonly FunctionName[], type: TypeName): fc.Arbitrary<Expression> =>
    fc
      .tuple(fc.constantFrom(...fns), fc.array(of(type), { minLength: 2, maxLength: 4 }))
      .map(([fn, operands]) => call(fn, operands));
  const anyType = fc.constantFrom(...typeNames);
  const general: fc.Arbitrary<Expression>[] = [
    leaf,
    several(['coalesce'], name),
    fc
      .tuple(
        fc.array(
          fc.tuple(of('BOOLEAN'), of(name)).map(([when, then]) => branch(when, then)),
          { minLength: 1, maxLength: 3 },
        ),
        fc.option(of(name)),
      )
      .map(([branches, otherwise]) => caseWhen(branches, otherwise ?? undefined)),
    fc
      .constantFrom(...typeNames.filter(from => castTargets(from).includes(name)))
      .chain(from => of(from))
      .map(operand => cast(operand, name)),
  ];
  return fc.oneof(...general, ...special(name, of, calls, several, anyType));
}

function special(
  name: TypeName,
  of: (type: TypeName) => fc.Arbitrary<Expression>,
  calls: (fns: readonly FunctionName[], ...args: fc.Arbitrary<Expression>[]) => fc.Arbitrary<Expression>,
  several: (fns: readonly FunctionName[], type: TypeName) => fc.Arbitrary<Expression>,
  anyType: fc.Arbitrary<TypeName>,
): fc.Arbitrary<Expression>[] {
  const comparisons = ['=', '<>', '<', '<=', '>', '>='] as const;
  const signs = ['negate', 'abs'] as const;
  const extremes = ['least', 'greatest'] as const;
  switch (name) {
    case 'BOOLEAN':
      return [
        several(['and', 'or'], 'BOOLEAN'),
        several(['and', 'or'], 'BOOLEAN'),
        calls(['not'], of('BOOLEAN')),
        anyType.chain(type => calls(comparisons, of(type), of(type))),
        calls(comparisons, of('INT'), of('BIGINT')),
        calls(comparisons, of('BIGINT'), of('DOUBLE')),
        anyType.chain(type => calls(['isNull', 'isNotNull'], of(type))),
        calls(['startsWith'], of('STRING'), of('STRING')),
      ];
    case 'INT':
      return [
        calls(['+', '-', '*', '/', '%'], of('INT'), of('INT')),
        calls(['%'], of('BIGINT'), of('INT')),
        calls(signs, of('INT')),
        several(extremes, 'INT'),
        calls(['charLength'], of('STRING')),
      ];
    case 'BIGINT':
      return [
        calls(['+', '-', '*', '/', '%'], of('BIGINT'), of('BIGINT')),
        calls(['+', '-', '*', '/', '%'], of('BIGINT'), of('BIGINT')),
        calls(['+', '-', '*', '/'], of('BIGINT'), of('INT')),
        calls(['%'], of('INT'), of('BIGINT')),
        calls(signs, of('BIGINT')),
        several(extremes, 'BIGINT'),
        calls(['hour', 'dayOfWeek'], of('TIMESTAMP')),
      ];
    case 'DOUBLE':
      return [
        calls(['+', '-', '*', '/'], of('DOUBLE'), of('DOUBLE')),
        calls(['+', '-', '*', '/'], of('BIGINT'), of('DOUBLE')),
        calls(signs, of('DOUBLE')),
        several(extremes, 'DOUBLE'),
      ];
    case 'STRING':
      return [
        several(['concat'], 'STRING'),
        several(extremes, 'STRING'),
        calls(['lower', 'upper'], of('STRING')),
        calls(['substring'], of('STRING'), of('INT')),
        calls(
          ['substring'],
          of('STRING'),
          fc.integer({ min: -4, max: 4 }).map(n => literal(n)),
          fc.integer({ min: -1, max: 4 }).map(n => literal(n)),
        ),
      ];
    case 'TIMESTAMP':
      return [
        several(extremes, 'TIMESTAMP'),
        calls(
          ['floorTo'],
          of('TIMESTAMP'),
          fc.constantFrom(...floorUnits).map(unit => literal(unit)),
        ),
      ];
  }
}
