import type { Clock } from '../base/clock.ts';
import { BraidError } from '../base/errors.ts';
import { apiOf } from './apis.ts';

/** A request on its way to its handler, as an interceptor sees it. */
export interface InterceptedRequest {
  readonly apiKey: number;
  readonly apiName: string;
  readonly apiVersion: number;
  readonly correlationId: number;
  readonly clientId: string;
  /** Node id of the broker that got it. */
  readonly broker: number;
  /** Counts the connections of the cluster from 1. */
  readonly connection: number;
  /** What follows the request header: a view. */
  readonly body: Uint8Array;
}

/**
 * What an interceptor wants. Nothing (undefined): let it pass.
 * - `error`: not applied; the answer carries the code where a real broker would put it.
 * - `drop`: not applied, never answered, and the connection stays open.
 * - `loseReply`: applied, never answered, and the connection stays open.
 * - `reset`: not applied, and the connection is reset.
 * - `resetAfter`: applied, and the connection is reset instead of answered.
 */
export type Verdict =
  | undefined
  | { readonly kind: 'error'; readonly code: number }
  | { readonly kind: 'drop' }
  | { readonly kind: 'loseReply' }
  | { readonly kind: 'reset' }
  | { readonly kind: 'resetAfter' };

/** An interceptor that returns a promise holds its request (and what follows on that connection) until it resolves. */
export type Interceptor = (request: InterceptedRequest) => Verdict | Promise<Verdict>;

/** An API by its number or its name in Kafka's protocol ('Produce', 'Fetch', ...); '*' is every API. */
export type ApiSelector = number | string;

export interface FaultScope {
  /** Only at this broker; at all of them by default. */
  readonly broker?: number;
  /** Only for so many requests; without end by default. */
  readonly times?: number;
}

/** Faults on demand: the same ones for a cluster in this process and for one in a child process. */
export interface ClusterFaults {
  /** Closes the listener and resets the connections of a broker, or of all. The log is kept. */
  down(broker?: number): Promise<void>;
  /** Listens again, on the same port. */
  up(broker?: number): Promise<void>;
  /**
   * The broker falls silent: sockets are accepted and never read, answers are held back. Like a stopped process, it
   * applies on `heal` all that reached its sockets, and answers whoever is still connected.
   */
  blackHole(broker?: number): Promise<void>;
  heal(broker?: number): Promise<void>;
  /** Each matching request waits so long before it is applied; 0 takes the delay away. */
  delay(api: ApiSelector, delayMs: number, scope?: FaultScope): Promise<void>;
  /** Matching requests are not applied and get this Kafka error code. */
  errorReply(api: ApiSelector, code: number, scope?: FaultScope): Promise<void>;
  /** Matching requests meet the given verdict. */
  verdict(api: ApiSelector, verdict: NonNullable<Verdict>, scope?: FaultScope): Promise<void>;
  /** Takes delays, error replies, verdicts and interceptors away; what is down or silent stays so. */
  clear(): Promise<void>;
}

interface Rule {
  /** undefined for every API. */
  readonly apiKey: number | undefined;
  readonly broker: number | undefined;
  timesLeft: number;
  readonly isDelay: boolean;
  readonly intercept: Interceptor;
}

/** The rules of one cluster, asked in the order in which they were made; the first verdict wins, delays add up. */
export class FaultRules {
  #rules: Rule[] = [];
  readonly #clock: Clock;
  /** Ends the delays that are under way. */
  readonly #delays = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  intercept(api: ApiSelector, intercept: Interceptor, scope: FaultScope = {}): () => void {
    return this.#add(api, intercept, scope, false);
  }

  delay(api: ApiSelector, delayMs: number, scope: FaultScope = {}): void {
    const apiKey = selectedKey(api);
    this.#rules = this.#rules.filter(rule => !(rule.isDelay && rule.apiKey === apiKey && rule.broker === scope.broker));
    if (delayMs <= 0) return;
    const wait = () =>
      new Promise<undefined>(resolve => {
        const end = () => {
          cancel();
          this.#delays.delete(end);
          resolve(undefined);
        };
        const cancel = this.#clock.after(delayMs, end);
        this.#delays.add(end);
      });
    this.#add(api, wait, scope, true);
  }

  clear(): void {
    this.#rules = [];
  }

  /** Also ends the delays under way, so that a closed cluster leaves no timer. */
  close(): void {
    this.clear();
    for (const end of [...this.#delays]) end();
  }

  /** Undefined at once where no rule matches, so that a healthy cluster pays nothing. */
  verdictOn(request: InterceptedRequest): Verdict | Promise<Verdict> {
    if (this.#rules.length === 0) return undefined;
    const matching = this.#rules.filter(
      rule =>
        (rule.apiKey === undefined || rule.apiKey === request.apiKey) &&
        (rule.broker === undefined || rule.broker === request.broker),
    );
    return matching.length === 0 ? undefined : this.#ask(matching, request);
  }

  async #ask(matching: readonly Rule[], request: InterceptedRequest): Promise<Verdict> {
    for (const rule of matching) {
      if (rule.timesLeft <= 0) continue;
      rule.timesLeft--;
      if (rule.timesLeft <= 0) this.#remove(rule);
      const verdict = await rule.intercept(request);
      if (verdict !== undefined) return verdict;
    }
    return undefined;
  }

  #add(api: ApiSelector, intercept: Interceptor, scope: FaultScope, isDelay: boolean): () => void {
    const rule: Rule = {
      apiKey: selectedKey(api),
      broker: scope.broker,
      timesLeft: scope.times ?? Number.POSITIVE_INFINITY,
      isDelay,
      intercept,
    };
    this.#rules.push(rule);
    return () => this.#remove(rule);
  }

  #remove(rule: Rule): void {
    this.#rules = this.#rules.filter(other => other !== rule);
  }
}

function selectedKey(api: ApiSelector): number | undefined {
  if (api === '*') return undefined;
  const found = apiOf(api);
  if (found === undefined)
    throw new BraidError('OPTION_INVALID', `the embedded cluster has no API ${JSON.stringify(api)}`, {
      place: 'faults',
      hint: "use a name of Kafka's protocol such as 'Produce', a key, or '*'",
    });
  return found.key;
}
