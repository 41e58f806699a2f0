import { Channel } from '../lib/base/channel.ts';
import type { BraidError } from '../lib/base/errors.ts';
import type { KafkaSourceNode } from '../lib/plan/logical.ts';
import type { PhysicalPlan, PhysicalSource } from '../lib/plan/physical.ts';
import type { FragmentPool, FragmentPoolOptions } from '../lib/workers/pool.ts';
import type { ActorSystemPorts } from './chart-actor.ts';
import { ClusterSink } from './cluster-sink.ts';
import { ClusterSource } from './cluster-source.ts';
import { CollectionSource } from './collection-source.ts';
import { CollectorSink } from './collector-sink.ts';
import type { Connection } from './connection.ts';
import { OperatorActor } from './operator.ts';
import type { Reports } from './reports.ts';
import { createStage } from './stage.ts';
import { type StreamItem, weighItem } from './stream-item.ts';
import { WorkerPool } from './worker-pool.ts';

/** Rows that may wait between two actors: a few tasks' worth, so that no side waits for a turn of the other. */
const channelRowsMax = 64 * 1024;

export interface PartHandlers {
  onReady(part: 'pool' | 'source' | 'sink'): void;
  onExhausted(): void;
  onDrained(): void;
  onFailed(part: string, error: BraidError): void;
  onFirstRecord(): void;
}

/** The actors of a job, from source to sink, with the channels between them. */
export interface JobParts {
  readonly source: ClusterSource | CollectionSource;
  readonly operators: readonly OperatorActor[];
  readonly sink: ClusterSink | CollectorSink;
  start(): void;
  /** Ends all of them, with the error that ended the job if there was one. */
  close(error: BraidError | undefined): Promise<void>;
}

export function makeParts(
  plan: PhysicalPlan,
  connections: ReadonlyMap<string, Connection>,
  reports: Reports,
  ports: ActorSystemPorts,
  makePool: ((options: FragmentPoolOptions) => FragmentPool) | undefined,
  handlers: PartHandlers,
): JobParts {
  // Whatever may throw comes before the threads.
  const stages = plan.operators.map(createStage);
  const channels: Channel<StreamItem>[] = [];
  const channel = (): Channel<StreamItem> => {
    const made = new Channel(channelRowsMax, weighItem);
    channels.push(made);
    return made;
  };
  const fragments = [plan.source.head, plan.source.headOneByOne].filter(fragment => fragment !== undefined);
  const pool = new WorkerPool(
    plan.source.node.kind === 'kafkaSource' ? plan.options.threads : 0,
    fragments,
    makePool,
    { onReady: () => handlers.onReady('pool'), onFailed: error => handlers.onFailed('pool', error) },
    reports,
    ports,
  );

  let upstream = channel();
  const sourceHandlers = {
    onReading: () => handlers.onReady('source'),
    onExhausted: () => handlers.onExhausted(),
    onFailed: (error: BraidError) => handlers.onFailed(plan.source.node.name, error),
    onFirstRecord: () => handlers.onFirstRecord(),
  };
  const { node } = plan.source;
  const source =
    node.kind === 'kafkaSource'
      ? new ClusterSource(
          plan.source as PhysicalSource & { readonly node: KafkaSourceNode },
          connections,
          pool.pool,
          upstream,
          sourceHandlers,
          reports,
          ports,
        )
      : new CollectionSource({ ...plan.source, node }, upstream, sourceHandlers);

  const operators = plan.operators.map((spec, at) => {
    const output = channel();
    const operator = new OperatorActor(
      spec.name,
      stages[at]!,
      upstream,
      output,
      { onFailed: error => handlers.onFailed(spec.name, error) },
      reports,
      ports,
    );
    upstream = output;
    return operator;
  });

  const sinkHandlers = {
    onWriting: () => handlers.onReady('sink'),
    onDrained: () => handlers.onDrained(),
    onFailed: (error: BraidError) => handlers.onFailed(plan.sink.name, error),
  };
  const sink =
    plan.sink.kind === 'kafkaSink'
      ? new ClusterSink(plan.job, plan.sink, connections, upstream, sinkHandlers, reports, ports)
      : new CollectorSink(plan.sink, upstream, sinkHandlers);

  return {
    source,
    operators,
    sink,
    start() {
      // From the sink up, so that whoever receives is there before anything is sent.
      sink.start();
      for (const operator of operators) operator.start();
      pool.start();
      source.start();
      if (node.kind !== 'kafkaSource') handlers.onReady('source');
      if (plan.sink.kind !== 'kafkaSink') handlers.onReady('sink');
    },
    async close(error) {
      source.abort();
      for (const operator of operators) operator.abort();
      sink.abort(error);
      for (const each of channels) letGo(each);
      await pool.close();
    },
  };
}

/** What nobody will take any more gives its memory back. */
function letGo(channel: Channel<StreamItem>): void {
  for (let item = channel.take(); item !== undefined; item = channel.take()) {
    if (item.kind === 'data') item.flow.origin?.release();
  }
}
