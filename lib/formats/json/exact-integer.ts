import { fieldStates } from './reasons.ts';

/** The integer that a well-formed number is, by its value; else the state that says why it is none. */
export function exactInteger(b: Uint8Array, p: number, e: number): bigint | number {
  const negative = b[p] === 45;
  let significant = '';
  /** Power of ten of the digit read last, and the zeros since the last one that was not zero. */
  let power = 0;
  let pendingZeros = 0;
  let tooLong = false;
  let inFraction = false;
  let q = negative ? p + 1 : p;
  for (; q < e; q++) {
    const c = b[q]!;
    if (c === 46) {
      inFraction = true;
      continue;
    }
    if ((c | 32) === 101) break;
    if (inFraction) power--;
    if (c === 48) {
      if (significant !== '') pendingZeros++;
      continue;
    }
    if (significant.length + pendingZeros < 40) significant += '0'.repeat(pendingZeros) + String.fromCharCode(c);
    else tooLong = true;
    pendingZeros = 0;
  }
  if (significant === '') return 0n;
  // `power` is that of the last digit written, which `pendingZeros` zeros may follow up to.
  const exponent = power + pendingZeros + exponentOf(b, q, e);
  if (exponent < 0) return fieldStates.fraction;
  if (tooLong || significant.length + exponent > 19) return fieldStates.outOfRange;
  const magnitude = BigInt(significant + '0'.repeat(exponent));
  return negative ? -magnitude : magnitude;
}

/** Value of `e12` or `E-3`, nothing being 0; as large as matters. */
function exponentOf(b: Uint8Array, p: number, e: number): number {
  let exponent = 0;
  let sign = 1;
  for (let q = p + 1; q < e; q++) {
    const c = b[q]!;
    if (c === 45) sign = -1;
    else if (c !== 43) exponent = Math.min(exponent * 10 + c - 48, 1e9);
  }
  return sign * exponent;
}
