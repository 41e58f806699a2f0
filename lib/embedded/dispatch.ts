import { ByteReader } from '../base/byte-reader.ts';
import { BraidError } from '../base/errors.ts';
import type { Api, ApiAnswer } from './api.ts';
import { apiOf, apis } from './apis.ts';
import type { BrokerInfo, ClusterState } from './cluster-state.ts';
import type { FaultRules, InterceptedRequest, Verdict } from './faults.ts';

/** What becomes of one request on its connection. */
export type Outcome =
  | { readonly kind: 'answer'; readonly pieces: readonly Uint8Array[] }
  /** Nothing is sent: acks = 0, or a lost answer. */
  | { readonly kind: 'silent' }
  /** The broker closes the connection, as it does on what it cannot read. */
  | { readonly kind: 'close'; readonly reason: string }
  | { readonly kind: 'reset' };

/** What a broker gives its connections to work with. */
export interface BrokerHost {
  readonly cluster: ClusterState;
  readonly broker: BrokerInfo;
  readonly faults: FaultRules;
  /** Resolves when the broker is not silent; at once where it is not. */
  whenHeard(): Promise<void>;
}

/** Who sent a request. */
export interface ClientConnection {
  readonly id: number;
  readonly clientHost: string;
  /** True once the broker has dropped the connection: what waits on it is not applied any more. */
  readonly dropped: boolean;
  onClosed(callback: () => void): () => void;
}

interface Request {
  readonly api: Api;
  readonly apiVersion: number;
  readonly correlationId: number;
  readonly clientId: string;
  readonly body: ByteReader;
}

const apiVersionsKey = 18;
/** From this version on, ApiVersions has a request header with tagged fields. */
const apiVersionsFlexible = 3;

const silent: Outcome = { kind: 'silent' };

/** Reads the header of a request, asks the faults, and lets the handler of its API answer. */
export function dispatch(host: BrokerHost, client: ClientConnection, frame: Uint8Array): Outcome | Promise<Outcome> {
  const request = closingOnMalformed(() => readRequest(frame));
  if ('kind' in request) return request;
  const verdict = host.faults.verdictOn(intercepted(host, client, request, frame));
  if (!(verdict instanceof Promise)) return apply(host, client, request, verdict);
  return verdict.then(async decided => {
    // A request that was delayed into a silence is applied when the silence ends.
    await host.whenHeard();
    return client.dropped ? silent : apply(host, client, request, decided);
  });
}

function apply(
  host: BrokerHost,
  client: ClientConnection,
  request: Request,
  verdict: Verdict,
): Outcome | Promise<Outcome> {
  if (verdict?.kind === 'drop') return silent;
  if (verdict?.kind === 'reset') return { kind: 'reset' };
  const answer = closingOnMalformed(() =>
    request.api.handle({
      cluster: host.cluster,
      broker: host.broker,
      apis,
      version: request.apiVersion,
      clientId: request.clientId,
      clientHost: client.clientHost,
      body: request.body,
      injectedError: verdict?.kind === 'error' ? verdict.code : 0,
      onClosed: callback => client.onClosed(callback),
    }),
  );
  if (answer instanceof Promise) return answer.then(late => outcome(request, late, verdict));
  if (typeof answer === 'object' && 'kind' in answer) return answer;
  return outcome(request, answer, verdict);
}

function outcome(request: Request, answer: ApiAnswer, verdict: Verdict): Outcome {
  if (verdict?.kind === 'loseReply') return silent;
  if (verdict?.kind === 'resetAfter') return { kind: 'reset' };
  if (answer === 'none') return silent;
  if (answer === 'close') return { kind: 'close', reason: 'a request without answer failed' };
  const body = 'view' in answer ? [answer.view()] : answer;
  return { kind: 'answer', pieces: [responseHeader(request.correlationId, body), ...body] };
}

/** Size and correlation id: response header version 0, which all versions served here have. */
function responseHeader(correlationId: number, body: readonly Uint8Array[]): Uint8Array {
  const header = Buffer.allocUnsafe(8);
  header.writeInt32BE(body.reduce((bytes, piece) => bytes + piece.length, 4));
  header.writeInt32BE(correlationId, 4);
  return header;
}

function readRequest(frame: Uint8Array): Request | Outcome {
  const body = new ByteReader(frame);
  const apiKey = body.int16();
  const apiVersion = body.int16();
  const correlationId = body.int32();
  const clientId = body.nullableString() ?? '';
  const api = apiOf(apiKey);
  if (api === undefined) return { kind: 'close', reason: `API ${apiKey} is not served` };
  if (apiKey === apiVersionsKey) {
    if (apiVersion === apiVersionsFlexible) body.taggedFields();
  } else if (apiVersion < api.min || apiVersion > api.max) {
    return { kind: 'close', reason: `${api.name} ${apiVersion} is not served` };
  }
  return { api, apiVersion, correlationId, clientId, body };
}

function intercepted(
  host: BrokerHost,
  client: ClientConnection,
  request: Request,
  frame: Uint8Array,
): InterceptedRequest {
  return {
    apiKey: request.api.key,
    apiName: request.api.name,
    apiVersion: request.apiVersion,
    correlationId: request.correlationId,
    clientId: request.clientId,
    broker: host.broker.id,
    connection: client.id,
    body: frame.subarray(request.body.position),
  };
}

/** Bytes that do not read as what they should be close the connection; any other error is a defect and goes up. */
function closingOnMalformed<T>(work: () => T): T | Outcome {
  try {
    return work();
  } catch (error) {
    if (error instanceof BraidError && error.code === 'RESPONSE_MALFORMED')
      return { kind: 'close', reason: `malformed request: ${error.message}` };
    throw error;
  }
}
