import type { ClusterOptions, TopicSpec } from './cluster.ts';
import type { ApiSelector, FaultScope, Verdict } from './faults.ts';

/**
 * What a parent and the child process that runs its cluster say to one another over the IPC channel. Messages are
 * cloned (serialization 'advanced'), so bytes travel as bytes.
 */
export interface CommandArguments {
  readonly down: [broker: number | undefined];
  readonly up: [broker: number | undefined];
  readonly blackHole: [broker: number | undefined];
  readonly heal: [broker: number | undefined];
  readonly delay: [api: ApiSelector, delayMs: number, scope: FaultScope | undefined];
  readonly errorReply: [api: ApiSelector, code: number, scope: FaultScope | undefined];
  readonly verdict: [api: ApiSelector, verdict: NonNullable<Verdict>, scope: FaultScope | undefined];
  readonly clear: [];
  readonly createTopic: [topic: TopicSpec];
  readonly endOffset: [topic: string, partition: number];
  readonly records: [topic: string, partition: number];
  readonly append: [topic: string, partition: number, batch: Uint8Array];
  readonly usage: [];
}
export type CommandName = keyof CommandArguments;

/** Parent to child; the first message starts the cluster. */
export type ParentMessage =
  | { readonly kind: 'start'; readonly options: ClusterOptions }
  | { readonly kind: 'call'; readonly id: number; readonly name: CommandName; readonly args: readonly unknown[] };

export interface PlainError {
  readonly code: string;
  readonly sentence: string;
  readonly place: string | undefined;
  readonly hint: string | undefined;
}

/** Child to parent. */
export type ChildMessage =
  | { readonly kind: 'started'; readonly bootstrap: readonly string[] }
  | { readonly kind: 'failed'; readonly error: PlainError }
  | { readonly kind: 'result'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'error'; readonly id: number; readonly error: PlainError };

export interface ProcessUsage {
  /** User and system time since the process started. */
  readonly cpuSeconds: number;
  /** The largest resident set so far. */
  readonly rssBytesMax: number;
}
