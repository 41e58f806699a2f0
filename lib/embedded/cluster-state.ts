import { randomBytes } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import { GroupTable } from './groups.ts';
import { TopicTable } from './topics.ts';

/** A broker as clients see it in metadata. */
export interface BrokerInfo {
  readonly id: number;
  readonly host: string;
  port: number;
  /** False while the broker is down; a black-holed broker counts as alive, as nobody in its cluster has noticed yet. */
  alive: boolean;
}

/** Limits and habits of a cluster that handlers look up; all with Apache Kafka's defaults unless README.md says why not. */
export interface ClusterSettings {
  readonly autoCreateTopics: boolean;
  readonly defaultPartitions: number;
  readonly requestBytesMax: number;
  readonly groupInitialRebalanceDelayMs: number;
  readonly groupSessionTimeoutMsMin: number;
  readonly groupSessionTimeoutMsMax: number;
}

export const defaultSettings: ClusterSettings = {
  autoCreateTopics: false,
  defaultPartitions: 1,
  requestBytesMax: 100 * 1024 * 1024,
  groupInitialRebalanceDelayMs: 0,
  groupSessionTimeoutMsMin: 6_000,
  groupSessionTimeoutMsMax: 1_800_000,
};

/** What all brokers of one cluster share. One thread owns it, so that every request is applied as a whole. */
export class ClusterState {
  readonly name: string;
  readonly clusterId: string;
  readonly clock: Clock;
  readonly settings: ClusterSettings;
  readonly brokers: readonly BrokerInfo[];
  readonly topics: TopicTable;
  readonly groups: GroupTable;
  #nextProducerId = 0n;
  #connections = 0;

  constructor(name: string, brokerCount: number, clock: Clock, settings: ClusterSettings) {
    this.name = name;
    this.clusterId = newClusterId();
    this.clock = clock;
    this.settings = settings;
    this.brokers = Array.from({ length: brokerCount }, (_, n) => ({
      id: n + 1,
      host: '127.0.0.1',
      port: 0,
      alive: true,
    }));
    this.topics = new TopicTable(
      this.brokers.map(broker => broker.id),
      settings.defaultPartitions,
      node => this.isAlive(node),
    );
    this.groups = new GroupTable(this.brokers, clock, settings);
  }

  /** Some living broker: Apache Kafka's KRaft does not tell clients who the controller is either. */
  get controllerId(): number {
    return this.brokers.find(broker => broker.alive)?.id ?? -1;
  }

  newProducerId(): bigint {
    return this.#nextProducerId++;
  }

  newConnectionId(): number {
    return ++this.#connections;
  }

  setAlive(node: number, alive: boolean): void {
    const broker = this.brokers.find(candidate => candidate.id === node);
    if (broker === undefined || broker.alive === alive) return;
    broker.alive = alive;
    this.topics.elect();
  }

  isAlive(node: number): boolean {
    return this.brokers.some(broker => broker.id === node && broker.alive);
  }
}

/** Sixteen random bytes in base64url; Kafka allows no leading dash. */
function newClusterId(): string {
  return randomBytes(16).toString('base64url').replace(/^-/, 'A');
}
