import type { DataType, Value } from '../../data/data-type.ts';
import type { Field } from '../../data/schema.ts';
import { fieldStates } from './reasons.ts';
import { timestampMax, timestampMin } from './timestamp-text.ts';

/** Wanted fields of one object: for each, its state (reasons.ts) and, where that is `present`, its value. */
export interface ReferenceFields {
  readonly states: readonly number[];
  readonly values: readonly Value[];
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const stringOrNumber = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/**
 * Reads the wanted fields of a JSON object by JSON.parse: the reference for the generated scanner with `validate: 'full'`,
 * plain and slow. Undefined where the bytes are no JSON object. Numbers are read a second time, as text, since a parsed
 * one has lost what lies beyond 53 bits.
 */
export function readByReference(bytes: Uint8Array, fields: readonly Field[]): ReferenceFields | undefined {
  let parsed: unknown;
  let numbersAsText: unknown;
  try {
    const text = utf8.decode(bytes.slice());
    parsed = JSON.parse(text);
    numbersAsText = JSON.parse(text.replace(stringOrNumber, token => (token.startsWith('"') ? token : `"${token}"`)));
  } catch {
    return undefined;
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return undefined;
  const outcomes = fields.map(({ name, type }): { state: number; value: Value } => {
    if (!Object.hasOwn(parsed, name)) return { state: fieldStates.missing, value: null };
    const value = ownValue(parsed, name);
    if (value === null) return { state: fieldStates.null, value: null };
    const read = readValue(type, value, ownValue(numbersAsText as object, name));
    return typeof read === 'object' ? { state: read.state, value: null } : { state: fieldStates.present, value: read };
  });
  return { states: outcomes.map(({ state }) => state), values: outcomes.map(({ value }) => value) };
}

/** `__proto__` is a name like any other. */
function ownValue(object: object, name: string): unknown {
  return Object.getOwnPropertyDescriptor(object, name)?.value;
}

interface Wrong {
  readonly state: number;
}
const wrongType: Wrong = { state: fieldStates.wrongType };

function readValue(type: DataType, value: unknown, text: unknown): NonNullable<Value> | Wrong {
  switch (type.name) {
    case 'BOOLEAN':
      return typeof value === 'boolean' ? value : wrongType;
    case 'STRING':
      return typeof value === 'string' ? wellFormed(value) : wrongType;
    case 'DOUBLE':
      return typeof value === 'number' ? value : wrongType;
    case 'INT':
    case 'BIGINT': {
      if (typeof value !== 'number') return wrongType;
      const bits = type.name === 'INT' ? 32 : 64;
      const exact = exactValue(String(text));
      if (exact === undefined) return { state: fieldStates.fraction };
      if (exact === 'huge' || BigInt.asIntN(bits, exact) !== exact) return { state: fieldStates.outOfRange };
      return type.name === 'INT' ? Number(exact) : exact;
    }
    case 'TIMESTAMP': {
      if (typeof value === 'string') return timestampOf(value) ?? { state: fieldStates.notTimestamp };
      if (typeof value !== 'number') return wrongType;
      const exact = exactValue(String(text));
      if (exact === undefined) return { state: fieldStates.fraction };
      return exact === 'huge' || exact < timestampMin || exact > timestampMax
        ? { state: fieldStates.outOfRange }
        : Number(exact);
    }
  }
}

function wellFormed(text: string): string {
  return new TextDecoder().decode(new TextEncoder().encode(text));
}

/** The integer that a number is; undefined for a fraction. Numbers of more than 5,000 digits are only called huge. */
function exactValue(text: string): bigint | 'huge' | undefined {
  const [, sign, whole, fraction = '', exponentText = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text)!;
  const digits = BigInt(`${whole}${fraction}`);
  const exponent = Number(exponentText) - fraction.length;
  if (digits === 0n) return 0n;
  if (exponent > 5000) return 'huge';
  if (exponent < -5000) return undefined;
  const scale = 10n ** BigInt(Math.abs(exponent));
  if (exponent < 0 && digits % scale !== 0n) return undefined;
  const magnitude = exponent < 0 ? digits / scale : digits * scale;
  return sign === '-' ? -magnitude : magnitude;
}

function timestampOf(text: string): number | undefined {
  const match = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?Z?$/.exec(text);
  if (match === null) return undefined;
  const [, date, minute, second = '00', fraction = ''] = match;
  const iso = `${date}T${minute}:${second}.${fraction.padEnd(3, '0').slice(0, 3)}Z`;
  const time = new Date(iso);
  // Date takes the 31st of every month, and 24:00; such a time comes back as another one.
  return Number.isNaN(time.getTime()) || time.toISOString() !== iso ? undefined : time.getTime();
}
