import { BraidError } from '../base/errors.ts';
import type { CollectionSourceNode, KafkaSourceNode, LogicalNode } from './logical.ts';

export type SourceNode = KafkaSourceNode | CollectionSourceNode;
export type ChainStep = Exclude<LogicalNode, SourceNode>;

export interface Chain {
  readonly source: SourceNode;
  /** From the source to the sink. */
  readonly steps: readonly ChainStep[];
}

export function chainOf(last: LogicalNode): Chain {
  const steps: ChainStep[] = [];
  let node = last;
  while (node.kind !== 'kafkaSource' && node.kind !== 'collectionSource') {
    steps.unshift(node);
    node = node.input;
  }
  return { source: node, steps };
}

/** What a chain must be to be planned, each rule with an error of its own: PLAN_INVALID. */
export function checkChain(source: SourceNode, steps: readonly ChainStep[]): void {
  const names = new Set([source.name]);
  let timed = false;
  let aggregated: string | undefined;
  let dropped: string | undefined;
  for (const step of steps) {
    if (names.has(step.name))
      throw new BraidError('PLAN_INVALID', `two operators are called ${step.name}`, {
        place: step.name,
        hint: 'names of operators are unique within a job',
      });
    names.add(step.name);
    if (step.kind === 'watermark') checkWatermark(step.name, timed, aggregated, dropped);
    if (step.kind === 'aggregate') {
      if (!timed)
        throw new BraidError('PLAN_INVALID', 'a window needs event time, and no watermark is declared before it', {
          place: step.name,
          hint: 'declare .watermark(column, { outOfOrderMs }) behind the source',
        });
      if (aggregated !== undefined)
        throw new BraidError('PLAN_INVALID', `an aggregate of an aggregate is not built yet`, {
          place: step.name,
          hint: `write the rows of ${aggregated} to a topic and read them with a second job`,
        });
    }
    timed ||= step.kind === 'watermark';
    if (step.kind === 'aggregate') aggregated = step.name;
    if (step.kind === 'filter' || step.kind === 'rowFunction') dropped ??= step.name;
  }
}

/**
 * A watermark counts every row that is read, so that a filter cannot hold time back; hence it stands before filters,
 * and before row functions, where the splits of the source are still told apart.
 */
function checkWatermark(
  place: string,
  timed: boolean,
  aggregated: string | undefined,
  dropped: string | undefined,
): void {
  if (timed) throw new BraidError('PLAN_INVALID', 'the watermark is declared twice', { place });
  const before = aggregated ?? dropped;
  if (before !== undefined)
    throw new BraidError('PLAN_INVALID', `the watermark stands behind ${before}`, {
      place,
      hint: 'declare it directly behind the source; the event time stays with the rows from there on',
    });
}
