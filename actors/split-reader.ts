import type { Clock } from '../lib/base/clock.ts';
import { BraidError, toBraidError } from '../lib/base/errors.ts';
import { Signal } from '../lib/base/signal.ts';
import { type SlabPool, slabBytesMin } from '../lib/data/slab.ts';
import { brokerError, brokerErrorCode } from '../lib/kafka/error-codes.ts';
import type { ClusterClient, FetchedPartition, FetchResponse } from '../lib/kafka/transport.ts';
import { concernsConnection } from './connection.ts';
import { cutPieces } from './cut-pieces.ts';
import { isFetched, nameOf, type Split } from './split.ts';
import { Timers } from './timers.ts';

const offsetOutOfRange = 1;

export interface SplitReaderLimits {
  /** The broker may hold a fetch this long: shorter than half the time after which silence is suspect. */
  readonly waitMsMax: number;
  /** The most that is asked of one partition at a time; a power of two, so that it fills a slab. */
  readonly partitionBytesMax: number;
  /** What the fetches in flight of this reader may claim of the prefetch budget together. */
  readonly inFlightBytesMax: number;
  /** A split with this much in its queue is not fetched for. */
  readonly queuedBytesMax: number;
  readonly queuedRecordsMax: number;
  /** A piece holds at most this many records (one batch at least). */
  readonly pieceRecordsMax: number;
  readonly retryDelayMs: number;
}

export interface SplitReaderPorts {
  readonly clock: Clock;
  readonly slabs: SlabPool;
  /** A piece was queued at its split. */
  readonly onPiece: (split: Split) => void;
  /** The broker says that there is nothing new behind `fetchOffset`. */
  readonly onEmpty: (split: Split) => void;
  /** The broker answers less than it could: what it says about the end of the split's log means nothing. */
  readonly onThrottled: (split: Split) => void;
  /** A request failed as a whole: the connection decides what that means. */
  readonly onRequestFailed: (client: ClusterClient, error: BraidError) => void;
  /** An error that no retry mends. */
  readonly onFatal: (error: BraidError) => void;
}

/**
 * Fetches the splits of one cluster over one generation of its connection: one loop a leading broker, one fetch in
 * flight each, so that the network works while the pool does. Its life ends with the generation: `stop()`, after which
 * late answers are dropped.
 */
export class SplitReader {
  readonly #client: ClusterClient;
  readonly #splits: readonly Split[];
  readonly #limits: SplitReaderLimits;
  readonly #ports: SplitReaderPorts;
  readonly #room = new Signal();
  readonly #timers: Timers;
  /** Brokers that have a loop. */
  readonly #loops = new Set<number>();
  #stopped = false;
  #refreshing: Promise<void> | undefined;

  constructor(client: ClusterClient, splits: readonly Split[], limits: SplitReaderLimits, ports: SplitReaderPorts) {
    this.#client = client;
    this.#splits = splits;
    this.#limits = limits;
    this.#ports = ports;
    this.#timers = new Timers(ports.clock);
  }

  /** Looks up the leaders and starts to fetch. */
  start(): void {
    void this.#refreshLeaders();
  }

  stop(): void {
    this.#stopped = true;
    this.#timers.stop();
    this.#room.notify();
  }

  /** A split has room again, or the job is stopping. */
  wake(): void {
    this.#room.notify();
  }

