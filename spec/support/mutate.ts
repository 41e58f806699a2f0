import fc from 'fast-check';

/** Values that lengths and counts go wrong at. */
const borders = [0, 1, -1, 2, 48, 49, 60, 61, 127, 128, 255, 256, 0x7fff, 0x8000, 0x7fffffff, -0x80000000, 0x7ffffffe];

type Edit =
  | { readonly kind: 'byte'; readonly at: number; readonly value: number }
  | { readonly kind: 'int32' | 'int16'; readonly at: number; readonly value: number }
  | { readonly kind: 'cut'; readonly at: number; readonly length: number }
  | { readonly kind: 'insert'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'repeat'; readonly at: number; readonly length: number };

const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.record({ kind: fc.constant('byte' as const), at: fc.nat(), value: fc.nat(255) }),
  fc.record({
    kind: fc.constantFrom('int32' as const, 'int16' as const),
    at: fc.nat(),
    value: fc.oneof(fc.constantFrom(...borders), fc.integer()),
  }),
  fc.record({ kind: fc.constant('cut' as const), at: fc.nat(), length: fc.nat(40) }),
  fc.record({ kind: fc.constant('insert' as const), at: fc.nat(), bytes: fc.uint8Array({ maxLength: 20 }) }),
  fc.record({ kind: fc.constant('repeat' as const), at: fc.nat(), length: fc.nat(100) }),
);

function edited(bytes: Uint8Array, change: Edit): Uint8Array {
  const at = bytes.length === 0 ? 0 : change.at % bytes.length;
  const out = bytes.slice();
  switch (change.kind) {
    case 'byte':
      if (out.length > 0) out[at] = change.value;
      return out;
    case 'int32':
      if (at + 4 <= out.length) new DataView(out.buffer).setInt32(at, change.value);
      return out;
    case 'int16':
      if (at + 2 <= out.length) new DataView(out.buffer).setInt16(at, change.value);
      return out;
    case 'cut':
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + change.length)]);
    case 'insert':
      return Buffer.concat([bytes.subarray(0, at), change.bytes, bytes.subarray(at)]);
    case 'repeat':
      return Buffer.concat([bytes.subarray(0, at + change.length), bytes.subarray(at)]);
  }
}

/** Bytes that were right, with a few changes; and at times bytes that never were. */
export function mutated(samples: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  return fc.oneof(
    {
      weight: 9,
      arbitrary: fc
        .tuple(fc.constantFrom(...samples), fc.array(edit, { minLength: 1, maxLength: 4 }))
        .map(([bytes, edits]) => new Uint8Array(edits.reduce(edited, bytes))),
    },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) },
  );
}
