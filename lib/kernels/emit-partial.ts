import type { DataType } from '../data/data-type.ts';
import {
  finishHash,
  hashSeed,
  mixBigint,
  mixBytes,
  mixDouble,
  mixInteger,
  mixWord,
  nullWord,
} from '../data/key-hash.ts';
import type { Expression } from '../expressions/expression.ts';
import type { Emitted } from '../expressions/generate.ts';
import { equalText } from '../expressions/runtime.ts';
import { emitAccumulate, emitInitial } from './emit-accumulators.ts';
import { emitStore, type KernelContext, type SharedValues } from './emit-store.ts';
import type { PartialOutput } from './fragment.ts';

/**
 * Emits the adding of a row to its partial: key hash, search, the group's first values where it is new, accumulators.
 * Around it, `windowStart` and `windowed` are the row's window and its hash.
 */
export function emitPartial(context: KernelContext, output: PartialOutput, shared: SharedValues): void {
  const { writer } = context;
  const keys = output.keys.map(key => canonicalKey(context, key, shared.of(key)));
  const firstKey = output.window === undefined ? 0 : 1;
  const firstAccumulator = firstKey + keys.length;
  // Arguments that every row needs, before the search, so that they are shared.
  for (const { argument, filter } of output.accumulators)
    if (argument !== undefined && filter === undefined) shared.of(argument);
  for (const { filter } of output.accumulators) if (filter !== undefined) shared.of(filter);
  writer.line(`let hash = ${hashSeed};`);
  output.keys.forEach((key, i) => {
    emitHash(context, key.type, keys[i]!);
  });
  writer.line(`hash = ${writer.constant(finishHash)}(hash);`);
  const create = (): void => {
    writer.line('hashes[g] = hash;');
    if (output.window !== undefined) writer.line('o0v[g] = windowStart;');
    output.keys.forEach((key, i) => {
      emitStore(context, key.type, firstKey + i, 'g', keys[i]!);
    });
    output.accumulators.forEach((accumulator, i) => {
      emitInitial(context, accumulator, firstAccumulator + i);
    });
  };
  if (output.local) {
    const same = output.keys.map((key, i) => sameKey(context, key.type, firstKey + i, keys[i]!));
    if (output.window !== undefined) same.unshift('o0v[g] === windowStart');
    writer.line(`let at = ${output.window === undefined ? 'hash' : '(hash ^ windowed)'} & mask, g = slots[at];`);
    writer.line(`while (g >= 0 && !(${same.length === 0 ? 'true' : same.join(' && ')})) {`);
    writer.line('at = (at + 1) & mask; g = slots[at];');
    writer.line('}');
    writer.line('if (g < 0) {');
    writer.line('g = n++; slots[at] = g;');
    create();
    writer.line('}');
  } else {
    writer.line('const g = n++;');
    create();
  }
  output.accumulators.forEach((accumulator, i) => {
    emitAccumulate(context, accumulator, firstAccumulator + i, shared);
  });
}

/** DOUBLE keys: -0 is 0. */
function canonicalKey({ writer }: KernelContext, key: Expression, emitted: Emitted): Emitted {
  if (key.type.name !== 'DOUBLE') return emitted;
  const name = writer.fresh();
  writer.line(`const ${name} = ${emitted.value} + 0;`);
  return { value: name, isNull: emitted.isNull };
}

function emitHash({ writer, width }: KernelContext, type: DataType, { value, isNull }: Emitted): void {
  const mix = (): string => {
    switch (type.name) {
      case 'STRING':
        return `${writer.constant(mixBytes)}(hash, ${value}b, ${value}s, ${value}e)`;
      case 'DOUBLE':
        return `${writer.constant(mixDouble)}(hash, ${value})`;
      case 'BOOLEAN':
        return `${writer.constant(mixInteger)}(hash, ${value} ? 1 : 0)`;
      case 'BIGINT':
        return `${writer.constant(width === 'wide' ? mixBigint : mixInteger)}(hash, ${value})`;
      default:
        return `${writer.constant(mixInteger)}(hash, ${value})`;
    }
  };
  if (isNull === 'false') writer.line(`hash = ${mix()};`);
  else writer.line(`hash = ${isNull} ? ${writer.constant(mixWord)}(hash, ${nullWord}) : ${mix()};`);
}

/** Condition: the key of group `g` is the row's. */
function sameKey({ writer }: KernelContext, type: DataType, c: number, { value, isNull }: Emitted): string {
  const equal = (): string => {
    switch (type.name) {
      case 'STRING':
        return `${writer.constant(equalText)}(o${c}h, o${c}v[g], o${c}e[g], ${value}b, ${value}s, ${value}e)`;
      case 'DOUBLE':
        return `(o${c}v[g] === ${value} || (${value} !== ${value} && o${c}v[g] !== o${c}v[g]))`;
      case 'BOOLEAN':
        return `(o${c}v[g] === 1) === ${value}`;
      default:
        return `o${c}v[g] === ${value}`;
    }
  };
  if (!type.nullable) return equal();
  const valid = `(o${c}n[g >> 3] & (1 << (g & 7))) !== 0`;
  if (isNull === 'false') return `${valid} && ${equal()}`;
  return `(${isNull} ? !(${valid}) : ${valid} && ${equal()})`;
}
