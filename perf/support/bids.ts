import { RecordBatchEncoder } from '../../lib/formats/record-batch/encode.ts';

/** Bids as in Nexmark, some 165 bytes of JSON each: seven fields, of which the benchmarks use auction, price, dateTime. */
export function bidBatches(batches: number, recordsPerBatch: number): Uint8Array {
  const text = new TextEncoder();
  const parts: Uint8Array[] = [];
  const encoder = new RecordBatchEncoder();
  let id = 0;
  for (let batch = 0; batch < batches; batch++) {
    for (let i = 0; i < recordsPerBatch; i++) {
      id++;
      const key = text.encode(`k${i % 100}`);
      const value = text.encode(
        JSON.stringify({
          auction: 1000 + ((id * 7919) % 997),
          bidder: 2000 + (i % 555),
          price: (id * 17) % 10000,
          channel: 'Google',
          url: 'https://www.nexmark.com/abc/def/item.htm?query=1',
          dateTime: 1700000000000 + id * 2,
          extra: 'abcdefghijklmnop',
        }),
      );
      encoder.append(i, key, 0, key.length, value, 0, value.length);
    }
    parts.push(encoder.finish()!);
  }
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    // Batches of one partition follow each other in offset.
    new DataView(part.buffer, part.byteOffset).setBigInt64(0, BigInt(parts.indexOf(part) * recordsPerBatch));
    out.set(part, at);
    at += part.length;
  }
  return out;
}
