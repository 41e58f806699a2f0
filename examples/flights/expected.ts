import { DuckDBInstance, version } from '@duckdb/node-api';
import { flightsFile } from './parquet.ts';

/** DuckDB's answer to the question that the job answers: a row for each origin and hour of event time. */
export interface ExpectedRows {
  readonly rows: number;
  readonly origin: readonly string[];
  /** Start of the hour: milliseconds since 1970-01-01T00:00:00 without a zone. */
  readonly hour: Float64Array;
  readonly flights: Float64Array;
  readonly meanDelay: Float64Array;
  readonly maxDelay: Float64Array;
  /** Share of flights that were later than 15 minutes. */
  readonly lateShare: Float64Array;
  readonly distance: Float64Array;
}

export const verifiedBy = `DuckDB ${version()}`;

/** Asks DuckDB about the first `records` rows of the Parquet file itself, which no byte of Braid has touched. */
export async function askDuckDB(records: number): Promise<ExpectedRows> {
  const database = await DuckDBInstance.create(':memory:');
  const connection = await database.connect();
  try {
    const result = await connection.run(
      `SELECT origin, epoch_ms(date_trunc('hour', date))::DOUBLE, count(*)::DOUBLE, avg(delay), max(delay)::DOUBLE,
              count(*) FILTER (WHERE delay > 15) / count(*)::DOUBLE, sum(distance)::DOUBLE
       FROM read_parquet($file, file_row_number = true) WHERE file_row_number < $records GROUP BY ALL`,
      { file: flightsFile, records },
    );
    const chunks = await result.fetchAllChunks();
    const rows = chunks.reduce((sum, chunk) => sum + chunk.rowCount, 0);
    const origin: string[] = [];
    const numbers = Array.from({ length: 6 }, () => new Float64Array(rows));
    for (const chunk of chunks) {
      const from = origin.length;
      for (const name of chunk.getColumnValues(0)) origin.push(String(name));
      numbers.forEach((column, i) => {
        chunk.getColumnValues(i + 1).forEach((value, row) => {
          column[from + row] = Number(value);
        });
      });
    }
    const [hour, flights, meanDelay, maxDelay, lateShare, distance] = numbers as [
      Float64Array,
      Float64Array,
      Float64Array,
      Float64Array,
      Float64Array,
      Float64Array,
    ];
    return { rows, origin, hour, flights, meanDelay, maxDelay, lateShare, distance };
  } finally {
    connection.closeSync();
    database.closeSync();
  }
}
