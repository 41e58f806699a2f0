import { unreachable } from '../base/errors.ts';
import { formatSchema, type Schema } from '../data/schema.ts';
import type { Accumulator } from '../expressions/aggregate.ts';
import type { Expression } from '../expressions/expression.ts';
import { formatExpression, identifier } from '../expressions/format.ts';
import type { Fragment, FragmentOutput, TumblingWindow } from '../kernels/fragment.ts';
import type { LogicalSink } from './logical.ts';
import type { PhysicalOperator, PhysicalPlan, PhysicalSource } from './physical.ts';

/** What was measured of a local phase while the job ran. */
export interface MeasuredLocalPhase {
  readonly on: boolean;
  readonly partialsPerRow: number;
}

/**
 * The physical plan as text, in the order in which rows flow: a line for each operator with where it runs, and under it
 * what is fused into it. `measured` are local phases that were switched, by the name of the source or operator whose head they are; without it, the
 * text says what will happen.
 */
export function explainPlan(plan: PhysicalPlan, measured: ReadonlyMap<string, MeasuredLocalPhase> = new Map()): string {
  const steps = [
    explainSource(plan, measured),
    ...plan.operators.map(operator => explainOperator(operator, measured)),
    explainSink(plan.sink),
  ];
  const numbered = steps.map(([title, ...details], i) =>
    [`${i + 1}. ${title}`, ...details.map(detail => `     ${detail}`)].join('\n'),
  );
  return [`job ${plan.job}`, ...numbered].join('\n');
}

function explainSource(plan: PhysicalPlan, measured: ReadonlyMap<string, MeasuredLocalPhase>): string[] {
  const { node, head } = plan.source;
  const scanned = head.input.schema.fields;
  if (node.kind === 'collectionSource')
    return [
      `${node.name}: rows from memory, on the job's thread`,
      `columns: ${formatSchema(head.input.schema)}`,
      ...explainTime(plan.source),
      ...explainFragment(head, node.name, measured),
    ];
  const { threads } = plan.options;
  const { bounded, recordsPerSecondMax } = node.options;
  const facts = [
    `Kafka topic ${node.topic} in ${node.clusters.map(cluster => cluster.name).join(' and ')}`,
    ...(bounded ? ['to its present end'] : []),
    ...(recordsPerSecondMax === Number.POSITIVE_INFINITY ? [] : [`at most ${recordsPerSecondMax} records a second`]),
    threads === 0 ? "kernel on the job's thread" : `kernel in a pool of ${threads} thread${threads === 1 ? '' : 's'}`,
  ];
  return [
    `${node.name}: ${facts.join(', ')}`,
    `scan ${scanned.length} of ${node.schema.fields.length} JSON fields: ${formatSchema(head.input.schema) || 'none'}`,
    ...explainTime(plan.source),
    ...explainFragment(head, node.name, measured),
  ];
}

function explainTime({ node, head, outOfOrderMs }: PhysicalSource): string[] {
  if (head.eventTime === undefined || outOfOrderMs === undefined) return [];
  const hold = node.kind === 'kafkaSource' ? node.options.holdWatermarkMs : 0;
  const held = hold === 0 ? '' : `, held up to ${hold} ms for a cluster that is down`;
  return [
    `event time: ${formatExpression(head.eventTime, head.input.schema)}, at most ${outOfOrderMs} ms out of order${held}`,
  ];
}

function explainOperator(operator: PhysicalOperator, measured: ReadonlyMap<string, MeasuredLocalPhase>): string[] {
  switch (operator.kind) {
    case 'rowFunction': {
      const what = operator.apply.kind === 'map' ? 'map' : 'filter';
      const output = { fields: operator.output.fields.slice(0, operator.output.fields.length - operator.carried) };
      return [
        `${operator.name}: row function (${what}), one call a row on the job's thread, no kernel`,
        ...(what === 'map' ? [`columns: ${formatSchema(output)}`] : []),
      ];
    }
    case 'fragment':
      return [
        `${operator.name}: kernel on the job's thread`,
        ...explainFragment(operator.fragment, operator.name, measured),
      ];
    case 'localAggregate':
      return [
        `${operator.name}: local phase, kernel on the job's thread`,
        ...explainFragment(operator.fragment, operator.name, measured),
      ];
    case 'windowAggregate': {
      const { name, window, partials, keys, finish } = operator;
      const by = partials.fields.slice(1, 1 + keys).map(field => identifier(field.name));
      return [
        `${name}: global phase, one owner, merges by ${[...by, formatWindow(window)].join(', ')}`,
        ...explainFragment(finish, name, measured),
      ];
    }
    default:
      return unreachable(operator);
  }
}

