import { randomUUID } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import type { ClusterSettings } from './cluster-state.ts';
import { kafkaError } from './kafka-errors.ts';

export interface GroupProtocol {
  readonly name: string;
  readonly metadata: Uint8Array;
}
export interface JoinOrder {
  readonly memberId: string;
  /** From JoinGroup 4 on, a new member first gets its id and comes back with it. */
  readonly needsMemberId: boolean;
  readonly clientId: string;
  readonly clientHost: string;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly protocolType: string;
  readonly protocols: readonly GroupProtocol[];
}
export interface JoinAnswer {
  readonly error: number;
  readonly generation: number;
  readonly protocol: string;
  readonly leader: string;
  readonly memberId: string;
  /** Every member with its metadata for the leader, nobody for the others. */
  readonly members: readonly { readonly memberId: string; readonly metadata: Uint8Array }[];
}
export interface SyncAnswer {
  readonly error: number;
  readonly assignment: Uint8Array;
}
export interface CommittedOffset {
  readonly offset: number;
  readonly leaderEpoch: number;
  readonly metadata: string | null;
}
export interface GroupMember {
  readonly id: string;
  readonly clientId: string;
  readonly clientHost: string;
  sessionTimeoutMs: number;
  rebalanceTimeoutMs: number;
  protocols: readonly GroupProtocol[];
  assignment: Uint8Array;
  /** The join or sync request that waits for the others. */
  joining: ((answer: JoinAnswer) => void) | undefined;
  syncing: ((answer: SyncAnswer) => void) | undefined;
  cancelSession: () => void;
}

/** States of Apache Kafka's classic groups. */
export type GroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable';

export const noBytes = new Uint8Array(0);
const ignored = () => undefined;

/**
 * One consumer group by the classic protocol: members join, the leader of the generation assigns, all sync.
 * Apache Kafka's GroupCoordinator is the model (states, error codes, who is answered when); see README.md for what is left out.
 */
export class Group {
  readonly id: string;
  state: GroupState = 'Empty';
  generation = 0;
  protocolType = '';
  protocol = '';
  leader = '';
  readonly members = new Map<string, GroupMember>();
  /** Keyed `topic` then partition. */
  readonly offsets = new Map<string, Map<number, CommittedOffset>>();
  /** Member ids that were given out and have not come back, each with what stops waiting for it. */
  readonly #promised = new Map<string, () => void>();
  readonly #clock: Clock;
  readonly #settings: ClusterSettings;
  #cancelRebalance: () => void = ignored;
  /** True while a new group waits a moment for more members than its first. */
  #gathering = false;

  constructor(id: string, clock: Clock, settings: ClusterSettings) {
    this.id = id;
    this.#clock = clock;
    this.#settings = settings;
  }

