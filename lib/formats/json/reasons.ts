/** What the scanner finds about one wanted field of one object. States from `wrong` on are reasons for a bad record. */
export const fieldStates = {
  missing: 0,
  present: 1,
  null: 2,
  /** A BIGINT that narrow code cannot hold: the same rows are read again with 64-bit integers. */
  notSafe: 3,
  wrongType: 4,
  outOfRange: 5,
  fraction: 6,
  notTimestamp: 7,
} as const;

/** Why a record is no JSON object at all; 0 is none. */
export const malformations = {
  none: 0,
  noValue: 1,
  notObject: 2,
  keyNotQuoted: 3,
  noColon: 4,
  noComma: 5,
  noEnd: 6,
  trailing: 7,
  badEscape: 8,
  controlCharacter: 9,
  notUtf8: 10,
  badNumber: 11,
  badWord: 12,
  noValueOfKey: 13,
} as const;

const sentences: Readonly<Record<number, string>> = {
  [malformations.noValue]: 'the record has no value (a tombstone), where a JSON object is wanted',
  [malformations.notObject]: 'the value is not a JSON object',
  [malformations.keyNotQuoted]: 'a key is not in quotes',
  [malformations.noColon]: 'a key is not followed by a colon',
  [malformations.noComma]: 'neither a comma nor a closing bracket follows a value',
  [malformations.noEnd]: 'the value ends in the middle of the JSON object',
  [malformations.trailing]: 'something follows the JSON object',
  [malformations.badEscape]: 'a string has an escape that JSON does not know',
  [malformations.controlCharacter]: 'a string has a control character that is not escaped',
  [malformations.notUtf8]: 'a string is not valid UTF-8',
  [malformations.badNumber]: 'a number is not written as JSON demands',
  [malformations.badWord]: 'a value is neither true, false nor null, nor anything else JSON knows',
  [malformations.noValueOfKey]: 'a value is missing',
};

export function malformationSentence(reason: number): string {
  return sentences[reason] ?? 'the value is not valid JSON';
}

/** `state`: of a field that is wrong, or missing or null where it must not be. `type`: as Flink prints it. */
export function fieldSentence(name: string, type: string, state: number): string {
  switch (state) {
    case fieldStates.missing:
      return `the field ${name} (${type}) is missing`;
    case fieldStates.null:
      return `the field ${name} (${type}) is null`;
    case fieldStates.outOfRange:
      return `the field ${name} is out of the range of ${type}`;
    case fieldStates.fraction:
      return `the field ${name} has a fraction, and ${type} is wanted`;
    case fieldStates.notTimestamp:
      return `the field ${name} is not a timestamp like 2001-01-31T23:59:59.999`;
    default:
      return `the field ${name} is not ${/^[AI]/.test(type) ? 'an' : 'a'} ${type}`;
  }
}