function explainSink(sink: LogicalSink): string[] {
  if (sink.kind === 'collectorSink')
    return [`${sink.name}: to the program`, `columns: ${formatSchema(sink.input.schema)}`];
  const clusters = sink.clusters.map(cluster => cluster.name);
  const active = sink.options.active ?? clusters[0];
  const key =
    sink.keyColumn === undefined ? 'no key' : `key ${identifier(sink.input.schema.fields[sink.keyColumn]!.name)}`;
  const switches = clusters.length > 1 ? `, ${active} first` : '';
  return [
    `${sink.name}: Kafka topic ${sink.topic} in ${clusters.join(' or ')}${switches}, ${key}, at least once`,
    `columns: ${formatSchema(sink.input.schema)}`,
  ];
}

function explainFragment(
  { input, filter, output }: Fragment,
  name: string,
  measured: ReadonlyMap<string, MeasuredLocalPhase>,
): string[] {
  const where = filter === undefined ? [] : [`where ${formatExpression(filter, input.schema)}`];
  if (output.kind === 'rows') return [...where, ...explainProjection(output.columns, output.schema, input.schema)];
  return [...where, ...explainLocal(output, input.schema), explainLocalPhase(measured.get(name))];
}

/** Nothing where the columns pass as they are. */
function explainProjection(columns: readonly Expression[], schema: Schema, input: Schema): string[] {
  const unchanged = columns.every(
    (column, i) => column.kind === 'column' && input.fields[column.index]!.name === schema.fields[i]!.name,
  );
  if (unchanged && columns.length === input.fields.length) return [];
  const shown = columns.map((column, i) => {
    const text = formatExpression(column, input);
    const name = identifier(schema.fields[i]!.name);
    return text === name ? name : `${text} AS ${name}`;
  });
  return [`select ${shown.join(', ')}`];
}

function explainLocal(output: FragmentOutput & { readonly kind: 'partial' }, input: Schema): string[] {
  const { keys, window, accumulators, schema } = output;
  const first = schema.fields.length - accumulators.length;
  const by = [
    ...keys.map(key => formatExpression(key, input)),
    ...(window === undefined ? [] : [formatWindow(window)]),
  ];
  const kept = accumulators.map(
    (accumulator, i) => `${formatAccumulator(accumulator, input)} AS ${identifier(schema.fields[first + i]!.name)}`,
  );
  return [`partials by ${by.join(', ')}: ${kept.join(', ') || 'nothing'}`];
}

function explainLocalPhase(measured: MeasuredLocalPhase | undefined): string {
  if (measured === undefined) return 'local phase: on, until it is measured that partials do not shrink the input';
  const rate = `${measured.partialsPerRow.toFixed(2)} partials a row were measured`;
  return measured.on ? `local phase: on again, ${rate}` : `local phase: off, since ${rate}`;
}

function formatAccumulator({ op, argument, filter }: Accumulator, input: Schema): string {
  const over = argument === undefined ? '*' : formatExpression(argument, input);
  const only = filter === undefined ? '' : ` FILTER (WHERE ${formatExpression(filter, input)})`;
  return `${op.toUpperCase()}(${over})${only}`;
}

function formatWindow({ sizeMs, offsetMs }: TumblingWindow): string {
  const offset = offsetMs === 0 ? '' : `, offset ${formatMs(offsetMs)}`;
  return `TUMBLE(${formatMs(sizeMs)}${offset})`;
}

const units = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1000, 's'],
] as const;

/** `1 h`, `90 min`, `1500 ms`: the largest unit of which it is a whole number. */
function formatMs(ms: number): string {
  const unit = units.find(([size]) => ms % size === 0);
  return unit === undefined ? `${ms} ms` : `${ms / unit[0]} ${unit[1]}`;
}
