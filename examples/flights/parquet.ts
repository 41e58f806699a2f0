import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parquetMetadata, parquetRead } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';

/**
 * Three million flights inside the United States, January to July 2001, sorted by date, as `vega-datasets` ships them
 * (BSD-3; from the US Bureau of Transportation Statistics). The real world is in them: delays go from -1116 minutes to 1688.
 */
export const flightsFile = fileURLToPath(new URL('../data/flights-3m.parquet', import.meta.resolve('vega-datasets')));

export const flightsInFile = 3_000_000;

/** One row group of the file as columns. Row i of the group is row `firstRow + i` of the file. */
export interface FlightColumns {
  readonly firstRow: number;
  readonly rows: number;
  /** Milliseconds since 1970-01-01T00:00:00 without a zone. */
  readonly date: Float64Array;
  /** Minutes. */
  readonly delay: Int32Array;
  /** Miles. */
  readonly distance: Int32Array;
  /** Positions in `airports`. */
  readonly origin: Uint16Array;
  readonly destination: Uint16Array;
  /** Codes of airports as bytes; grows from group to group, and an airport keeps its position. */
  readonly airports: readonly Uint8Array[];
}

/** The first `rowsMax` flights in the order of the file, a row group (272,727 rows) at a time. */
export async function* readFlights(rowsMax = flightsInFile): AsyncGenerator<FlightColumns> {
  const bytes = await readFile(flightsFile);
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  const metadata = parquetMetadata(file);
  const airports = new AirportNames();
  const parsers = {
    timestampFromMicroseconds: (micros: bigint) => Number(micros / 1000n),
    stringFromBytes: (name: Uint8Array) => airports.position(name),
  };
  let firstRow = 0;
  for (const group of metadata.row_groups) {
    if (firstRow >= rowsMax) return;
    const groupRows = Number(group.num_rows);
    const rows = Math.min(groupRows, rowsMax - firstRow);
    const columns = {
      date: new Float64Array(groupRows),
      delay: new Int32Array(groupRows),
      distance: new Int32Array(groupRows),
      origin: new Uint16Array(groupRows),
      destination: new Uint16Array(groupRows),
    };
    const groupStart = firstRow;
    await parquetRead({
      file,
      metadata,
      compressors,
      parsers,
      rowStart: groupStart,
      rowEnd: groupStart + groupRows,
      onChunk: chunk => {
        const column = columns[chunk.columnName as keyof typeof columns];
        if (column !== undefined) copyNumbers(chunk.columnData, column, chunk.rowStart - groupStart, chunk.columnName);
      },
    });
    yield { firstRow, rows, ...columns, airports: airports.names };
    firstRow += groupRows;
  }
}

function copyNumbers(from: ArrayLike<unknown>, to: Float64Array | Int32Array | Uint16Array, at: number, name: string) {
  for (let i = 0; i < from.length; i++) {
    const value = from[i];
    if (value === null || value === undefined)
      throw new Error(`${flightsFile}: ${name} is missing in a row, which this example has no place for`);
    to[at + i] = Number(value);
  }
}

class AirportNames {
  readonly names: Uint8Array[] = [];
  readonly #positions = new Map<string, number>();

  position(name: Uint8Array): number {
    const text = Buffer.from(name.buffer, name.byteOffset, name.byteLength).toString('latin1');
    let position = this.#positions.get(text);
    if (position === undefined) {
      position = this.names.push(name.slice()) - 1;
      this.#positions.set(text, position);
    }
    return position;
  }
}
