import * as assert from 'uvu/assert';
import { ByteWriter } from '../../lib/base/byte-writer.ts';
import { ManualClock } from '../../lib/base/clock.ts';
import { type EmbeddedCluster, startCluster } from '../../lib/embedded/index.ts';
import { suite } from '../support/suite.ts';
import { type RawClient, rawClient } from './raw-client.ts';

const test = suite('embedded: consumer groups by the classic protocol');
const sessionMs = 10_000;
const rebalanceMs = 30_000;

interface Joined {
  readonly error: number;
  readonly generation: number;
  readonly protocol: string;
  readonly leader: string;
  readonly memberId: string;
  readonly members: readonly string[];
}

/** One member on a connection of its own, as a consumer has. */
class Member {
  readonly client: RawClient;
  id = '';
  generation = -1;
  constructor(client: RawClient) {
    this.client = client;
  }
  async join(protocols = ['range'], timeoutMs = sessionMs): Promise<Joined> {
    const out = new ByteWriter().string('g').int32(timeoutMs).int32(rebalanceMs).string(this.id).nullableString(null);
    out.string('consumer').array(protocols, name => out.string(name).nullableBytes(Buffer.from(`meta of ${name}`)));
    const body = await this.client.request(11, 5, out);
    body.int32();
    const joined = {
      error: body.int16(),
      generation: body.int32(),
      protocol: body.string(),
      leader: body.string(),
      memberId: body.string(),
      members: body.array(() => {
        const id = body.string();
        body.nullableString();
        body.nullableBytes();
        return id;
      }),
    };
    this.id = joined.memberId;
    this.generation = joined.generation;
    return joined;
  }
  /** Joins as a client of JoinGroup 5 does: once for a member id, once with it. */
  async enter(protocols?: string[]): Promise<Joined> {
    assert.is((await this.join(protocols)).error, 79);
    return this.join(protocols);
  }
  async sync(assignments: Record<string, string> = {}): Promise<{ error: number; assignment: string }> {
    const out = new ByteWriter().string('g').int32(this.generation).string(this.id).nullableString(null);
    out.array(Object.entries(assignments), ([id, text]) => out.string(id).nullableBytes(Buffer.from(text)));
    const body = await this.client.request(14, 3, out);
    body.int32();
    return { error: body.int16(), assignment: Buffer.from(body.nullableBytes() ?? []).toString() };
  }
  async heartbeat(generation = this.generation): Promise<number> {
    const body = await this.client.request(
      12,
      3,
      new ByteWriter().string('g').int32(generation).string(this.id).nullableString(null),
    );
    body.int32();
    return body.int16();
  }
  async leave(): Promise<number> {
    const out = new ByteWriter().string('g').int32(1).string(this.id).nullableString(null);
    const body = await this.client.request(13, 3, out);
    body.int32();
    assert.is(body.int16(), 0);
    body.int32();
    body.string();
    body.nullableString();
    return body.int16();
  }
  async commit(offset: number, generation = this.generation): Promise<number> {
    const out = new ByteWriter().string('g').int32(generation).string(this.id).nullableString(null).int32(1);
    out.string('t').int32(1).int32(0).int64(offset).int32(-1).nullableString('note');
    const body = await this.client.request(8, 7, out);
    for (const skip of [body.int32(), body.int32(), body.string(), body.int32(), body.int32()]) void skip;
    return body.int16();
  }
  async committed(): Promise<{ offset: number; metadata: string | null }> {
    const body = await this.client.request(9, 5, new ByteWriter().string('g').int32(1).string('t').int32(1).int32(0));
    for (const skip of [body.int32(), body.int32(), body.string(), body.int32(), body.int32()]) void skip;
    const offset = body.safeInt64();
    body.int32();
    return { offset, metadata: body.nullableString() };
  }
}

async function withGroup(
  body: (members: Member[], clock: ManualClock, cluster: EmbeddedCluster) => Promise<void>,
  settings: { groupInitialRebalanceDelayMs?: number } = {},
): Promise<void> {
  const clock = new ManualClock();
  const cluster = await startCluster({ topics: [{ topic: 't' }], ...settings }, clock);
  const clients = await Promise.all([0, 1, 2].map(() => rawClient(cluster.bootstrap[0]!)));
  try {
    await body(
      clients.map(client => new Member(client)),
      clock,
      cluster,
    );
  } finally {
    for (const client of clients) client.close();
    await cluster.close();
    assert.is(clock.pending, 0);
  }
}
/** Resolves when the cluster has dealt with all that was sent to it before. */
const settled = async (member: Member) => void (await member.client.request(18, 0));

/** Two members in a stable group. */
async function stable(a: Member, b: Member): Promise<void> {
  await a.enter();
  await a.sync({ [a.id]: 'all' });
  assert.is((await b.join()).error, 79);
  const second = b.join();
  await settled(a);
  assert.is(await a.heartbeat(), 27, 'a learns of the rebalance by its heartbeat');
  await Promise.all([a.join(), second]);
  await Promise.all([a.sync({ [a.id]: 'left', [b.id]: 'right' }), b.sync()]);
}

