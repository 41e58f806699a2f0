import { BraidError } from '../base/errors.ts';
import { checkAddress } from '../kafka/address.ts';
import type { ClusterAddress } from '../plan/logical.ts';
import { aBoolean, aName, type Check, invalid, listOf, optional, readOptions, required } from './options.ts';

/** A Kafka cluster. */
export interface KafkaCluster {
  /** Its name within the job: for events, metrics and tags. It stays the same when the brokers change. */
  readonly name: string;
  /** Some of its brokers as `host:port`; the others are found through them. */
  readonly brokers: readonly string[];
  /** TLS: `true`, or the options of Node's `tls.connect`. */
  readonly ssl?: unknown;
  /** SASL, as kafkajs has it: `{ mechanism: 'scram-sha-256', username, password }`. Never logged. */
  readonly sasl?: unknown;
  /** Allows SASL mechanisms that send the secret in clear text (PLAIN, OAUTHBEARER) without TLS: for tests on one machine. Default false. */
  readonly allowInsecure?: boolean;
}

/** `host:port`, with brackets around an IPv6 address. */
const aBroker: Check<string> = (value, place) => {
  const port = typeof value === 'string' ? /^(?:\[[0-9A-Fa-f:.]+\]|[^\s:/@]+):(\d{1,5})$/.exec(value)?.[1] : undefined;
  if (port === undefined || Number(port) === 0 || Number(port) > 65_535)
    throw invalid(place, 'a broker as host:port', value, 'such as localhost:9092');
  return value as string;
};

const anything: Check<unknown> = value => value;

const aCluster: Check<ClusterAddress> = (value, place) => {
  const { ssl, sasl, allowInsecure, ...address } = readOptions<{
    name: string;
    brokers: readonly string[];
    ssl: unknown;
    sasl: unknown;
    allowInsecure: boolean;
  }>(place, value, {
    name: required(aName),
    brokers: required(listOf(aBroker, 'brokers')),
    ssl: optional(anything, undefined),
    sasl: optional(anything, undefined),
    allowInsecure: optional(aBoolean, false),
  });
  const cluster: ClusterAddress = Object.freeze({
    ...address,
    ...(ssl === undefined ? {} : { ssl }),
    ...(sasl === undefined ? {} : { sasl }),
    ...(allowInsecure ? { allowInsecure } : {}),
  });
  try {
    checkAddress(cluster);
  } catch (thrown) {
    if (!(thrown instanceof BraidError)) throw thrown;
    throw new BraidError(thrown.code, thrown.message, { place: `${place}.${thrown.place}`, hint: thrown.hint });
  }
  return cluster;
};

/** One cluster at least, each under a name of its own. */
export const someClusters: Check<readonly ClusterAddress[]> = (value, place) => {
  const clusters = listOf(aCluster, 'clusters')(value, place);
  clusters.forEach((cluster, i) => {
    if (clusters.findIndex(other => other.name === cluster.name) < i)
      throw new BraidError('OPTION_INVALID', `two clusters are called ${cluster.name}`, {
        place: `${place}[${i}].name`,
      });
  });
  return clusters;
};
