import { BraidError } from '../base/errors.ts';
import { type DataType, dataType, formatType, type TypeName } from '../data/data-type.ts';
import type { Expression, FunctionName } from './expression.ts';
import { floorUnits, isFloorUnit } from './time.ts';

/**
 * The closed list of functions and operators: how many arguments, of which types, and the type of the result.
 * `resolve` gets the arguments as they were written and says to which types they are to be cast (numbers only ever widen:
 * INT < BIGINT < DOUBLE) and what comes out; what it refuses is TYPE_MISMATCH.
 */
interface FunctionRule {
  /** How it looks in SQL, for errors and explain. */
  readonly sql: string;
  readonly argsMin: number;
  readonly argsMax: number;
  resolve(args: readonly Expression[], sql: string): Resolved;
}
interface Resolved {
  readonly result: DataType;
  /** Type of each argument; one name for all. */
  readonly operands: TypeName | undefined;
}

const argsMaxOfVariadic = 1000;

/** The wider of two types that can be compared or added, or undefined. */
function commonType(a: TypeName, b: TypeName): TypeName | undefined {
  if (a === b) return a;
  const order: readonly TypeName[] = ['INT', 'BIGINT', 'DOUBLE'];
  const wider = Math.max(order.indexOf(a), order.indexOf(b));
  return order.includes(a) && order.includes(b) ? order[wider] : undefined;
}

/** Type that all of them widen to; TYPE_MISMATCH, naming the first that does not. */
export function commonTypeOf(args: readonly Expression[], place: string): TypeName {
  return args.reduce<TypeName>((common, argument, i) => {
    const wider = commonType(common, argument.type.name);
    if (wider === undefined)
      throw new BraidError('TYPE_MISMATCH', `${common} and ${argument.type.name} do not go together`, {
        place: `argument ${i + 1} of ${place}`,
        hint: `cast one of them: CAST(... AS ${common})`,
      });
    return wider;
  }, args[0]!.type.name);
}

function anyNullable(args: readonly Expression[]): boolean {
  return args.some(argument => argument.type.nullable);
}

function expect(argument: Expression, names: readonly TypeName[], position: number, sql: string): void {
  if (names.includes(argument.type.name)) return;
  const wanted = names.join(' or ');
  throw new BraidError('TYPE_MISMATCH', `${sql} takes ${wanted}, not ${formatType(argument.type)}`, {
    place: `argument ${position + 1} of ${sql}`,
    hint: hintFor(argument.type.name, names),
  });
}

function hintFor(actual: TypeName, wanted: readonly TypeName[]): string | undefined {
  if (actual === 'TIMESTAMP') return undefined;
  if (actual === 'DOUBLE' && wanted.includes('BIGINT')) return 'cast it: CAST(... AS BIGINT) cuts the fraction off';
  return `cast it: CAST(... AS ${wanted.at(-1)})`;
}

const numbers: readonly TypeName[] = ['INT', 'BIGINT', 'DOUBLE'];

function arithmetic(sql: string): FunctionRule {
  return {
    sql,
    argsMin: 2,
    argsMax: 2,
    resolve(args) {
      for (const [i, argument] of args.entries()) expect(argument, numbers, i, sql);
      const name = commonTypeOf(args, sql);
      return { result: dataType(name, anyNullable(args)), operands: name };
    },
  };
}

/** MOD is for integers alone and has the type of the divisor, which always holds the remainder. As in Flink. */
const modulo: FunctionRule = {
  sql: '%',
  argsMin: 2,
  argsMax: 2,
  resolve(args) {
    for (const [i, argument] of args.entries()) expect(argument, ['INT', 'BIGINT'], i, '%');
    return { result: dataType(args[1]!.type.name, anyNullable(args)), operands: commonTypeOf(args, '%') };
  },
};

function signed(sql: string): FunctionRule {
  return {
    sql,
    argsMin: 1,
    argsMax: 1,
    resolve(args) {
      expect(args[0]!, numbers, 0, sql);
      return { result: args[0]!.type, operands: undefined };
    },
  };
}

function comparison(sql: string): FunctionRule {
  return {
    sql,
    argsMin: 2,
    argsMax: 2,
    resolve: args => ({ result: dataType('BOOLEAN', anyNullable(args)), operands: commonTypeOf(args, sql) }),
  };
}

function logical(sql: string, argsMin: number, argsMax: number): FunctionRule {
  return {
    sql,
    argsMin,
    argsMax,
    resolve(args) {
      for (const [i, argument] of args.entries()) expect(argument, ['BOOLEAN'], i, sql);
      return { result: dataType('BOOLEAN', anyNullable(args)), operands: undefined };
    },
  };
}

function nullTest(sql: string): FunctionRule {
  return {
    sql,
    argsMin: 1,
    argsMax: 1,
    resolve: () => ({ result: dataType('BOOLEAN', false), operands: undefined }),
  };
}

