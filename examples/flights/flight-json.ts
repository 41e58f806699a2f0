import type { FlightColumns } from './parquet.ts';

/** No flight's JSON is longer: fixed text, a date of 19 bytes, two integers of at most 11, two airport codes. */
export const flightJsonBytesMax = 256;

/**
 * Writes flights as JSON straight from columns to bytes, without an object or a string a record:
 * `{"date":"2001-01-01T00:01:00","delay":33,"distance":2176,"origin":"LAS","destination":"PHL"}`.
 */
export class FlightJson {
  readonly bytes = Buffer.alloc(flightJsonBytesMax);
  readonly #afterDate = 9 + 19;
  #date = Number.NaN;

  constructor() {
    this.bytes.write('{"date":"');
  }

  /** Writes row `row` from the start of `bytes` and returns its length in bytes. */
  write(flights: FlightColumns, row: number): number {
    const bytes = this.bytes;
    const date = flights.date[row]!;
    // The file is sorted by date, so most rows have the date of the row before.
    if (date !== this.#date) {
      bytes.write(new Date(date).toISOString().slice(0, 19), 9, 'latin1');
      this.#date = date;
    }
    let at = copy(beforeDelay, bytes, this.#afterDate);
    at = writeInteger(flights.delay[row]!, bytes, at);
    at = copy(beforeDistance, bytes, at);
    at = writeInteger(flights.distance[row]!, bytes, at);
    at = copy(beforeOrigin, bytes, at);
    at = copy(flights.airports[flights.origin[row]!]!, bytes, at);
    at = copy(beforeDestination, bytes, at);
    at = copy(flights.airports[flights.destination[row]!]!, bytes, at);
    return copy(end, bytes, at);
  }
}

const beforeDelay = Buffer.from('","delay":');
const beforeDistance = Buffer.from(',"distance":');
const beforeOrigin = Buffer.from(',"origin":"');
const beforeDestination = Buffer.from('","destination":"');
const end = Buffer.from('"}');

function copy(from: Uint8Array, to: Uint8Array, at: number): number {
  for (let i = 0; i < from.length; i++) to[at + i] = from[i]!;
  return at + from.length;
}

/** Decimal digits of a 32-bit integer. */
function writeInteger(value: number, to: Uint8Array, at: number): number {
  let rest = value;
  if (rest < 0) {
    to[at++] = 45;
    rest = -rest;
  }
  let digits = 1;
  for (let limit = 10; rest >= limit; limit *= 10) digits++;
  for (let i = at + digits - 1; i >= at; i--) {
    const tenth = Math.floor(rest / 10);
    to[i] = 48 + rest - tenth * 10;
    rest = tenth;
  }
  return at + digits;
}
