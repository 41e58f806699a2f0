import { BraidError } from '../base/errors.ts';

/** How a cluster is reached. */
export interface ClusterAddress {
  /** Immutable name of the cluster within the job. */
  readonly name: string;
  /** `host:port`, bootstrap; each is tried in turn. */
  readonly brokers: readonly string[];
  /** TLS: `true`, or the options of `tls.connect` (ca, cert, key, servername ...), passed through as kafkajs takes them. */
  readonly ssl?: unknown;
  /** SASL: `{ mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512' | 'oauthbearer' | ..., ... }`, passed through to kafkajs. */
  readonly sasl?: unknown;
  /** Allows PLAIN and OAUTHBEARER without TLS, which sends the secret in clear text: for tests on one machine. */
  readonly allowInsecure?: boolean | undefined;
}

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** `host:port`, or `[v6 address]:port`. OPTION_INVALID otherwise. */
export function parseBroker(broker: string): HostPort {
  const parts = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]/\s]+)):(\d{1,5})$/.exec(broker);
  const port = Number(parts?.[3]);
  const host = parts?.[1] ?? parts?.[2];
  if (host === undefined || !(port > 0 && port < 65536))
    throw new BraidError('OPTION_INVALID', `the broker address ${JSON.stringify(broker)} is not host:port`, {
      place: 'brokers',
      hint: 'give, for example, 127.0.0.1:9092',
    });
  return { host, port };
}

export interface CheckedAddress {
  readonly name: string;
  readonly brokers: readonly HostPort[];
  readonly ssl: object | undefined;
  readonly sasl: { readonly mechanism: string } | undefined;
}

/** Parses an address once, at the border. OPTION_INVALID names what is wrong. */
export function checkAddress(address: ClusterAddress): CheckedAddress {
  const invalid = (sentence: string, place: string, hint?: string): BraidError =>
    new BraidError('OPTION_INVALID', `the cluster ${address.name} ${sentence}`, { place, hint });
  if (address.brokers.length === 0) throw invalid('has no broker address', 'brokers');
  const ssl = address.ssl === true ? {} : address.ssl || undefined;
  if (ssl !== undefined && typeof ssl !== 'object') throw invalid('has an ssl option that is no object', 'ssl');
  const sasl = address.sasl || undefined;
  if (sasl !== undefined && !isSasl(sasl)) throw invalid('has a sasl option without a mechanism', 'sasl');
  const clearText = sasl !== undefined && ['PLAIN', 'OAUTHBEARER'].includes(sasl.mechanism.toUpperCase());
  if (clearText && ssl === undefined && address.allowInsecure !== true)
    throw invalid(
      `would send its ${sasl.mechanism.toUpperCase()} secret in clear text`,
      'sasl',
      'set ssl, or allowInsecure on a machine of your own',
    );
  return { name: address.name, brokers: address.brokers.map(parseBroker), ssl, sasl };
}

function isSasl(value: unknown): value is { readonly mechanism: string } {
  return typeof value === 'object' && value !== null && 'mechanism' in value && typeof value.mechanism === 'string';
}