function extreme(sql: string): FunctionRule {
  return {
    sql,
    argsMin: 1,
    argsMax: argsMaxOfVariadic,
    resolve(args) {
      for (const [i, argument] of args.entries()) expect(argument, [...numbers, 'TIMESTAMP', 'STRING'], i, sql);
      const name = commonTypeOf(args, sql);
      return { result: dataType(name, anyNullable(args)), operands: name };
    },
  };
}

/** A function whose arguments have fixed types: `types` for the first ones, the last of it for all that follow. */
function fixed(
  sql: string,
  types: readonly TypeName[],
  argsMin: number,
  argsMax: number,
  result: TypeName,
): FunctionRule {
  return {
    sql,
    argsMin,
    argsMax,
    resolve(args) {
      for (const [i, argument] of args.entries()) expect(argument, [types[i] ?? types.at(-1)!], i, sql);
      return { result: dataType(result, anyNullable(args)), operands: undefined };
    },
  };
}

const substringTypes = fixed('SUBSTRING', ['STRING', 'INT'], 2, 3, 'STRING');

export const functionRules: Readonly<Record<FunctionName, FunctionRule>> = {
  '+': arithmetic('+'),
  '-': arithmetic('-'),
  '*': arithmetic('*'),
  '/': arithmetic('/'),
  '%': modulo,
  negate: signed('-'),
  abs: signed('ABS'),
  '=': comparison('='),
  '<>': comparison('<>'),
  '<': comparison('<'),
  '<=': comparison('<='),
  '>': comparison('>'),
  '>=': comparison('>='),
  and: logical('AND', 2, argsMaxOfVariadic),
  or: logical('OR', 2, argsMaxOfVariadic),
  not: logical('NOT', 1, 1),
  isNull: nullTest('IS NULL'),
  isNotNull: nullTest('IS NOT NULL'),
  coalesce: {
    sql: 'COALESCE',
    argsMin: 1,
    argsMax: argsMaxOfVariadic,
    resolve(args) {
      const name = commonTypeOf(args, 'COALESCE');
      return {
        result: dataType(
          name,
          args.every(argument => argument.type.nullable),
        ),
        operands: name,
      };
    },
  },
  least: extreme('LEAST'),
  greatest: extreme('GREATEST'),
  lower: fixed('LOWER', ['STRING'], 1, 1, 'STRING'),
  upper: fixed('UPPER', ['STRING'], 1, 1, 'STRING'),
  charLength: fixed('CHAR_LENGTH', ['STRING'], 1, 1, 'INT'),
  concat: fixed('CONCAT', ['STRING'], 1, argsMaxOfVariadic, 'STRING'),
  substring: {
    ...substringTypes,
    resolve(args, sql) {
      const { result, operands } = substringTypes.resolve(args, sql);
      const length = args[2];
      // A negative length gives NULL.
      const safe = length === undefined || (length.kind === 'literal' && Number(length.value) >= 0);
      return { result: safe ? result : dataType('STRING', true), operands };
    },
  },
  startsWith: fixed('STARTSWITH', ['STRING'], 2, 2, 'BOOLEAN'),
  hour: fixed('HOUR', ['TIMESTAMP'], 1, 1, 'BIGINT'),
  dayOfWeek: fixed('DAYOFWEEK', ['TIMESTAMP'], 1, 1, 'BIGINT'),
  /** A time that many milliseconds later; they are a constant. DOUBLE, so that every whole number of them has one form. */
  plusMs: {
    ...fixed('TIMESTAMPADD', ['TIMESTAMP', 'DOUBLE'], 2, 2, 'TIMESTAMP'),
    resolve(args, sql) {
      const ms = args[1]!;
      if (ms.kind !== 'literal' || !Number.isSafeInteger(ms.value))
        throw new BraidError('TYPE_MISMATCH', 'a time is moved by a constant whole number of milliseconds', {
          place: `argument 2 of ${sql}`,
        });
      return fixed(sql, ['TIMESTAMP', 'DOUBLE'], 2, 2, 'TIMESTAMP').resolve(args, sql);
    },
  },
  floorTo: {
    sql: 'FLOOR',
    argsMin: 2,
    argsMax: 2,
    resolve(args) {
      expect(args[0]!, ['TIMESTAMP'], 0, 'FLOOR');
      const unit = args[1]!;
      if (unit.kind !== 'literal' || !isFloorUnit(unit.value))
        throw new BraidError('TYPE_MISMATCH', 'FLOOR needs the unit to round down to', {
          place: 'argument 2 of FLOOR',
          hint: `one of ${floorUnits.join(', ')}`,
        });
      return { result: dataType('TIMESTAMP', args[0]!.type.nullable), operands: undefined };
    },
  },
};
