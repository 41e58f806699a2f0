import type { Clock } from '../base/clock.ts';
import type { BrokerInfo, ClusterSettings } from './cluster-state.ts';
import { Group } from './group.ts';
import { kafkaError } from './kafka-errors.ts';

/** The consumer groups of one cluster, and which broker coordinates each. */
export class GroupTable {
  readonly #groups = new Map<string, Group>();
  readonly #brokers: readonly BrokerInfo[];
  readonly #clock: Clock;
  readonly #settings: ClusterSettings;

  constructor(brokers: readonly BrokerInfo[], clock: Clock, settings: ClusterSettings) {
    this.#brokers = brokers;
    this.#clock = clock;
    this.#settings = settings;
  }

  /** The coordinator: by hash of the group's id, the next living broker from there on; none where none lives. */
  coordinatorOf(groupId: string): BrokerInfo | undefined {
    let hash = 0;
    for (let at = 0; at < groupId.length; at++) hash = (Math.imul(hash, 31) + groupId.charCodeAt(at)) >>> 0;
    const count = this.#brokers.length;
    for (let step = 0; step < count; step++) {
      const broker = this.#brokers[(hash + step) % count]!;
      if (broker.alive) return broker;
    }
    return undefined;
  }

  /** Why this broker cannot serve the group, or 0. */
  coordinatorFault(groupId: string, broker: BrokerInfo): number {
    if (groupId === '') return kafkaError.INVALID_GROUP_ID;
    return this.coordinatorOf(groupId) === broker ? kafkaError.NONE : kafkaError.NOT_COORDINATOR;
  }

  get(groupId: string): Group | undefined {
    return this.#groups.get(groupId);
  }

  getOrCreate(groupId: string): Group {
    let group = this.#groups.get(groupId);
    if (group === undefined) {
      group = new Group(groupId, this.#clock, this.#settings);
      this.#groups.set(groupId, group);
    }
    return group;
  }

  coordinatedBy(broker: BrokerInfo): Group[] {
    return [...this.#groups.values()].filter(group => this.coordinatorOf(group.id) === broker);
  }

  delete(groupId: string): number {
    const group = this.#groups.get(groupId);
    if (group === undefined) return kafkaError.GROUP_ID_NOT_FOUND;
    if (group.members.size > 0) return kafkaError.NON_EMPTY_GROUP;
    group.close();
    this.#groups.delete(groupId);
    return kafkaError.NONE;
  }

  /** A deleted topic takes its committed offsets along. */
  forgetTopic(topic: string): void {
    for (const group of this.#groups.values()) group.offsets.delete(topic);
  }

  /** Stops every timer of every group. */
  close(): void {
    for (const group of this.#groups.values()) group.close();
  }
}
