import { didYouMean } from '../base/did-you-mean.ts';
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
