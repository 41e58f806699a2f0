import * as assert from 'uvu/assert';
import type { ByteReader } from '../../lib/base/byte-reader.ts';
import { ByteWriter } from '../../lib/base/byte-writer.ts';
import { apis } from '../../lib/embedded/apis.ts';
import { startCluster } from '../../lib/embedded/index.ts';
import { suite } from '../support/suite.ts';
import { batch } from './batches.ts';
import { produceBody, rawClient } from './raw-client.ts';

/**
 * A table of one request for each API at its highest version, and where in the answer its error is. With it every API
 * is seen to read its whole request, to write its whole answer, and to give an injected error without doing anything.
 */
interface Row {
  readonly request: () => ByteWriter;
  /** Reads the whole answer and returns the error in it. */
  readonly error: (body: ByteReader) => number;
}

const w = () => new ByteWriter();
const oneTopic = (out: ByteWriter) => out.int32(1).string('t').int32(1).int32(0);
const skipTopic = (body: ByteReader) => [body.int32(), body.string(), body.int32(), body.int32()];
/** Throttle time and the error behind it. */
const afterThrottle = (body: ByteReader) => [body.int32(), body.int16()][1]!;
const member = (out: ByteWriter, group = 'g') => out.string(group).int32(-1).string('').nullableString(null);

const table: Readonly<Record<string, Row>> = {
  Produce: {
    request: () => produceBody('t', 0, batch({ values: ['x'] })),
    error: body => {
      skipTopic(body);
      const error = body.int16();
      body.slice(24);
      body.array(() => assert.unreachable());
      body.nullableString();
      body.int32();
      return error;
    },
  },
  Fetch: {
    request: () =>
      oneTopic(w().int32(-1).int32(0).int32(0).int32(1000).int8(1).int32(0).int32(-1))
        .int32(-1)
        .int64(0)
        .int64(0)
        .int32(1000)
        .int32(0)
        .string(''),
    error: body => {
      const top = afterThrottle(body);
      body.int32();
      const errors = body.array(() => {
        body.string();
        return body.array(() => {
          body.int32();
          const error = body.int16();
          body.slice(24);
          body.array(() => assert.unreachable());
          body.int32();
          body.nullableBytes();
          return error;
        });
      });
      return top || (errors[0]?.[0] ?? 0);
    },
  },
  ListOffsets: {
    request: () => oneTopic(w().int32(-1).int8(0)).int32(-1).int64(-1),
    error: body => {
      body.int32();
      skipTopic(body);
      const error = body.int16();
      body.slice(20);
      return error;
    },
  },
  Metadata: {
    request: () => w().int32(1).string('t').boolean(false).boolean(false).boolean(false),
    error: body => {
      body.int32();
      body.array(() => [body.int32(), body.string(), body.int32(), body.nullableString()]);
      body.nullableString();
      body.int32();
      const errors = body.array(() => {
        const error = body.int16();
        body.string();
        body.boolean();
        body.array(() => [
          body.slice(14),
          body.array(() => body.int32()),
          body.array(() => body.int32()),
          body.array(() => body.int32()),
        ]);
        body.int32();
        return error;
      });
      body.int32();
      return errors[0]!;
    },
  },
  OffsetCommit: {
    request: () => oneTopic(member(w())).int64(3).int32(-1).nullableString(null),
    error: body => {
      body.int32();
      skipTopic(body);
      return body.int16();
    },
  },
  OffsetFetch: {
    request: () => oneTopic(w().string('g')),
    error: body => {
      body.int32();
      body.array(() => [body.string(), body.array(() => [body.slice(16), body.nullableString(), body.int16()])]);
      return body.int16();
    },
  },
  FindCoordinator: {
    request: () => w().string('g').int8(0),
    error: body => {
      const error = afterThrottle(body);
      body.nullableString();
      body.int32();
      body.string();
      body.int32();
      return error;
    },
  },
  JoinGroup: {
    // Without a member id the answer of a healthy group is MEMBER_ID_REQUIRED, 79.
    request: () =>
      w()
        .string('joining')
        .int32(10_000)
        .int32(10_000)
        .string('')
        .nullableString(null)
        .string('consumer')
        .int32(1)
        .string('range')
        .int32(0),
    error: body => {
      const error = afterThrottle(body);
      body.int32();
      for (let n = 0; n < 3; n++) body.string();
      body.array(() => assert.unreachable());
      return error === 79 ? 0 : error;
    },
  },
  Heartbeat: { request: () => member(w()), error: body => unlessUnknownMember(afterThrottle(body)) },
  LeaveGroup: {
    request: () => w().string('g').int32(1).string('m').nullableString(null),
    error: body => {
      const error = afterThrottle(body);
      body.array(() => [body.string(), body.nullableString(), body.int16()]);
      return error;
    },
  },
  SyncGroup: {
    request: () => member(w()).int32(0),
    error: body => {
      const error = afterThrottle(body);
      body.nullableBytes();
      return unlessUnknownMember(error);
    },
  },
  DescribeGroups: {
    request: () => w().int32(1).string('g'),
    error: body => {
      body.int32();
      body.int32();
      const error = body.int16();
      for (let n = 0; n < 4; n++) body.string();
      body.array(() => assert.unreachable());
      return error;
    },
  },
  ListGroups: {
    request: w,
    error: body => {
      const error = afterThrottle(body);
      body.array(() => [body.string(), body.string()]);
      return error;
    },
  },
  ApiVersions: {
    request: () => w().unsignedVarint(0).compactString('spec').compactString('1').unsignedVarint(0),
    error: body => {
      const error = body.int16();
      for (let n = body.unsignedVarint() - 1; n > 0; n--) {
        body.slice(6);
        body.taggedFields();
      }
      body.int32();
      body.taggedFields();
      return error;
    },
  },
  CreateTopics: {
    request: () =>
      w()
        .int32(1)
        .string('fresh')
        .int32(-1)
        .int16(-1)
        .int32(0)
        .int32(1)
        .string('retention.ms')
        .nullableString('-1')
        .int32(1000)
        .boolean(false),
    error: namedError('message'),
  },
  DeleteTopics: { request: () => w().int32(1).string('doomed').int32(1000), error: namedError() },
  DeleteRecords: {
    request: () => oneTopic(w()).int64(0).int32(1000),
    error: body => {
      body.int32();
      skipTopic(body);
      body.int64();
      return body.int16();
    },
  },
  InitProducerId: {
    request: () => w().nullableString(null).int32(1000),
    error: body => {
      const error = afterThrottle(body);
      body.slice(10);
      return error;
    },
  },
  DescribeConfigs: {
    request: () => w().int32(1).int8(2).string('t').int32(1).string('retention.ms').boolean(true),
    error: body => {
      body.int32();
      body.int32();
      const error = body.int16();
      body.nullableString();
      body.int8();
      body.string();
      body.array(() => [body.string(), body.nullableString(), body.slice(3), body.int32()]);
      return error;
    },
  },
  CreatePartitions: {
    request: () => w().int32(1).string('t').int32(5).int32(-1).int32(1000).boolean(true),
    error: namedError('message'),
  },
  DeleteGroups: { request: () => w().int32(1).string('idle'), error: namedError() },
};

