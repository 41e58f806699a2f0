import type { Plain } from './inspect-event.ts';

const textLengthMax = 200;
const itemsMax = 50;
const depthMax = 4;

/**
 * Reduces any value to plain data of bounded size, so that what is watched can be sent anywhere and holds nothing alive:
 * long texts are cut, bytes and long lists are counted, errors become code and message, functions vanish.
 */
export function reduce(value: unknown, depth = 0): Plain {
  switch (typeof value) {
    case 'string':
      return value.length <= textLengthMax ? value : `${value.slice(0, textLengthMax)}… (${value.length} characters)`;
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'boolean':
      return value;
    case 'bigint':
      return String(value);
    case 'object':
      return value === null ? null : reduceObject(value, depth);
    default:
      return null;
  }
}

function reduceObject(value: object, depth: number): Plain {
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) return `[${value.byteLength} bytes]`;
  if (value instanceof Error) {
    return { ...('code' in value ? { code: reduce(value.code) } : {}), message: reduce(value.message) };
  }
  if (Array.isArray(value)) {
    if (value.length > itemsMax || depth >= depthMax) return `[${value.length} items]`;
    return value.map(item => reduce(item, depth + 1));
  }
  if (value instanceof Map || value instanceof Set) return `[${value.size} items]`;
  const fields = Object.entries(value).filter(([, field]) => field !== undefined && typeof field !== 'function');
  if (fields.length > itemsMax || depth >= depthMax) return `[${fields.length} fields]`;
  return Object.fromEntries(fields.map(([name, field]) => [name, reduce(field, depth + 1)]));
}
