/** Whether `bytes[start, end)` is well-formed UTF-8: no overlong form, no surrogate, nothing beyond U+10FFFF (Unicode, table 3-7). */
export function isUtf8(bytes: Uint8Array, start: number, end: number): boolean {
  let p = start;
  while (p < end) {
    const lead = bytes[p++]!;
    if (lead < 0x80) continue;
    if (lead < 0xc2 || lead > 0xf4) return false;
    const following = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    if (p + following > end) return false;
    const second = bytes[p]!;
    if (second < (lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80)) return false;
    if (second > (lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf)) return false;
    for (let i = 1; i < following; i++) if ((bytes[p + i]! & 0xc0) !== 0x80) return false;
    p += following;
  }
  return true;
}