function unlessUnknownMember(error: number): number {
  return error === 25 ? 0 : error;
}
function namedError(message?: 'message'): (body: ByteReader) => number {
  return body => {
    body.int32();
    body.int32();
    body.string();
    const error = body.int16();
    if (message !== undefined) body.nullableString();
    return error;
  };
}

const test = suite('embedded: every API');
const cluster = await startCluster({ topics: [{ topic: 't' }, { topic: 'doomed' }] });
const client = await rawClient(cluster.bootstrap[0]!);
test.after(async () => {
  client.close();
  await cluster.close();
});
test.before(async () => {
  const commit = oneTopic(member(w(), 'idle')).int64(0).int32(-1).nullableString(null);
  await client.request(8, 7, commit);
});

test('is in the table', () => {
  assert.equal(Object.keys(table).sort(), apis.map(api => api.name).sort());
});

for (const api of apis) {
  const row = table[api.name]!;
  test(`${api.name} ${api.max} gives an injected error where a broker would, changes nothing, and serves the next request`, async () => {
    const injected = 14;
    const before = await cluster.endOffset('t', 0);
    await cluster.faults.errorReply(api.key, injected, { times: 1 });
    const refused = await client.request(api.key, api.max, row.request());
    assert.is(row.error(refused), injected);
    assert.is(refused.remaining, 0, 'the answer is read to its end');
    assert.is(await cluster.endOffset('t', 0), before);
    const served = await client.request(api.key, api.max, row.request());
    assert.is(row.error(served), 0);
    assert.is(served.remaining, 0);
  });
}

test.run();
