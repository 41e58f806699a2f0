import { unreachable } from '../base/errors.ts';
import { canCast, type TextTarget } from './casts.ts';
import type { Cast } from './expression.ts';
import type { Emitted } from './generate.ts';
import { emitSafeCheck } from './generate-number.ts';
import { emitWritten } from './generate-text.ts';
import { declare, type Generation, textVariables, toBigint } from './generation.ts';
import { castText, doubleToBigint, doubleToInt, doubleToNarrow } from './runtime.ts';

export function emitCast(generation: Generation, cast: Cast): Emitted {
  const operand = generation.emit(cast.operand);
  const { value, isNull } = operand;
  const from = cast.operand.type.name;
  const to = cast.type.name;
  if (from === to) return operand;
  if (!canCast(from, to)) return unreachable(to as never);
  if (from === 'STRING') return emitParse(generation, operand, to as TextTarget);
  if (to === 'STRING') return emitPrint(generation, operand, from);
  const { writer, width } = generation;
  const wide = width === 'wide';
  const simple = (code: string): Emitted => ({ value: declare(writer, 'const', code), isNull });
  switch (`${from}>${to}`) {
    case 'INT>BIGINT':
      return wide ? simple(toBigint(value, isNull)) : operand;
    case 'INT>DOUBLE':
      return operand;
    case 'INT>BOOLEAN':
      return simple(`${value} !== 0`);
    case 'BIGINT>INT':
      return simple(wide ? `Number(BigInt.asIntN(32, ${value}))` : `${value} | 0`);
    case 'BIGINT>DOUBLE':
      return wide ? simple(`Number(${value})`) : operand;
    case 'BIGINT>BOOLEAN':
      return simple(`${value} !== ${wide ? '0n' : '0'}`);
    case 'DOUBLE>INT':
      return simple(`${writer.constant(doubleToInt)}(${value})`);
    case 'DOUBLE>BIGINT': {
      if (wide) return simple(`${writer.constant(doubleToBigint)}(${value})`);
      const narrow = simple(`${writer.constant(doubleToNarrow)}(${value})`);
      emitSafeCheck(generation, narrow.value, isNull);
      return narrow;
    }
    case 'BOOLEAN>INT':
    case 'BOOLEAN>DOUBLE':
      return simple(`${value} ? 1 : 0`);
    case 'BOOLEAN>BIGINT':
      return simple(wide ? `${value} ? 1n : 0n` : `${value} ? 1 : 0`);
    default:
      return unreachable(to as never);
  }
}

/** Text of a value, written into the heap. */
function emitPrint(generation: Generation, { value, isNull }: Emitted, from: string): Emitted {
  const print = { BOOLEAN: 'boolean', INT: 'integer', BIGINT: 'integer', DOUBLE: 'double', TIMESTAMP: 'timestamp' }[
    from
  ];
  return emitWritten(generation, isNull, heap => generation.writer.line(`${heap}.${print}(${value});`));
}

/** A value from text: what is no such value fails the job, so NULL rows are left out. */
function emitParse(generation: Generation, { value, isNull }: Emitted, to: TextTarget): Emitted {
  const { writer, width } = generation;
  const wide = to === 'BIGINT' && width === 'wide';
  const code = `${writer.constant(castText[to === 'BIGINT' && !wide ? 'NARROW' : to])}(${textVariables(value).join(', ')})`;
  const none = to === 'BOOLEAN' ? 'false' : wide ? '0n' : '0';
  const parsed = declare(writer, 'const', isNull === 'false' ? code : `${isNull} ? ${none} : ${code}`);
  if (to === 'BIGINT' && !wide) emitSafeCheck(generation, parsed, isNull);
  return { value: parsed, isNull };
}
