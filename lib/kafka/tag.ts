import { ByteReader, decodeUtf8 } from '../base/byte-reader.ts';
import { ByteWriter } from '../base/byte-writer.ts';
import { BraidError } from '../base/errors.ts';
import { headerBytes, nextBatch, sealCrc } from '../formats/record-batch/header.ts';
import { findHeader } from '../formats/record-batch/headers.ts';
import { RecordWalker } from '../formats/record-batch/walk.ts';

/**
 * The tag: every record that Braid writes carries one header, `braid`, that says which record it is, so that readers can
 * recognise a record that they see twice after a cluster was lost. The format is public and for ever: a later version may
 * begin with another version byte, and version 1 will go on to be read as it stands here.
 *
 * Value of the header, byte by byte:
 *
 * | field | bytes | meaning |
 * |---|---|---|
 * | version | 1 | 1 |
 * | job | text | name of the job |
 * | sink | text | name of the sink within the job |
 * | writer | varint | number of the writer within the sink, from 0 |
 * | home cluster | text | cluster in which the record was written first |
 * | home term | varint | incarnation of the job that wrote it first; 0 until there are checkpoints |
 * | epoch | varint | checkpoint that the record belongs to; 0 until there are checkpoints |
 * | seq | varint | counts the records of a writer and epoch, from 0 |
 * | dup | 1 | 0: written for the first time; 1: written again because nobody knows whether the first copy arrived |
 *
 * text = one byte, the number of UTF-8 bytes (1 to 127), then these bytes.
 * varint = unsigned LEB128: seven bits a byte, least significant first, the high bit set on all bytes but the last; at
 * most eight bytes.
 *
 * Two records with the same value but for `dup`, the last byte, are copies of one record. The header comes last among
 * a record's headers, so that `dup` is also the last byte of the record.
 */
export interface Tag {
  readonly job: string;
  readonly sink: string;
  readonly writer: number;
  readonly home: { readonly cluster: string; readonly term: number };
  readonly epoch: number;
  readonly seq: number;
  readonly dup: 0 | 1;
}

export const tagHeaderName = 'braid';
const version = 1;
const nameBytes = new TextEncoder().encode(tagHeaderName);

/** What all records of a writer and epoch have in common. */
export type TagWriter = Omit<Tag, 'seq' | 'dup'>;

/**
 * Encodes tags as the headers section of a record. All but seq and dup is written once; per record a few bytes change.
 * The view that `headers` returns is valid until the next call: hand it straight to RecordBatchEncoder.append.
 */
export class TagEncoder {
  readonly #common: Uint8Array;
  /** One section for each length that seq can have; they differ in the length fields only. */
  readonly #sections: Uint8Array[] = [];

  /** OPTION_INVALID where a name is empty, longer than 127 bytes or holds a control character. */
  constructor(writer: TagWriter) {
    const out = new ByteWriter();
    out.int8(version);
    writeText(out, writer.job, 'job');
    writeText(out, writer.sink, 'sink');
    out.unsignedVarint(writer.writer);
    writeText(out, writer.home.cluster, 'cluster');
    out.unsignedVarint(writer.home.term);
    out.unsignedVarint(writer.epoch);
    this.#common = out.take();
  }

  headers(seq: number, dup: 0 | 1): Uint8Array {
    let length = 1;
    for (let rest = seq; rest >= 128; rest = Math.floor(rest / 128)) length++;
    let section = this.#sections[length];
    if (section === undefined) {
      section = this.#section(length);
      this.#sections[length] = section;
    }
    let at = section.length - 1 - length;
    let rest = seq;
    while (rest >= 128) {
      section[at++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    section[at] = rest;
    section[section.length - 1] = dup;
    return section;
  }

  #section(seqBytes: number): Uint8Array {
    const value = this.#common.length + seqBytes + 1;
    return new ByteWriter()
      .varint(1) // one header
      .varint(nameBytes.length)
      .raw(nameBytes)
      .varint(value)
      .raw(this.#common)
      .raw(new Uint8Array(seqBytes + 1))
      .take()
      .slice();
  }
}

/** Value of a `braid` header as a tag. RESPONSE_MALFORMED where it is none, or of a version that is not known. */
export function decodeTag(value: Uint8Array): Tag {
  const reader = new ByteReader(value);
  const found = reader.int8();
  if (found !== version)
    throw new BraidError('RESPONSE_MALFORMED', `a braid header has version ${found}, and only ${version} is known`);
  const job = readText(reader);
  const sink = readText(reader);
  const writer = readVarint(reader);
  const home = { cluster: readText(reader), term: readVarint(reader) };
  const epoch = readVarint(reader);
  const seq = readVarint(reader);
  const dup = reader.int8();
  if ((dup !== 0 && dup !== 1) || reader.remaining > 0)
    throw new BraidError('RESPONSE_MALFORMED', 'a braid header does not end with dup', {
      place: `byte ${reader.position}`,
    });
  return { job, sink, writer, home, epoch, seq, dup };
}

/** The tag among the encoded headers of a record, or undefined where Braid did not write it. */
export function readTag(bytes: Uint8Array, headersStart: number, headersEnd: number): Tag | undefined {
  const value = findHeader(bytes, headersStart, headersEnd, nameBytes);
  return value === undefined ? undefined : decodeTag(value);
}

/** The same text for all copies of one record, and for no other record: all of the tag but `dup`. */
export function tagIdentity(tag: Tag): string {
  const { job, sink, writer, home, epoch, seq } = tag;
  return [job, sink, writer, home.cluster, home.term, epoch, seq].join('\u0000');
}

/**
 * Turns the records of a batch of ours into copies: `dup` = 1 and a new CRC, all else unchanged, in place.
 * This is how unacknowledged records are sent again to another cluster.
 */
export function markDuplicates(batch: Uint8Array): void {
  const header = nextBatch(batch, 0, batch.length);
  if (header === undefined || header.codec !== 'none')
    throw new BraidError('ASSERTION', `a batch of ${batch.length - headerBytes} record bytes cannot be marked`);
  const walker = new RecordWalker();
  walker.walk(batch, header);
  for (let i = 0; i < walker.count; i++) {
    const end = walker.headersEnds[i]!;
    const value = findHeader(batch, walker.headersStarts[i]!, end, nameBytes);
    if (value === undefined || value.byteOffset + value.length !== batch.byteOffset + end)
      throw new BraidError('ASSERTION', `record ${i} of a batch that is sent again does not end with a tag`);
    batch[end - 1] = 1;
  }
  sealCrc(batch, 0, batch.length);
}

function writeText(out: ByteWriter, text: string, what: string): void {
  const bytes = new TextEncoder().encode(text);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused; identities are joined by NUL
  if (bytes.length === 0 || bytes.length > 127 || /[\u0000-\u001f]/.test(text))
    throw new BraidError('OPTION_INVALID', `the ${what} name ${JSON.stringify(text.slice(0, 60))} cannot be a tag`, {
      place: what,
      hint: 'use 1 to 127 bytes of UTF-8 without control characters',
    });
  out.int8(bytes.length).raw(bytes);
}

function readText(reader: ByteReader): string {
  const length = reader.int8();
  return decodeUtf8(reader.slice(length));
}

function readVarint(reader: ByteReader): number {
  let value = 0;
  for (let scale = 1; scale < 2 ** 56; scale *= 128) {
    const byte = reader.int8();
    value += (byte & 127) * scale;
    if (byte >= 0) return value;
  }
  throw new BraidError('RESPONSE_MALFORMED', 'a varint of a braid header is longer than eight bytes', {
    place: `byte ${reader.position}`,
  });
}
