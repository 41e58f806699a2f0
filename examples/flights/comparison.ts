import type { ExpectedRows } from './expected.ts';

/** How what was read back from `delays` compares with DuckDB's answer. */
export interface Account {
  /** Distinct tags. */
  readonly recordsOut: number;
  /** Records in both topics minus distinct tags: what a reader that does not look at tags sees twice. */
  readonly duplicates: number;
  /** Rows of DuckDB without a record. */
  readonly lost: number;
  /** Rows of DuckDB under more than one tag. */
  readonly doubled: number;
  /** Records that differ from DuckDB's row, have none, have no tag, or cannot be read. */
  readonly mismatches: number;
  /** The first few of them, in words. */
  readonly differences: readonly string[];
}

/** A record of `delays` as it lies in a topic. */
export interface DelayRecord {
  /** The tag without `dup`, the same for all copies; undefined where there is no tag. */
  readonly identity: string | undefined;
  readonly key: string | undefined;
  readonly value: string;
  /** Cluster, partition and offset, for messages. */
  readonly place: string;
}

const differencesMax = 5;

/** Compares records with DuckDB's rows, one after the other, in any order; doubles bit for bit. */
export class Comparison {
  /** What is compared, by its name in the record. */
  readonly #columns: readonly (readonly [string, Float64Array])[];
  readonly #rowOf = new Map<string, number>();
  /** How many tags a row of DuckDB was found under. */
  readonly #tagsOf: Uint8Array;
  readonly #rowOfTag = new Map<string, number>();
  readonly #differences: string[] = [];
  #records = 0;
  #untagged = 0;
  #mismatches = 0;

  constructor(expected: ExpectedRows) {
    const { flights, meanDelay, maxDelay, lateShare, distance } = expected;
    this.#columns = Object.entries({ flights, meanDelay, maxDelay, lateShare, distance });
    this.#tagsOf = new Uint8Array(expected.rows);
    for (let row = 0; row < expected.rows; row++) this.#rowOf.set(`${expected.origin[row]} ${expected.hour[row]}`, row);
  }

  add(record: DelayRecord): void {
    this.#records++;
    const { row, difference } = this.#read(record);
    const { identity } = record;
    const known = identity === undefined ? undefined : this.#rowOfTag.get(identity);
    if (identity === undefined) this.#untagged++;
    else if (known === undefined) {
      this.#rowOfTag.set(identity, row);
      if (row !== noRow) this.#tagsOf[row] = Math.min(255, this.#tagsOf[row]! + 1);
    }
    if (difference !== undefined) this.#differ(record, difference);
    else if (identity === undefined) this.#differ(record, 'it has no tag');
    else if (known !== undefined && known !== row) this.#differ(record, 'its tag belongs to another row');
  }

  account(): Account {
    let lost = 0;
    let doubled = 0;
    for (const tags of this.#tagsOf) {
      if (tags === 0) lost++;
      if (tags > 1) doubled++;
    }
    const recordsOut = this.#rowOfTag.size;
    const duplicates = this.#records - this.#untagged - recordsOut;
    return { recordsOut, duplicates, lost, doubled, mismatches: this.#mismatches, differences: this.#differences };
  }

  #differ(record: DelayRecord, difference: string): void {
    this.#mismatches++;
    if (this.#differences.length < differencesMax)
      this.#differences.push(`${record.place}: ${difference}: ${record.value.slice(0, 200)}`);
  }

  /** DuckDB's row for the record, and in words what is different if anything is. */
  #read(record: DelayRecord): { row: number; difference?: string } {
    let value: Record<string, unknown>;
    try {
      value = JSON.parse(record.value) as Record<string, unknown>;
    } catch {
      return { row: noRow, difference: 'it is no JSON' };
    }
    if (value === null || typeof value !== 'object') return { row: noRow, difference: 'it is no JSON object' };
    const row = this.#rowOf.get(`${value.origin} ${Date.parse(`${value.hour}Z`)}`);
    if (row === undefined) return { row: noRow, difference: 'DuckDB has no such origin and hour' };
    if (record.key !== value.origin) return { row, difference: `its key is ${record.key}` };
    for (const [name, column] of this.#columns)
      if (!Object.is(value[name], column[row])) return { row, difference: `DuckDB has ${name} ${column[row]}` };
    return { row };
  }
}

/** Stands for a record that belongs to no row of DuckDB. */
const noRow = -1;