test('a first member leads: it gets the members, assigns, and all are in the next generation', () =>
  withGroup(async ([a, b]) => {
    const joined = await a!.enter();
    assert.equal(
      [joined.error, joined.generation, joined.protocol, joined.leader, joined.members],
      [0, 1, 'range', a!.id, [a!.id]],
    );
    assert.equal(await a!.sync({ [a!.id]: 'all of it' }), { error: 0, assignment: 'all of it' });
    assert.is(await a!.heartbeat(), 0);

    assert.is((await b!.join()).error, 79);
    const second = b!.join();
    await settled(a!);
    assert.is(await a!.heartbeat(), 27);
    const again = await a!.join();
    assert.equal([again.generation, again.members.length, (await second).generation], [2, 2, 2]);
    assert.equal((await second).members, [], 'only the leader sees the members');
    const follower = b!.sync();
    assert.equal(await a!.sync({ [a!.id]: 'left', [b!.id]: 'right' }), { error: 0, assignment: 'left' });
    assert.equal(await follower, { error: 0, assignment: 'right' });
  }));

test('the protocol is one that all members know, by most votes; a member without any such one is refused', () =>
  withGroup(async ([a, b, c]) => {
    await a!.enter(['sticky', 'range']);
    await a!.sync();
    assert.is((await b!.join(['range', 'other'])).error, 79);
    const second = b!.join(['range', 'other']);
    await settled(a!);
    assert.is((await a!.join(['sticky', 'range'])).protocol, 'range');
    await second;
    assert.is((await c!.join(['sticky'])).error, 23);
  }));

test('a member whose session runs out is put out, and the others rebalance', () =>
  withGroup(async ([a, b], clock) => {
    await stable(a!, b!);
    clock.advance(sessionMs - 1);
    assert.is(await a!.heartbeat(), 0);
    clock.advance(1);
    assert.is(await a!.heartbeat(), 27);
    assert.is(await b!.heartbeat(), 25);
    const alone = await a!.join();
    assert.equal([alone.generation, alone.members], [3, [a!.id]]);
  }));

test('a rebalance waits for a member until its time-out at most', () =>
  withGroup(async ([a, b], clock) => {
    await stable(a!, b!);
    assert.is(await b!.leave(), 0);
    assert.is(await b!.leave(), 25);
    await a!.join();
    await a!.sync({});
    b!.id = '';
    assert.is((await b!.join()).error, 79);
    const waits = b!.join();
    // The first member sends heartbeats and never joins again.
    for (let passed = 0; passed < rebalanceMs; passed += 5_000) {
      await settled(a!);
      await a!.heartbeat();
      clock.advance(5_000);
    }
    assert.equal((await waits).members, [b!.id]);
    assert.is(await a!.heartbeat(), 25);
  }));

test('requests of another generation or an unknown member are refused', () =>
  withGroup(async ([a, b]) => {
    assert.is(await a!.heartbeat(), 25, 'no such group');
    await a!.enter();
    assert.is(await a!.heartbeat(9), 22);
    assert.is(await a!.commit(1, 9), 22);
    b!.id = 'nobody';
    assert.is((await b!.join()).error, 25);
    assert.is((await b!.sync()).error, 25);
    b!.id = '';
    assert.is((await b!.join(['range'], 5_999)).error, 26, 'a session time-out below the minimum');
    assert.is((await b!.join([])).error, 23);
  }));

test('a sync that waits is told of a rebalance that began meanwhile', () =>
  withGroup(async ([a, b, c]) => {
    await stable(a!, b!);
    const [first, second] = [a!.join(), b!.join()];
    await Promise.all([first, second]);
    const waits = b!.sync();
    await settled(a!);
    assert.is((await c!.join()).error, 79);
    void c!.join().catch(() => undefined);
    assert.is((await waits).error, 27);
  }));

test('offsets are kept by group, come back with their metadata, and an outsider may commit only while nobody is in', () =>
  withGroup(async ([a, b]) => {
    assert.equal(await a!.committed(), { offset: -1, metadata: '' });
    assert.is(await b!.commit(5, -1), 0);
    await a!.enter();
    assert.is(await a!.commit(6), 27, 'not before the assignment is there');
    await a!.sync();
    assert.is(await a!.commit(7), 0);
    assert.is(await b!.commit(9, -1), 25);
    assert.equal(await b!.committed(), { offset: 7, metadata: 'note' });
  }));

test('a new group may wait a moment for more members before its first generation', () =>
  withGroup(
    async ([a, b], clock) => {
      assert.is((await a!.join()).error, 79);
      const first = a!.join();
      while (clock.pending === 0) await settled(b!);
      assert.is((await b!.join()).error, 79);
      const second = b!.join();
      while (clock.pending > 1) await new Promise(resolve => setImmediate(resolve));
      clock.advance(3_000);
      const [one, two] = await Promise.all([first, second]);
      assert.equal([one.generation, two.generation, one.members.length], [1, 1, 2]);
    },
    { groupInitialRebalanceDelayMs: 3_000 },
  ));

test.run();
