import type { Clock } from '../lib/base/clock.ts';
import { BraidError, toBraidError } from '../lib/base/errors.ts';
import { Signal } from '../lib/base/signal.ts';
import type { SlabPool } from '../lib/data/slab.ts';
import { nextBatch } from '../lib/formats/record-batch/header.ts';
import { brokerError, brokerErrorCode } from '../lib/kafka/error-codes.ts';
import type { ClusterClient, FetchedPartition } from '../lib/kafka/transport.ts';
import { isFetched, nameOf, type Piece, type Split } from './split.ts';

const offsetOutOfRange = 1;

export interface SplitReaderLimits {
  /** The broker may hold a fetch this long: shorter than half the time after which silence is suspect. */
  readonly waitMsMax: number;
  readonly partitionBytesMax: number;
  readonly responseBytesMax: number;
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
  readonly #loops = new Set<number>();
  #stopped = false;
  #refreshing: Promise<void> | undefined;
  /** A split whose next batch did not fit into the last answer. */
  #hungry: Split | undefined;
  #turn = 0;

  constructor(client: ClusterClient, splits: readonly Split[], limits: SplitReaderLimits, ports: SplitReaderPorts) {
    this.#client = client;
    this.#splits = splits;
    this.#limits = limits;
    this.#ports = ports;
  }

  /** Looks up the leaders and starts to fetch. */
  start(): void {
    void this.#refreshLeaders();
  }

  stop(): void {
    this.#stopped = true;
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
      void this.#readFrom(node)
        .catch(thrown => this.#ports.onFatal(toBraidError(thrown)))
        .finally(() => this.#loops.delete(node));
    }
  }

  async #readFrom(node: number): Promise<void> {
    while (!this.#stopped) {
      const led = this.#splits.filter(split => split.leader === node && !isFetched(split));
      if (led.length === 0) return;
      if (this.#ports.slabs.exhausted) {
        await this.#ports.slabs.available();
        continue;
      }
      const wanted = led.filter(
        split => split.queuedBytes < this.#limits.queuedBytesMax && split.queuedRecords < this.#limits.queuedRecordsMax,
      );
      if (wanted.length === 0) {
        await this.#room.next();
        continue;
      }
      await this.#fetch(node, this.#inTurn(wanted));
    }
  }

