import { move } from 'piscina';
import { rawPathLimit } from './raw-path.ts';

export interface LimitTask {
  readonly buffer: ArrayBuffer;
  readonly offsets: readonly number[];
  readonly checkCrc: boolean;
}

/** The bare loop behind Piscina: bytes come and groups go by transfer. */
export default function run({ buffer, offsets, checkCrc }: LimitTask): unknown {
  const { rows, out } = rawPathLimit(new Uint8Array(buffer), offsets, checkCrc);
  // Piscina knows a transferred value by the buffer behind it; the count of rows travels in front of the groups.
  const answer = new Float64Array(1 + out.length);
  answer[0] = rows;
  answer.set(out, 1);
  return move(answer);
}
