import { clusterSinkMachine } from './cluster-sink.ts';
import { clusterSourceMachine } from './cluster-source.ts';
import { connectionMachine } from './connection.ts';
import { jobMachine } from './job.ts';
import { operatorMachine } from './operator.ts';
import { workerPoolMachine } from './worker-pool.ts';

/** Every chart by its name. Drawings, specs and the tap go through this list, so a chart that is not here does not exist. */
export const charts = {
  job: jobMachine,
  operator: operatorMachine,
  connection: connectionMachine,
  clusterSource: clusterSourceMachine,
  clusterSink: clusterSinkMachine,
  workerPool: workerPoolMachine,
} as const;

export type { ClusterSinkContext, ClusterSinkEvent, ClusterSinkInput } from './cluster-sink.ts';
export type { ClusterSourceContext, ClusterSourceEvent, ClusterSourceInput } from './cluster-source.ts';
export type { ConnectionContext, ConnectionEvent, ConnectionInput } from './connection.ts';
export type { Failure } from './failure.ts';
export type { JobContext, JobEvent, JobInput } from './job.ts';
export type { OperatorContext, OperatorEvent, OperatorInput } from './operator.ts';
export type { WorkerPoolContext, WorkerPoolEvent, WorkerPoolInput } from './worker-pool.ts';
export { clusterSinkMachine, clusterSourceMachine, connectionMachine, jobMachine, operatorMachine, workerPoolMachine };
