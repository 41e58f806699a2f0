import { dataType, type TypeName } from '../../lib/data/data-type.ts';
import { type Schema, schemaOf } from '../../lib/data/schema.ts';
import { column } from '../../lib/expressions/build.ts';
import type { Fragment, JsonOptions } from '../../lib/kernels/fragment.ts';

/** Fields as in `{ a: 'BIGINT', s: 'STRING NULL' }`. */
export function schemaFrom(fields: Readonly<Record<string, TypeName | `${TypeName} NULL`>>): Schema {
  return schemaOf(
    Object.entries(fields).map(([name, text]) => {
      const [type, nullable] = text.split(' ') as [TypeName, string | undefined];
      return { name, type: dataType(type, nullable !== undefined) };
    }),
  );
}

/** JSON records to rows, all columns as they are. `time` names the event time. */
export function rowFragment(schema: Schema, json: Partial<JsonOptions> = {}, time?: string): Fragment {
  return {
    id: 'rows',
    input: { kind: 'records', schema, json: { validate: 'structure', badRecords: 'fail', ...json } },
    eventTime: time === undefined ? undefined : column(schema, time),
    filter: undefined,
    output: { kind: 'rows', columns: schema.fields.map(({ name }) => column(schema, name)), schema },
  };
}