  join(order: JoinOrder, answer: (answer: JoinAnswer) => void): void {
    const known = this.members.get(order.memberId);
    const fault = this.#joinFault(order, known);
    if (fault !== kafkaError.NONE) {
      answer(refusedJoin(fault, order.memberId));
    } else if (known !== undefined) {
      this.#rejoin(known, order, answer);
    } else if (order.memberId !== '') {
      this.#forgetPromise(order.memberId);
      this.#add(order.memberId, order, answer);
    } else if (order.needsMemberId) {
      answer(refusedJoin(kafkaError.MEMBER_ID_REQUIRED, this.#promise(order)));
    } else {
      this.#add(newMemberId(order), order, answer);
    }
  }

  sync(
    memberId: string,
    generation: number,
    assignments: ReadonlyMap<string, Uint8Array>,
    answer: (answer: SyncAnswer) => void,
  ): void {
    const member = this.members.get(memberId);
    let fault = this.memberFault(memberId, generation);
    if (fault === kafkaError.NONE && this.state === 'PreparingRebalance') fault = kafkaError.REBALANCE_IN_PROGRESS;
    if (fault !== kafkaError.NONE || member === undefined) {
      answer({ error: fault, assignment: noBytes });
      return;
    }
    this.#touch(member);
    member.syncing = answer;
    if (this.state === 'Stable') {
      this.#answerSync(member, { error: kafkaError.NONE, assignment: member.assignment });
    } else if (memberId === this.leader) {
      this.state = 'Stable';
      for (const each of this.members.values()) {
        each.assignment = assignments.get(each.id)?.slice() ?? noBytes;
        this.#answerSync(each, { error: kafkaError.NONE, assignment: each.assignment });
      }
    }
  }

  heartbeat(memberId: string, generation: number): number {
    const fault = this.memberFault(memberId, generation);
    if (fault !== kafkaError.NONE) return fault;
    this.#touch(this.members.get(memberId)!);
    return this.state === 'PreparingRebalance' ? kafkaError.REBALANCE_IN_PROGRESS : kafkaError.NONE;
  }

  leave(memberId: string): number {
    if (this.#promised.has(memberId)) {
      this.#forgetPromise(memberId);
      this.#completeIfAllJoined();
      return kafkaError.NONE;
    }
    const member = this.members.get(memberId);
    if (member === undefined) return kafkaError.UNKNOWN_MEMBER_ID;
    this.#remove(member);
    return kafkaError.NONE;
  }

  /** Whether an offset commit may pass: a member's, or one from outside while the group is empty. */
  commitFault(memberId: string, generation: number): number {
    if (generation < 0 && this.members.size === 0) return kafkaError.NONE;
    const fault = this.memberFault(memberId, generation);
    if (fault !== kafkaError.NONE) return fault;
    this.#touch(this.members.get(memberId)!);
    return this.state === 'CompletingRebalance' ? kafkaError.REBALANCE_IN_PROGRESS : kafkaError.NONE;
  }

  memberFault(memberId: string, generation: number): number {
    if (!this.members.has(memberId)) return kafkaError.UNKNOWN_MEMBER_ID;
    return generation === this.generation ? kafkaError.NONE : kafkaError.ILLEGAL_GENERATION;
  }

  /** Stops every timer; waiting requests are left to their connections. */
  close(): void {
    this.#cancelRebalance();
    for (const member of this.members.values()) member.cancelSession();
    for (const cancel of this.#promised.values()) cancel();
  }

  #joinFault(order: JoinOrder, known: GroupMember | undefined): number {
    const { memberId, sessionTimeoutMs } = order;
    const { groupSessionTimeoutMsMin, groupSessionTimeoutMsMax } = this.#settings;
    if (sessionTimeoutMs < groupSessionTimeoutMsMin || sessionTimeoutMs > groupSessionTimeoutMsMax)
      return kafkaError.INVALID_SESSION_TIMEOUT;
    if (!this.#accepts(order)) return kafkaError.INCONSISTENT_GROUP_PROTOCOL;
    const unknown = memberId !== '' && known === undefined && !this.#promised.has(memberId);
    return unknown ? kafkaError.UNKNOWN_MEMBER_ID : kafkaError.NONE;
  }

  /** Gives a new member id out; a rebalance waits for its owner until the session time-out. */
  #promise(order: JoinOrder): string {
    const memberId = newMemberId(order);
    const cancel = this.#clock.after(order.sessionTimeoutMs, () => {
      this.#promised.delete(memberId);
      this.#completeIfAllJoined();
    });
    this.#promised.set(memberId, cancel);
    return memberId;
  }

