import { BraidError } from '../base/errors.ts';
import { formatType } from '../data/data-type.ts';
import type { Field } from '../data/schema.ts';
import { fieldSentence, fieldStates, malformationSentence } from '../formats/json/reasons.ts';
import type { BadRecord, BadRecordPolicy } from './fragment.ts';

/** Bytes that are kept of one bad record, and of all bad records of a task; the records themselves are all counted. */
export const badRecordBytesMax = 64 << 10;
export const badRecordsBytesMax = 4 << 20;

/**
 * Decides what becomes of bad records, and keeps them for the caller. Its methods say whether the record stays in, which
 * only policy `null` allows, and only where every field that is wrong may be NULL. A record that stays in is kept here
 * all the same: nothing is lost in silence.
 */
export class BadRecords {
  readonly #policy: BadRecordPolicy;
  readonly #fields: readonly Field[];
  readonly #allNullable: boolean;
  #kept: BadRecord[] = [];
  #bytes = 0;

  constructor(policy: BadRecordPolicy, fields: readonly Field[]) {
    this.#policy = policy;
    this.#fields = fields;
    this.#allNullable = fields.every(field => field.type.nullable);
  }

  /** Not a JSON object: `reason` is a malformation. All fields are NULL if it stays in. */
  malformed(reason: number, offset: number, bytes: Uint8Array, start: number, end: number): boolean {
    this.#add(malformationSentence(reason), offset, bytes, start, end);
    return this.#policy === 'null' && this.#allNullable;
  }

  /** A field is wrong, or missing or null where it must not be. */
  wrongFields(states: readonly number[], offset: number, bytes: Uint8Array, start: number, end: number): boolean {
    let stays = this.#policy === 'null';
    let reason: string | undefined;
    this.#fields.forEach((field, i) => {
      const state = states[i]!;
      if (state === fieldStates.present || (state < fieldStates.wrongType && field.type.nullable)) return;
      reason ??= fieldSentence(field.name, formatType(field.type), state);
      stays &&= field.type.nullable;
    });
    this.#add(reason ?? malformationSentence(0), offset, bytes, start, end);
    return stays;
  }

  /** The event time is NULL: such a record has no place in time and never stays in. */
  noEventTime(offset: number, bytes: Uint8Array, start: number, end: number): void {
    const last = this.#kept.at(-1);
    // Known already, if its timestamp became NULL for being wrong.
    if (last?.offset === offset) return;
    this.#add('the event time is NULL', offset, bytes, start, end, 'EVENT_TIME_MISSING');
  }

  #add(
    reason: string,
    offset: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    code: 'ROW_INVALID' | 'EVENT_TIME_MISSING' = 'ROW_INVALID',
  ): void {
    if (this.#policy === 'fail')
      throw new BraidError(code, `record ${offset}: ${reason}`, {
        place: `offset ${offset}`,
        hint: "badRecords: 'skip' or 'null' lets the job go on, with the record as a dead letter",
      });
    const room = Math.min(badRecordBytesMax, badRecordsBytesMax - this.#bytes, end - start);
    const copy = room > 0 ? bytes.slice(start, start + room) : new Uint8Array(0);
    this.#bytes += copy.length;
    this.#kept.push({ offset, reason, bytes: copy });
  }

  /** What was kept since the last call. */
  take(): readonly BadRecord[] {
    const kept = this.#kept;
    this.#kept = [];
    this.#bytes = 0;
    return kept;
  }
}