  #startLoops(): void {
    for (const node of new Set(this.#splits.filter(split => !isFetched(split)).map(split => split.leader))) {
      if (node < 0 || this.#loops.has(node)) continue;
      this.#loops.add(node);
      this.#readFrom(node).catch(thrown => {
        this.#loops.delete(node);
        this.#fail(thrown);
      });
    }
  }

  #fail(thrown: unknown): void {
    if (!this.#stopped) this.#ports.onFatal(toBraidError(thrown));
  }

  async #readFrom(node: number): Promise<void> {
    const turns = new Turns();
    for (;;) {
      const led = this.#splits.filter(split => split.leader === node && !isFetched(split));
      if (this.#stopped || led.length === 0) {
        // At once, not a microtask later: a refresh in between would believe that this loop goes on.
        this.#loops.delete(node);
        return;
      }
      const wanted = led.filter(
        split => split.queuedBytes < this.#limits.queuedBytesMax && split.queuedRecords < this.#limits.queuedRecordsMax,
      );
      if (wanted.length === 0) {
        await this.#room.next();
        continue;
      }
      // Room for the answer is set aside before the question, so that the budget holds whatever comes.
      const share = this.#shareOf(wanted.length);
      const claimed = this.#ports.slabs.claim(share, share);
      if (claimed === 0) await this.#ports.slabs.available(share);
      else await this.#fetch(node, turns, wanted, claimed);
    }
  }

  /** All of it or nothing: a source whose budget is used up would otherwise go on in fetches of the smallest size. */
  #shareOf(splits: number): number {
    const { inFlightBytesMax, partitionBytesMax } = this.#limits;
    const least = Math.min(slabBytesMin, this.#ports.slabs.budgetBytes);
    return Math.max(least, Math.min(inFlightBytesMax / this.#loops.size, partitionBytesMax * splits));
  }

  async #fetch(node: number, turns: Turns, wanted: readonly Split[], claimed: number): Promise<void> {
    const asked = turns
      .order(wanted)
      .slice(0, Math.max(1, Math.floor(claimed / slabBytesMin)))
      .map((split): Asked => ({ split, offset: split.fetchOffset }));
    const bytesMax = Math.min(this.#limits.partitionBytesMax, 2 ** Math.floor(Math.log2(claimed / asked.length)));
    let response: FetchResponse;
    try {
      response = await this.#client.fetch(node, {
        topic: asked[0]!.split.topic,
        partitions: asked.map(({ split, offset }) => ({ partition: split.partition, offset, bytesMax })),
        waitMsMax: this.#limits.waitMsMax,
        bytesMin: 1,
        bytesMax: bytesMax * asked.length,
      });
    } catch (thrown) {
      this.#ports.slabs.unclaim(claimed);
      await this.#recover(thrown);
      await this.#refreshLeaders();
      return;
    }
    let stale: boolean;
    try {
      // A generation that ended while the answer was under way: what it says may be old. Its successor asks again.
      if (this.#stopped) return;
      stale = this.#take(node, turns, asked, response);
    } finally {
      this.#ports.slabs.unclaim(claimed);
    }
    if (response.throttleMs > 0) await this.#timers.pause(response.throttleMs);
    if (stale) {
      await this.#timers.pause(this.#limits.retryDelayMs);
      await this.#refreshLeaders();
    }
  }

  /** Returns whether somebody else leads one of the partitions now. */
  #take(node: number, turns: Turns, asked: readonly Asked[], { partitions, throttleMs }: FetchResponse): boolean {
    let stale = false;
    turns.hungry = undefined;
    for (const part of partitions) {
      const found = asked.find(({ split }) => split.partition === part.partition);
      // Where the leader moved while this answer was under way, the new one was asked for the same offset: the first
      // answer counts.
      if (found === undefined || found.split.fetchOffset !== found.offset) continue;
      const { split } = found;
      if (part.error === 0) {
        if (!this.#accept(split, part, throttleMs > 0, found === asked[0])) turns.hungry = split;
      } else if (split.leader === node) {
        if (brokerErrorCode(part.error).kind === 'retriable') stale = true;
        else this.#refuse(split, part);
      }
    }
    return stale;
  }

  /** A request failed as a whole. What no other try mends is thrown. */
  async #recover(thrown: unknown): Promise<void> {
    if (this.#stopped) return;
    const error = toBraidError(thrown);
    if (concernsConnection(error)) this.#ports.onRequestFailed(this.#client, error);
    else if (!error.retriable || error.code === 'TOPIC_UNKNOWN') throw error;
    await this.#timers.pause(this.#limits.retryDelayMs);
  }

  /** Returns false where the answer held a part of a batch only: the split has to be asked for first. */
  #accept(split: Split, part: FetchedPartition, throttled: boolean, first: boolean): boolean {
    split.highWatermark = part.highWatermark;
    const pieces = cutPieces(split, part.records, first, this.#limits.pieceRecordsMax, this.#ports.slabs);
    if (pieces.length === 0) {
      if (throttled) this.#ports.onThrottled(split);
      else if (part.records.length === 0 && split.fetchOffset >= part.highWatermark) this.#ports.onEmpty(split);
      return part.records.length === 0;
    }
    split.emptySince = undefined;
    for (const piece of pieces) {
      split.pieces.push(piece);
      split.queuedRecords += piece.records;
      split.queuedBytes += piece.end - piece.start;
    }
    split.fetchOffset = pieces.at(-1)!.nextOffset;
    this.#ports.onPiece(split);
    return true;
  }

  #refuse(split: Split, part: FetchedPartition): void {
    const place = `${nameOf(split)}, offset ${split.fetchOffset}`;
    if (part.error === offsetOutOfRange) {
      this.#ports.onFatal(
        new BraidError('OFFSET_OUT_OF_RANGE', 'the log no longer holds the offset to read next', {
          place,
          hint: `the log starts at ${part.logStart}: its retention was shorter than the pause, or the topic was made anew`,
        }),
      );
      return;
    }
    this.#ports.onFatal(brokerError(part.error, 'Fetch', place));
  }

  /** One refresh at a time; afterwards every broker that leads a split has its loop. */
  #refreshLeaders(): Promise<void> {
    this.#refreshing ??= this.#lookUpLeaders()
      .catch(thrown => this.#fail(thrown))
      .finally(() => {
        this.#refreshing = undefined;
        if (!this.#stopped) this.#startLoops();
      });
    return this.#refreshing;
  }

  async #lookUpLeaders(): Promise<void> {
    while (!this.#stopped) {
      try {
        const [topic] = await this.#client.metadata([this.#splits[0]!.topic]);
        if (this.#stopped) return;
        for (const split of this.#splits) {
          split.leader = topic?.partitions.find(each => each.partition === split.partition)?.leader ?? -1;
        }
        // A split between two leaders is asked for again; the others must not wait for it.
        if (this.#splits.some(split => split.leader < 0 && !isFetched(split))) {
          this.#timers.after(this.#limits.retryDelayMs, () => void this.#refreshLeaders());
        }
        return;
      } catch (thrown) {
        await this.#recover(thrown);
      }
    }
  }
}

interface Asked {
  readonly split: Split;
  /** What was asked for. */
  readonly offset: number;
}

/**
 * Whose turn it is at one broker. It promises a whole batch to the first partition of a request only: whoever got none is
 * asked for first, and the others take turns, so that no large batch starves.
 */
class Turns {
  /** A split whose next batch did not fit into the last answer. */
  hungry: Split | undefined;
  #turn = 0;

  order(wanted: readonly Split[]): readonly Split[] {
    const { hungry } = this;
    const start =
      hungry !== undefined && wanted.includes(hungry) ? wanted.indexOf(hungry) : this.#turn++ % wanted.length;
    return [...wanted.slice(start), ...wanted.slice(0, start)];
  }
}
