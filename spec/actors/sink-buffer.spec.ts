import * as assert from 'uvu/assert';
import { SinkBuffer } from '../../actors/sink-buffer.ts';
import { decodeUtf8 } from '../../lib/base/byte-reader.ts';
import { batchFrom } from '../../lib/data/batch.ts';
import { dataType } from '../../lib/data/data-type.ts';
import { schemaOf } from '../../lib/data/schema.ts';
import { nextBatch } from '../../lib/formats/record-batch/header.ts';
import { RecordWalker } from '../../lib/formats/record-batch/walk.ts';
import { partitionOfKey } from '../../lib/kafka/murmur2.ts';
import { readTag, type Tag } from '../../lib/kafka/tag.ts';
import { suite } from '../support/suite.ts';

const sinkBuffer = suite('sink buffer');

const schema = schemaOf([
  { name: 'origin', type: dataType('STRING', true) },
  { name: 'flights', type: dataType('BIGINT', false) },
]);

function subject(partitions = 4) {
  return new SinkBuffer({
    topic: 'delays',
    schema,
    keyColumn: 0,
    partitions,
    batchBytesMax: 512,
    tag: { job: 'j', sink: 's', writer: 0, epoch: 0 },
    wallClock: () => 1_700_000_000_000,
  });
}

interface Written {
  readonly partition: number;
  readonly value: string;
  readonly tag: Tag;
}

function recordsOf(requests: readonly { partition: number; batch: Uint8Array }[]): Written[] {
  return requests.flatMap(({ partition, batch }) => {
    const header = nextBatch(batch, 0, batch.length)!;
    const walker = new RecordWalker();
    walker.walk(batch, header);
    return Array.from({ length: walker.count }, (_, i) => ({
      partition,
      value: decodeUtf8(batch.subarray(walker.valueStarts[i]!, walker.valueEnds[i]!)),
      tag: readTag(batch, walker.headersStarts[i]!, walker.headersEnds[i]!)!,
    }));
  });
}

const airports = ['ATL', 'ORD', 'DFW', 'LAX', 'PHX', 'DEN'];
const rows = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ origin: airports[i % airports.length]!, flights: i }));
const all = [0, 1, 2, 3];

sinkBuffer('rows go to the partition of their key, in order, with a sequence of their own', () => {
  const buffer = subject();
  buffer.add(batchFrom(schema, rows(6)), 'east');
  buffer.sealAll();
  const written = recordsOf(buffer.take(all));
  assert.is(written.length, 6);
  for (const { partition, value, tag } of written) {
    const row = JSON.parse(value) as { origin: string; flights: number };
    assert.is(partition, partitionOfKey(new TextEncoder().encode(row.origin), 4));
    assert.is(tag.seq, row.flights);
    assert.equal(tag.home, { cluster: 'east', term: 0 });
    assert.is(tag.dup, 0);
  }
});

sinkBuffer('one batch of a partition is in flight at a time', () => {
  const buffer = subject(1);
  buffer.add(batchFrom(schema, rows(40)), 'east');
  buffer.sealAll();
  const first = recordsOf(buffer.take([0]));
  assert.equal(buffer.take([0]), []);
  buffer.acknowledge(0);
  const second = recordsOf(buffer.take([0]));
  assert.is(second[0]!.tag.seq, first.at(-1)!.tag.seq + 1);
});

sinkBuffer('what is sent again keeps order, bytes and tag, and only what was sent is a copy', () => {
  const buffer = subject(1);
  buffer.add(batchFrom(schema, rows(40)), 'east');
  buffer.sealAll();
  buffer.take([0]);
  buffer.acknowledge(0);
  const inFlight = recordsOf(buffer.take([0]));
  assert.is(buffer.rewind(), buffer.unacknowledged);
  buffer.add(batchFrom(schema, rows(3)), 'west');
  buffer.sealAll();
  const again: Written[] = [];
  for (let request = buffer.take([0]); request.length > 0; request = buffer.take([0])) {
    again.push(...recordsOf(request));
    buffer.acknowledge(0);
  }
  assert.is(buffer.unacknowledged, 0);
  assert.is(buffer.resent, inFlight.length);
  assert.equal(
    again.slice(0, inFlight.length),
    inFlight.map(({ partition, value, tag }) => ({ partition, value, tag: { ...tag, dup: 1 } })),
  );
  const rest = again.slice(inFlight.length);
  assert.ok(rest.every(({ tag }) => tag.dup === 0));
  assert.equal(
    again.map(({ tag }) => tag.seq),
    Array.from({ length: again.length }, (_, i) => inFlight[0]!.tag.seq + i),
  );
  assert.is(rest.at(-1)!.tag.home.cluster, 'west');
});

sinkBuffer('bytes that were handed out stay as they are, whatever becomes of their batch', () => {
  const buffer = subject(1);
  buffer.add(batchFrom(schema, rows(4)), 'east');
  buffer.sealAll();
  const [first] = buffer.take([0]);
  const before = first!.batch.slice();
  buffer.rewind();
  const [again] = buffer.take([0]);
  assert.equal(
    recordsOf([again!]).map(({ tag }) => tag.dup),
    [1, 1, 1, 1],
  );
  assert.equal(first!.batch, before, 'they may still lie in a socket of the cluster that was left');
});

sinkBuffer('a NULL key goes without a key', () => {
  const buffer = subject();
  buffer.add(batchFrom(schema, [{ origin: null, flights: 1 }]), 'east');
  buffer.sealAll();
  assert.equal(
    recordsOf(buffer.take(all)).map(({ value }) => JSON.parse(value)),
    [{ origin: null, flights: 1 }],
  );
});

sinkBuffer.run();