  /**
   * A broker promises a whole batch to the first partition of a request only: whoever got none is asked for first, and
   * the others take turns, so that no large batch starves.
   */
  #inTurn(wanted: readonly Split[]): readonly Split[] {
    const hungry = this.#hungry;
    const start =
      hungry !== undefined && wanted.includes(hungry) ? wanted.indexOf(hungry) : this.#turn++ % wanted.length;
    return [...wanted.slice(start), ...wanted.slice(0, start)];
  }

  async #fetch(node: number, wanted: readonly Split[]): Promise<void> {
    let response: Awaited<ReturnType<ClusterClient['fetch']>>;
    try {
      response = await this.#client.fetch(node, {
        topic: wanted[0]!.topic,
        partitions: wanted.map(split => ({
          partition: split.partition,
          offset: split.fetchOffset,
          bytesMax: this.#limits.partitionBytesMax,
        })),
        waitMsMax: this.#limits.waitMsMax,
        bytesMin: 1,
        bytesMax: this.#limits.responseBytesMax,
      });
    } catch (thrown) {
      if (this.#stopped) return;
      this.#ports.onRequestFailed(this.#client, toBraidError(thrown, 'CONNECTION_LOST'));
      await this.#pause(this.#limits.retryDelayMs);
      await this.#refreshLeaders();
      return;
    }
    // A generation that ended while the answer was under way: what it says may be old. Its successor asks again.
    if (this.#stopped) return;
    let stale = false;
    this.#hungry = undefined;
    for (const part of response.partitions) {
      const split = wanted.find(each => each.partition === part.partition);
      if (split === undefined) continue;
      if (part.error === 0) this.#accept(split, part, response.throttleMs > 0, split === wanted[0]);
      else if (brokerErrorCode(part.error).kind === 'retriable') stale = true;
      else this.#refuse(split, part);
    }
    if (response.throttleMs > 0) await this.#pause(response.throttleMs);
    if (stale) {
      await this.#pause(this.#limits.retryDelayMs);
      await this.#refreshLeaders();
    }
  }

  #accept(split: Split, part: FetchedPartition, throttled: boolean, first: boolean): void {
    split.highWatermark = part.highWatermark;
    const pieces = this.#cut(split, part.records, first);
    if (pieces.length === 0) {
      if (!throttled && split.fetchOffset >= part.highWatermark) this.#ports.onEmpty(split);
      return;
    }
    split.emptySince = undefined;
    for (const piece of pieces) {
      split.pieces.push(piece);
      split.queuedRecords += piece.records;
      split.queuedBytes += piece.end - piece.start;
    }
    split.fetchOffset = pieces.at(-1)!.nextOffset;
    this.#ports.onPiece(split);
  }

  /** Copies the fetched batches into a slab, once, and cuts them into pieces at batch borders. */
  #cut(split: Split, records: Uint8Array, first: boolean): Piece[] {
    const place = nameOf(split);
    const ranges: { start: number; end: number; nextOffset: number; records: number }[] = [];
    let end = 0;
    for (
      let header = nextBatch(records, 0, records.length, place);
      header !== undefined;
      header = nextBatch(records, end, records.length, place)
    ) {
      const last = ranges.at(-1);
      const count = header.control ? 0 : header.records;
      if (last !== undefined && last.records + count <= this.#limits.pieceRecordsMax) {
        ranges[ranges.length - 1] = {
          start: last.start,
          end: header.end,
          nextOffset: header.nextOffset,
          records: last.records + count,
        };
      } else {
        ranges.push({ start: header.start, end: header.end, nextOffset: header.nextOffset, records: count });
      }
      end = header.end;
    }
    if (records.length > 0 && ranges.length === 0) {
      if (first) {
        throw new BraidError(
          'BATCH_CORRUPT',
          `the broker sent ${records.length} bytes that hold no whole record batch`,
          { place: `${place}, offset ${split.fetchOffset}` },
        );
      }
      this.#hungry = split;
    }
    if (ranges.length === 0) return [];
    const slab = this.#ports.slabs.hold(records.subarray(0, end));
    let fromOffset = split.fetchOffset;
    return ranges.map((range, i) => {
      if (i > 0) slab.retain();
      const piece: Piece = {
        split,
        slab,
        start: range.start,
        end: range.end,
        fromOffset,
        nextOffset: range.nextOffset,
        records: range.records,
      };
      fromOffset = range.nextOffset;
      return piece;
    });
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
    this.#refreshing ??= this.#lookUpLeaders().finally(() => {
      this.#refreshing = undefined;
      if (!this.#stopped) this.#startLoops();
    });
    return this.#refreshing;
  }

  async #lookUpLeaders(): Promise<void> {
    while (!this.#stopped) {
      try {
        const [topic] = await this.#client.metadata([this.#splits[0]!.topic]);
        for (const split of this.#splits) {
          split.leader = topic?.partitions.find(each => each.partition === split.partition)?.leader ?? -1;
        }
        // A split between two leaders is asked for again; the others must not wait for it.
        if (this.#splits.some(split => split.leader < 0 && !isFetched(split))) {
          this.#ports.clock.after(this.#limits.retryDelayMs, () => {
            if (!this.#stopped) void this.#refreshLeaders();
          });
        }
        return;
      } catch (thrown) {
        if (this.#stopped) return;
        this.#ports.onRequestFailed(this.#client, toBraidError(thrown, 'CONNECTION_LOST'));
      }
      await this.#pause(this.#limits.retryDelayMs);
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise(resolve => this.#ports.clock.after(ms, resolve));
  }
}
