import { assert, unreachable } from '../base/errors.ts';
import type { Fragment, FragmentInput } from '../kernels/fragment.ts';
import type { WindowAggregateSpec } from '../operators/window-aggregate-spec.ts';
import { type ChainStep, chainOf, checkChain, type SourceNode } from './chain.ts';
import { type Fusion, identity, isIdentity, withCarried, withEventTime, withFilter, withProjection } from './fusion.ts';
import type { AggregateNode, LogicalPlan, RowFunctionNode } from './logical.ts';
import type { PhysicalOperator, PhysicalPlan, PhysicalSource } from './physical.ts';
import { pushDownProjection } from './push-down.ts';
import { finishFusion, type Partials, partialsOf } from './two-phase.ts';

/**
 * From what a job means to how it runs, in one pass along the chain: projections and filters are fused with what stands
 * before them; the aggregate is split into a local phase (in the head, or behind a row function) and a global one; and
 * columns that nobody reads are not scanned.
 *
 * Throws PLAN_INVALID where a chain cannot run.
 */
export function planJob(plan: LogicalPlan): PhysicalPlan {
  const { source, steps } = chainOf(plan.sink.input);
  checkChain(source, steps);
  const assembly = new Assembly(source);
  steps.forEach((step, i) => {
    assembly.add(
      step,
      steps.slice(i + 1).some(later => later.kind === 'aggregate'),
    );
  });
  return { job: plan.job, ...assembly.close(), sink: plan.sink, options: plan.options };
}

/** What the open fusion will be once it is closed. */
type Opening =
  | { readonly at: 'source' }
  /** Behind a row function: an operator of its own. */
  | { readonly at: 'operator' }
  /** Behind an aggregate: its finish. */
  | { readonly at: 'finish'; readonly of: Omit<WindowAggregateSpec, 'finish'> };

type Head = Omit<PhysicalSource, 'node' | 'outOfOrderMs'>;

class Assembly {
  readonly #source: SourceNode;
  readonly #operators: PhysicalOperator[] = [];
  #opening: Opening = { at: 'source' };
  #fusion: Fusion;
  /** Name of the first operator that was fused since the opening. */
  #name: string | undefined;
  #head: Head | undefined;
  #outOfOrderMs: number | undefined;

  constructor(source: SourceNode) {
    this.#source = source;
    this.#fusion = identity(source.schema);
  }

  add(step: ChainStep, aggregateFollows: boolean): void {
    switch (step.kind) {
      case 'watermark':
        this.#fusion = withEventTime(this.#fusion, step.column);
        this.#outOfOrderMs = step.outOfOrderMs;
        return;
      case 'filter':
        this.#fusion = withFilter(this.#fusion, step.condition);
        this.#name ??= step.name;
        return;
      case 'project':
        this.#fusion = withProjection(this.#fusion, step.columns, step.schema);
        this.#name ??= step.name;
        return;
      case 'rowFunction':
        this.#rowFunction(step, aggregateFollows);
        return;
      case 'aggregate':
        this.#aggregate(step);
        return;
      default:
        unreachable(step);
    }
  }

  close(): Pick<PhysicalPlan, 'source' | 'operators'> {
    this.#closeAsRows(this.#fusion);
    assert(this.#head !== undefined, 'a plan without a head');
    return {
      source: { node: this.#source, ...this.#head, outOfOrderMs: this.#outOfOrderMs },
      operators: this.#operators,
    };
  }

  /** Where an aggregate follows, the event time goes along as a last column that the function does not see. */
  #rowFunction(step: RowFunctionNode, aggregateFollows: boolean): void {
    const carries = aggregateFollows && this.#fusion.eventTime !== undefined;
    const out = carries ? withCarried(this.#fusion, step.schema) : { fusion: this.#fusion, behind: step.schema };
    this.#closeAsRows(out.fusion);
    this.#operators.push({
      kind: 'rowFunction',
      name: step.name,
      apply: step.apply,
      input: out.fusion.schema,
      output: out.behind,
      carried: carries ? 1 : 0,
    });
    this.#open({ at: 'operator' }, identity(out.behind, step.schema.fields.length));
  }

