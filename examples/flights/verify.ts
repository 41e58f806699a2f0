import { createClientFactory } from '../../lib/kafka/client.ts';
import { readTopic } from '../../lib/kafka/read-topic.ts';
import { readTag, tagIdentity } from '../../lib/kafka/tag.ts';
import { type Account, Comparison } from './comparison.ts';
import { askDuckDB, verifiedBy } from './expected.ts';
import { serveParent } from './side-process.ts';
import { type ClusterAddress, delaysTopic, partitionsOfTopic } from './topics.ts';

/** A process that reads `delays` back from all clusters and compares it with DuckDB's answer on the Parquet file. */
export interface VerifyInput {
  readonly clusters: readonly ClusterAddress[];
  /** The job read the first so many flights. */
  readonly records: number;
}
export interface VerifyProgress {
  readonly records: number;
  readonly total: number;
}
export interface VerifyResult {
  readonly account: Account;
  readonly by: string;
}

const tellEvery = 20_000;

serveParent<VerifyInput, VerifyProgress, VerifyResult>(async ({ clusters, records }, tell) => {
  const comparison = new Comparison(await askDuckDB(records));
  const clients = clusters.map(cluster => createClientFactory(cluster)(1));
  try {
    let total = 0;
    for (const client of clients) {
      await client.connect();
      const partitions = Array.from({ length: partitionsOfTopic }, (_, partition) => partition);
      const ends = await client.listOffsets(delaysTopic, partitions, 'latest');
      for (const end of ends.values()) total += end;
    }
    let read = 0;
    for (const client of clients) {
      for await (const { partition, offset, key, value, headers } of readTopic(client, delaysTopic)) {
        const tag = readTag(headers, 0, headers.length);
        comparison.add({
          identity: tag && tagIdentity(tag),
          key: key === null ? undefined : Buffer.from(key).toString(),
          value: value === null ? '' : Buffer.from(value.buffer, value.byteOffset, value.length).toString(),
          place: `${client.cluster} ${delaysTopic}/${partition} offset ${offset}`,
        });
        if (++read % tellEvery === 0) tell({ records: read, total });
      }
    }
    tell({ records: read, total });
    return { account: comparison.account(), by: verifiedBy };
  } finally {
    for (const client of clients) client.destroy();
  }
});
