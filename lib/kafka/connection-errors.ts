import { BraidError } from '../base/errors.ts';

/** Wording of everything that can go wrong with a socket, in one place. `place` is `CLUSTER at HOST:PORT`. */

export function connectionLost(place: string, reason: string): BraidError {
  return new BraidError('CONNECTION_LOST', `the connection to ${place} was lost: ${reason}`, {
    place,
    hint: 'what was sent and not answered may or may not have been applied',
    retriable: true,
  });
}

export function requestTimedOut(place: string, apiName: string, msMax: number): BraidError {
  return new BraidError('REQUEST_TIMED_OUT', `${place} did not answer ${apiName} within ${msMax} ms`, {
    place,
    hint: 'what was sent may still be applied',
    retriable: true,
  });
}

/** The dial took too long: somebody who never speaks, or who speaks something else. */
export function dialTimedOut(place: string, msMax: number, sawBytes: boolean): BraidError {
  return sawBytes
    ? new BraidError('NOT_KAFKA', `${place} answers, but not as a Kafka broker`, { place, hint: hintPort })
    : new BraidError('CLUSTER_UNREACHABLE', `${place} gave no answer within ${msMax} ms`, {
        place,
        hint: 'a firewall may swallow what is sent there, or something else than a broker may listen',
        retriable: true,
      });
}

const hintPort = 'check the port of the address';

/** What the first bytes from a port give away about it, where it is not a Kafka broker. */
export function foreignProtocol(first: Uint8Array, place: string): BraidError | undefined {
  const text = String.fromCharCode(...first.subarray(0, 8));
  const notKafka = (what: string, hint: string): BraidError =>
    new BraidError('NOT_KAFKA', `${place} speaks ${what}, not Kafka`, { place, hint });
  if (/^(HTTP|<htm|<!DO)/i.test(text)) return notKafka('HTTP', hintPort);
  if (text.startsWith('SSH-')) return notKafka('SSH', hintPort);
  if (first[0] === 0x15 && first[1] === 3) return notKafka('TLS', 'set ssl, or use the plaintext listener');
  return undefined;
}

export function malformedFrame(place: string, what: string, greeted: boolean): BraidError {
  return greeted
    ? new BraidError('RESPONSE_MALFORMED', `${place} sent ${what}`, { place })
    : new BraidError('NOT_KAFKA', `${place} answers, but not as a Kafka broker: it sent ${what}`, {
        place,
        hint: hintPort,
      });
}

const certificateCodes = /CERT|SELF_SIGNED|UNABLE_TO_|ALTNAME|ERR_SSL_TLSV|ERR_SSL_SSLV3_ALERT|CRL|HOSTNAME/;

/** A socket error while dialling. */
export function dialFailed(thrown: unknown, place: string, address: Security, greeted: boolean): BraidError {
  if (thrown instanceof BraidError) return thrown;
  const { code = '', message = String(thrown) } = thrown as NodeJS.ErrnoException;
  const details = { place, cause: thrown };
  if (/wrong version number|packet length too long/i.test(message))
    return new BraidError('NOT_KAFKA', `${place} does not speak TLS`, {
      ...details,
      hint: 'drop ssl, or use the TLS listener',
    });
  if (code === 'ECONNRESET' || code === 'EPIPE') return dialCutOff(place, address, greeted, thrown);
  if (address.ssl !== undefined && certificateCodes.test(code))
    return new BraidError('AUTHENTICATION_FAILED', `the TLS handshake with ${place} failed: ${message}`, {
      ...details,
      hint: 'check ca, cert, key and servername in ssl',
    });
  const [reason, hint] =
    code === 'ECONNREFUSED'
      ? [`nothing listens at ${place}`, 'is the cluster up, and is this the address of a broker?']
      : code === 'ENOTFOUND' || code === 'EAI_AGAIN'
        ? [`the host name of ${place} is unknown`, 'check it, and the name server of this machine']
        : [`${place} could not be reached: ${message}`, undefined];
  return new BraidError('CLUSTER_UNREACHABLE', reason, { ...details, hint, retriable: true });
}

/**
 * The peer hung up in the middle of a dial. Listeners do so where they expect TLS, or SASL: which, shows in whether
 * the broker had answered before (`greeted`).
 */
export function dialCutOff(place: string, address: Security, greeted: boolean, cause?: unknown): BraidError {
  const hint = greeted
    ? address.sasl === undefined
      ? 'does the listener ask for SASL (sasl)?'
      : undefined
    : address.ssl === undefined
      ? 'does the listener ask for TLS (ssl)?'
      : 'does the listener speak TLS?';
  return new BraidError('CLUSTER_UNREACHABLE', `${place} hung up during the handshake`, {
    place,
    hint,
    cause,
    retriable: true,
  });
}

interface Security {
  readonly ssl: object | undefined;
  readonly sasl: object | undefined;
}

export function authenticationFailed(place: string, mechanism: string, thrown: unknown): BraidError {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new BraidError('AUTHENTICATION_FAILED', `${place} refused the ${mechanism} credentials: ${message}`, {
    place,
    hint: 'check mechanism, username and password in sasl, and that this listener asks for SASL',
    cause: thrown,
  });
}

export function destroyed(cluster: string): BraidError {
  return new BraidError('CONNECTION_LOST', `the client of ${cluster} was destroyed`, { place: cluster });
}
