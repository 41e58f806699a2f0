import { unreachable } from '../base/errors.ts';
import type { Call, Expression } from './expression.ts';
import type { Emitted } from './generate.ts';
import { emitArithmetic, emitExtreme, emitSigned } from './generate-number.ts';
import { emitText, emitTextComparison } from './generate-text.ts';
import { anyNull, assign, declare, declareMutable, type Generation, toBigint } from './generation.ts';
import { dayOfWeek, floorTo, hourOf, isFloorUnit } from './time.ts';

/** Emits a call: one case for each function of the closed list, so that a name never becomes code. */
export function emitFunction(generation: Generation, call: Call): Emitted {
  const [first, second] = call.args as readonly [Expression, Expression];
  switch (call.fn) {
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
      return emitArithmetic(generation, call, call.fn);
    case 'negate':
    case 'abs':
      return emitSigned(generation, call, call.fn);
    case '=':
      return emitComparison(generation, first, second, '===');
    case '<>':
      return emitComparison(generation, first, second, '!==');
    case '<':
    case '<=':
    case '>':
    case '>=':
      return emitComparison(generation, first, second, call.fn);
    case 'and':
      return emitConnective(generation, call.args, true);
    case 'or':
      return emitConnective(generation, call.args, false);
    case 'not': {
      const operand = generation.emit(first);
      return { value: declare(generation.writer, 'const', `!${operand.value}`), isNull: operand.isNull };
    }
    case 'isNull':
      return { value: generation.emit(first).isNull, isNull: 'false' };
    case 'isNotNull': {
      const { isNull } = generation.emit(first);
      return {
        value: isNull === 'false' ? 'true' : declare(generation.writer, 'const', `!${isNull}`),
        isNull: 'false',
      };
    }
    case 'coalesce':
      return emitCoalesce(generation, call);
    case 'least':
    case 'greatest':
      return emitExtreme(generation, call, call.fn);
    case 'lower':
    case 'upper':
    case 'charLength':
    case 'concat':
    case 'substring':
    case 'startsWith':
      return emitText(generation, call, call.fn);
    case 'hour':
    case 'dayOfWeek':
      return emitDatePart(generation, first, call.fn === 'hour' ? hourOf : dayOfWeek);
    case 'plusMs': {
      const time = generation.emit(first);
      const ms = generation.emit(second);
      return { value: declare(generation.writer, 'const', `${time.value} + ${ms.value}`), isNull: time.isNull };
    }
    case 'floorTo':
      return emitFloor(generation, first, second);
    default:
      return unreachable(call.fn);
  }
}

function emitComparison(generation: Generation, left: Expression, right: Expression, operator: string): Emitted {
  const a = generation.emit(left);
  const b = generation.emit(right);
  const isNull = anyNull(generation, [a, b]);
  if (left.type.name === 'STRING') return emitTextComparison(generation, a, b, isNull, operator);
  return { value: declare(generation.writer, 'const', `${a.value} ${operator} ${b.value}`), isNull };
}

/**
 * AND (`unit` true) and OR (`unit` false) in three-valued logic, from left to right: an operand is evaluated only while
 * none before it has decided. `value` is the unit while undecided; then the result is NULL if a NULL was among them.
 */
function emitConnective(generation: Generation, operands: readonly Expression[], unit: boolean): Emitted {
  const { writer } = generation;
  const value = declare(writer, 'let', `${unit}`);
  const undecided = unit ? value : `!${value}`;
  const nullable = operands.some(operand => operand.type.nullable);
  const sawNull = nullable ? declare(writer, 'let', 'false') : 'false';
  operands.forEach((operand, i) => {
    if (i > 0) writer.line(`if (${undecided}) {`);
    const emitted = generation.emit(operand);
    if (emitted.isNull === 'false') writer.line(`${value} = ${emitted.value};`);
    else if (emitted.isNull === 'true') writer.line(`${sawNull} = true;`);
    else writer.line(`if (${emitted.isNull}) ${sawNull} = true; else ${value} = ${emitted.value};`);
    if (i > 0) writer.line('}');
  });
  return { value, isNull: nullable ? declare(writer, 'const', `${undecided} && ${sawNull}`) : 'false' };
}

/** The first operand that is not NULL; those behind it are not evaluated. */
function emitCoalesce(generation: Generation, call: Call): Emitted {
  const { writer } = generation;
  const value = declareMutable(generation, call.type);
  const isNull = declare(writer, 'let', 'true');
  call.args.forEach((operand, i) => {
    if (i > 0) writer.line(`if (${isNull}) {`);
    const emitted = generation.emit(operand);
    assign(generation, call.type, value, emitted.value);
    writer.line(`${isNull} = ${emitted.isNull};`);
    if (i > 0) writer.line('}');
  });
  return { value, isNull: call.type.nullable ? isNull : 'false' };
}

function emitDatePart(generation: Generation, time: Expression, part: (time: number) => number): Emitted {
  const { writer, width } = generation;
  const operand = generation.emit(time);
  const number = `${writer.constant(part)}(${operand.value})`;
  const isNull = operand.isNull;
  return { value: declare(writer, 'const', width === 'wide' ? toBigint(number, isNull) : number), isNull };
}

function emitFloor(generation: Generation, time: Expression, unit: Expression): Emitted {
  const { writer } = generation;
  const operand = generation.emit(time);
  const name = unit.kind === 'literal' ? unit.value : undefined;
  const floor = floorTo[isFloorUnit(name) ? name : unreachable(name as never)];
  return { value: declare(writer, 'const', `${writer.constant(floor)}(${operand.value})`), isNull: operand.isNull };
}
