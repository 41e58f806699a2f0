/**
 * CRC-32C (Castagnoli, reflected polynomial 0x82F63B78), slicing by 16: sixteen independent table look-ups for every
 * sixteen bytes instead of as many dependent steps. Kounavis and Berry, "Novel Table Lookup-Based Algorithms for
 * High-Performance CRC Generation" (2008). Kafka's record batches carry it from byte 21 on.
 *
 * `table[t * 256 + byte]` is the checksum register after `byte` and t zero bytes. One flat table and words read through a
 * DataView: by measurement 1.2 to 1.4 times as fast as sixteen tables, eight of them, or single bytes.
 */
const table = new Int32Array(16 * 256);
for (let n = 0; n < 256; n++) {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0x82f63b78 ^ (c >>> 1) : c >>> 1;
  table[n] = c;
}
for (let i = 256; i < table.length; i++) {
  const previous = table[i - 256]!;
  table[i] = table[previous & 255]! ^ (previous >>> 8);
}

/** Checksum of `bytes[start, end)` as an unsigned 32-bit number. */
export function crc32c(bytes: Uint8Array, start = 0, end = bytes.length): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let c = -1;
  let p = start;
  for (const last = end - 15; p < last; p += 16) {
    const w0 = c ^ view.getInt32(p, true);
    const w1 = view.getInt32(p + 4, true);
    const w2 = view.getInt32(p + 8, true);
    const w3 = view.getInt32(p + 12, true);
    c =
      table[15 * 256 + (w0 & 255)]! ^
      table[14 * 256 + ((w0 >>> 8) & 255)]! ^
      table[13 * 256 + ((w0 >>> 16) & 255)]! ^
      table[12 * 256 + (w0 >>> 24)]! ^
      table[11 * 256 + (w1 & 255)]! ^
      table[10 * 256 + ((w1 >>> 8) & 255)]! ^
      table[9 * 256 + ((w1 >>> 16) & 255)]! ^
      table[8 * 256 + (w1 >>> 24)]! ^
      table[7 * 256 + (w2 & 255)]! ^
      table[6 * 256 + ((w2 >>> 8) & 255)]! ^
      table[5 * 256 + ((w2 >>> 16) & 255)]! ^
      table[4 * 256 + (w2 >>> 24)]! ^
      table[3 * 256 + (w3 & 255)]! ^
      table[2 * 256 + ((w3 >>> 8) & 255)]! ^
      table[256 + ((w3 >>> 16) & 255)]! ^
      table[w3 >>> 24]!;
  }
  for (; p < end; p++) c = table[(c ^ bytes[p]!) & 255]! ^ (c >>> 8);
  return (c ^ -1) >>> 0;
}