  #aggregate(step: AggregateNode): void {
    const partials = partialsOf(this.#fusion, step);
    this.#closeAsPartials(step, partials);
    this.#open(
      {
        at: 'finish',
        of: {
          kind: 'windowAggregate',
          name: step.name,
          window: step.window,
          partials: partials.schema,
          keys: step.keys.length,
          accumulators: partials.accumulators,
        },
      },
      finishFusion(step, partials),
    );
  }

  #open(opening: Opening, fusion: Fusion): void {
    this.#opening = opening;
    this.#fusion = fusion;
    this.#name = undefined;
  }

  #closeAsRows(fusion: Fusion): void {
    switch (this.#opening.at) {
      case 'source':
        this.#head = {
          head: this.#scan(rowsFragment('head', this.#sourceInput(), fusion)),
          headOneByOne: undefined,
          late: undefined,
        };
        return;
      case 'finish': {
        const { of } = this.#opening;
        const finish = rowsFragment(`${of.name}.finish`, { kind: 'columns', schema: of.partials }, fusion);
        this.#operators.push({ ...of, finish });
        return;
      }
      case 'operator': {
        if (isIdentity(fusion)) return;
        const name = this.#name ?? 'project';
        const fragment = rowsFragment(name, { kind: 'columns', schema: fusion.input }, fusion);
        this.#operators.push({ kind: 'fragment', name, fragment: { ...fragment, eventTime: undefined } });
        return;
      }
      default:
        unreachable(this.#opening);
    }
  }

  #closeAsPartials(step: AggregateNode, partials: Partials): void {
    const fusion = this.#fusion;
    const atSource = this.#opening.at === 'source';
    const input: FragmentInput = atSource ? this.#sourceInput() : { kind: 'columns', schema: fusion.input };
    const local = (id: string, combine: boolean): Fragment => ({
      id,
      input,
      eventTime: fusion.eventTime,
      filter: fusion.filter,
      output: { ...partials.output, local: combine },
    });
    const late = lateFragment(atSource ? 'late' : `${step.name}.late`, input, fusion, step);
    if (atSource) {
      this.#head = {
        head: this.#scan(local('head', true)),
        headOneByOne: this.#scan(local('head.oneByOne', false)),
        late,
      };
      return;
    }
    this.#operators.push({
      kind: 'localAggregate',
      name: `${step.name}.local`,
      fragment: local(`${step.name}.local`, true),
      fragmentOneByOne: local(`${step.name}.local.oneByOne`, false),
      late,
    });
  }

  /** The rows of a collection are read, and checked, as a whole; of JSON only what is used is scanned. */
  #scan(fragment: Fragment): Fragment {
    return fragment.input.kind === 'records' ? pushDownProjection(fragment) : fragment;
  }

  #sourceInput(): FragmentInput {
    const source = this.#source;
    return source.kind === 'kafkaSource'
      ? { kind: 'records', schema: source.schema, json: source.json }
      : { kind: 'columns', schema: source.schema };
  }
}

function rowsFragment(id: string, input: FragmentInput, fusion: Fusion): Fragment {
  const { eventTime, filter, columns, schema } = fusion;
  return { id, input, eventTime, filter, output: { kind: 'rows', columns, schema } };
}

/**
 * Late rows whole, as they were declared (behind a row function: as it returned them), and only those that the
 * aggregate would have taken. A late row never fails a job that would have gone on if it had come in time, so a column
 * that only this fragment reads makes it a dead letter at worst.
 */
function lateFragment(id: string, input: FragmentInput, fusion: Fusion, step: AggregateNode): Fragment {
  const whole = identity(fusion.input, fusion.declared);
  const lenient: FragmentInput =
    input.kind === 'records' && input.json.badRecords === 'fail'
      ? { ...input, json: { ...input.json, badRecords: 'skip' } }
      : input;
  return {
    id,
    input: lenient,
    eventTime: fusion.eventTime,
    filter: fusion.filter,
    output: { kind: 'rows', columns: whole.columns, schema: whole.schema, lateWindow: step.window },
  };
}
