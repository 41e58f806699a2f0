import { BraidError } from '../base/errors.ts';
import { type DataType, formatType } from './data-type.ts';

export interface Field {
  readonly name: string;
  readonly type: DataType;
}

/** An ordered list of named, typed columns. Plain data: it crosses threads as it is. */
export interface Schema {
  readonly fields: readonly Field[];
}

export function schemaOf(fields: readonly Field[]): Schema {
  const seen = new Set<string>();
  for (const field of fields) {
    if (field.name === '') throw new BraidError('SCHEMA_INVALID', 'a column needs a name');
    if (seen.has(field.name))
      throw new BraidError('SCHEMA_INVALID', `the column ${field.name} is declared twice`, { place: field.name });
    seen.add(field.name);
  }
  return Object.freeze({ fields: Object.freeze(fields.map(field => Object.freeze({ ...field }))) });
}

/** Index of a column; an unknown name gets the nearest one as a hint. */
export function columnIndex(schema: Schema, name: string): number {
  const at = schema.fields.findIndex(field => field.name === name);
  if (at < 0) {
    const names = schema.fields.map(field => field.name);
    throw new BraidError('COLUMN_UNKNOWN', `there is no column ${name}`, {
      place: name,
      hint: didYouMean(name, names) ?? `columns are ${names.join(', ')}`,
    });
  }
  return at;
}

export function formatSchema(schema: Schema): string {
  return schema.fields.map(field => `${field.name} ${formatType(field.type)}`).join(', ');
}

/** `did you mean X?` for the nearest candidate, if one is near enough (edit distance at most a third of the length, 2 at least). */
export function didYouMean(word: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best === undefined ? undefined : `did you mean ${best}?`;
}

/** Optimal string alignment distance: insertions, deletions, substitutions and swaps of neighbours cost one each. */
function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = rows[i - 1]![j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let distance = Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, substitution);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        distance = Math.min(distance, rows[i - 2]![j - 2]! + 1);
      row.push(distance);
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}
