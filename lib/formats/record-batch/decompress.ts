import { gunzipSync } from 'node:zlib';
import { BraidError } from '../../base/errors.ts';
import { type BatchHeader, corrupt, headerBytes, unsupported } from './header.ts';

/** The records of a batch as plain bytes: `bytes[start, end)`. */
export interface RecordBytes {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** A batch may not unfold to more than this: a megabyte of gzip can hold a gigabyte. */
export const decompressedBytesMaxDefault = 128 << 20;

/**
 * The records behind a header, decompressed where they have to be (an uncompressed batch is not copied).
 * CODEC_UNSUPPORTED names a codec that is not built in; BATCH_TOO_LARGE where more than `decompressedBytesMax` would
 * come out; BATCH_CORRUPT where the compressed bytes are damaged.
 */
export function recordBytes(
  bytes: Uint8Array,
  header: BatchHeader,
  place?: string,
  decompressedBytesMax = decompressedBytesMaxDefault,
): RecordBytes {
  const start = header.start + headerBytes;
  if (header.codec === 'none') return { bytes, start, end: header.end };
  if (header.codec !== 'gzip') throw unsupported(header.codec, header.baseOffset, place);
  // zlib refuses shared memory, so bytes in a slab are copied first.
  const packed = bytes.subarray(start, header.end);
  const input = packed.buffer instanceof SharedArrayBuffer ? packed.slice() : packed;
  try {
    const plain = gunzipSync(input, { maxOutputLength: decompressedBytesMax });
    return { bytes: plain, start: 0, end: plain.length };
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE')
      throw new BraidError(
        'BATCH_TOO_LARGE',
        `the record batch at offset ${header.baseOffset} unfolds to more than ${decompressedBytesMax} bytes`,
        { place },
      );
    throw corrupt(header.baseOffset, 'is not valid gzip', place);
  }
}