  /** Same kind of protocol as the group's members, and at least one protocol that all of them know. */
  #accepts({ memberId, protocolType, protocols }: JoinOrder): boolean {
    if (protocolType === '' || protocols.length === 0) return false;
    const others = [...this.members.values()].filter(member => member.id !== memberId);
    if (others.length === 0) return true;
    if (protocolType !== this.protocolType) return false;
    return protocols.some(({ name }) => others.every(member => member.protocols.some(p => p.name === name)));
  }

  #add(memberId: string, order: JoinOrder, answer: (answer: JoinAnswer) => void): void {
    if (this.members.size === 0) this.protocolType = order.protocolType;
    const member: GroupMember = {
      id: memberId,
      clientId: order.clientId,
      clientHost: order.clientHost,
      sessionTimeoutMs: order.sessionTimeoutMs,
      rebalanceTimeoutMs: order.rebalanceTimeoutMs,
      protocols: copied(order.protocols),
      assignment: noBytes,
      joining: answer,
      syncing: undefined,
      cancelSession: ignored,
    };
    this.members.set(memberId, member);
    this.#rebalance();
  }

  #rejoin(member: GroupMember, order: JoinOrder, answer: (answer: JoinAnswer) => void): void {
    const changed = !sameProtocols(member.protocols, order.protocols);
    member.sessionTimeoutMs = order.sessionTimeoutMs;
    member.rebalanceTimeoutMs = order.rebalanceTimeoutMs;
    member.protocols = copied(order.protocols);
    const lostItsAnswer = this.state === 'CompletingRebalance' && !changed;
    const onlyAsks = this.state === 'Stable' && !changed && member.id !== this.leader;
    if (lostItsAnswer || onlyAsks) {
      this.#touch(member);
      answer(this.#joinAnswer(member));
      return;
    }
    member.cancelSession();
    member.joining = answer;
    if (this.state === 'PreparingRebalance') this.#completeIfAllJoined();
    else this.#rebalance();
  }

  /** Asks all members to join anew, and waits for them at most for the longest rebalance time-out. */
  #rebalance(): void {
    if (this.state === 'PreparingRebalance') {
      this.#completeIfAllJoined();
      return;
    }
    const firstOfEmpty = this.state === 'Empty';
    for (const member of this.members.values()) {
      if (member.syncing !== undefined) this.#touch(member);
      this.#answerSync(member, { error: kafkaError.REBALANCE_IN_PROGRESS, assignment: noBytes });
    }
    this.state = 'PreparingRebalance';
    const delayMs = this.#settings.groupInitialRebalanceDelayMs;
    const waitForAll = () => {
      this.#gathering = false;
      this.#cancelRebalance = this.#startRebalanceTimer();
      this.#completeIfAllJoined();
    };
    this.#gathering = firstOfEmpty && delayMs > 0;
    if (this.#gathering) this.#cancelRebalance = this.#clock.after(delayMs, waitForAll);
    else waitForAll();
  }

  #startRebalanceTimer(): () => void {
    const timeoutMs = Math.max(0, ...[...this.members.values()].map(member => member.rebalanceTimeoutMs));
    return this.#clock.after(timeoutMs, () => {
      for (const member of [...this.members.values()]) {
        if (member.joining === undefined) this.#forget(member);
      }
      for (const memberId of [...this.#promised.keys()]) this.#forgetPromise(memberId);
      this.#complete();
    });
  }

  #completeIfAllJoined(): void {
    if (this.state !== 'PreparingRebalance' || this.#gathering || this.#promised.size > 0) return;
    if ([...this.members.values()].every(member => member.joining !== undefined)) this.#complete();
  }

  /** Starts the next generation and answers the waiting joins. */
  #complete(): void {
    this.#cancelRebalance();
    this.#cancelRebalance = ignored;
    this.generation++;
    if (this.members.size === 0) {
      this.state = 'Empty';
      this.protocol = '';
      this.leader = '';
      return;
    }
    this.state = 'CompletingRebalance';
    if (!this.members.has(this.leader)) this.leader = [...this.members.keys()][0]!;
    this.protocol = this.#electedProtocol();
    for (const member of this.members.values()) {
      member.assignment = noBytes;
      const answer = member.joining;
      member.joining = undefined;
      this.#touch(member);
      answer?.(this.#joinAnswer(member));
    }
  }

  #joinAnswer(member: GroupMember): JoinAnswer {
    const metadata = (each: GroupMember) => each.protocols.find(p => p.name === this.protocol)?.metadata ?? noBytes;
    return {
      error: kafkaError.NONE,
      generation: this.generation,
      protocol: this.protocol,
      leader: this.leader,
      memberId: member.id,
      members:
        member.id === this.leader
          ? [...this.members.values()].map(each => ({ memberId: each.id, metadata: metadata(each) }))
          : [],
    };
  }

  /** Each member votes for the first of its protocols that all know; most votes win. */
  #electedProtocol(): string {
    const members = [...this.members.values()];
    const votes = new Map<string, number>();
    for (const member of members) {
      const choice = member.protocols.find(({ name }) =>
        members.every(other => other.protocols.some(protocol => protocol.name === name)),
      );
      if (choice !== undefined) votes.set(choice.name, (votes.get(choice.name) ?? 0) + 1);
    }
    return [...votes].sort((a, b) => b[1] - a[1])[0]?.[0] ?? '';
  }

  /** Starts the member's session anew. A member that waits in a join cannot send heartbeats and does not expire. */
  #touch(member: GroupMember): void {
    member.cancelSession();
    member.cancelSession = this.#clock.after(member.sessionTimeoutMs, () => this.#remove(member));
  }

  #remove(member: GroupMember): void {
    this.#forget(member);
    if (this.state === 'PreparingRebalance') this.#completeIfAllJoined();
    else this.#rebalance();
  }

  #forget(member: GroupMember): void {
    member.cancelSession();
    this.members.delete(member.id);
    member.joining?.(refusedJoin(kafkaError.UNKNOWN_MEMBER_ID, member.id));
    member.joining = undefined;
    this.#answerSync(member, { error: kafkaError.UNKNOWN_MEMBER_ID, assignment: noBytes });
  }

  #forgetPromise(memberId: string): void {
    this.#promised.get(memberId)?.();
    this.#promised.delete(memberId);
  }

  #answerSync(member: GroupMember, answer: SyncAnswer): void {
    const waiting = member.syncing;
    member.syncing = undefined;
    waiting?.(answer);
  }
}

/** The answer to a join that is not let in. */
export function refusedJoin(error: number, memberId: string): JoinAnswer {
  return { error, generation: -1, protocol: '', leader: '', memberId, members: [] };
}

function newMemberId({ clientId }: JoinOrder): string {
  return `${clientId}-${randomUUID()}`;
}

/** Metadata are views of a request's bytes: kept ones are copied. */
function copied(protocols: readonly GroupProtocol[]): GroupProtocol[] {
  return protocols.map(({ name, metadata }) => ({ name, metadata: metadata.slice() }));
}

function sameProtocols(a: readonly GroupProtocol[], b: readonly GroupProtocol[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ name, metadata }, at) => name === b[at]!.name && Buffer.compare(metadata, b[at]!.metadata) === 0)
  );
}
