/**
 * CRC-32C (Castagnoli, reflected polynomial 0x82F63B78), slicing by 8: eight table look-ups for every eight bytes
 * instead of eight dependent steps. Kounavis and Berry, "Novel Table Lookup-Based Algorithms for High-Performance CRC
 * Generation" (2008). Kafka's record batches carry it from byte 21 on.
 */
const tables: Int32Array[] = (() => {
  const first = new Int32Array(256);
  for (let n = 0; n < 256; n++) {
    let c = n;
    for (let k = 0; k < 8; k++) c = c & 1 ? 0x82f63b78 ^ (c >>> 1) : c >>> 1;
    first[n] = c;
  }
  const all = [first];
  for (let t = 1; t < 8; t++) {
    const previous = all[t - 1]!;
    all.push(Int32Array.from(previous, c => first[c & 255]! ^ (c >>> 8)));
  }
  return all;
})();
const [T0, T1, T2, T3, T4, T5, T6, T7] = tables as [
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
];

/** Checksum of `bytes[start, end)` as an unsigned 32-bit number. */
export function crc32c(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let c = -1;
  let p = start;
  for (const last = end - 7; p < last; p += 8) {
    const a = c ^ (bytes[p]! | (bytes[p + 1]! << 8) | (bytes[p + 2]! << 16) | (bytes[p + 3]! << 24));
    c =
      T7[a & 255]! ^
      T6[(a >>> 8) & 255]! ^
      T5[(a >>> 16) & 255]! ^
      T4[a >>> 24]! ^
      T3[bytes[p + 4]!]! ^
      T2[bytes[p + 5]!]! ^
      T1[bytes[p + 6]!]! ^
      T0[bytes[p + 7]!]!;
  }
  for (; p < end; p++) c = T0[(c ^ bytes[p]!) & 255]! ^ (c >>> 8);
  return (c ^ -1) >>> 0;
}
