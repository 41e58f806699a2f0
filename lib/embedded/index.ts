/**
 * `braidstream/embedded`: a Kafka cluster for tests and development that runs in this process or in a child process,
 * on loopback ports, and fails on demand. See README.md in this folder for what it does and where it differs from Apache Kafka.
 */
export {
  type ClusterOptions,
  type EmbeddedCluster,
  type RunningCluster,
  startCluster,
  type TopicSpec,
} from './cluster.ts';
export type {
  ApiSelector,
  ClusterFaults,
  FaultScope,
  InterceptedRequest,
  Interceptor,
  Verdict,
} from './faults.ts';
export { type ClusterProcess, startClusterProcess } from './process.ts';
export type { ProcessUsage } from './process-protocol.ts';
