import { assign, setup } from 'xstate';
import { type Failure, failureOf } from './failure.ts';
import { notImplemented } from './not-implemented.ts';

export interface ConnectionInput {
  readonly cluster: string;
}

export interface ConnectionContext {
  readonly cluster: string;
  /** Addresses to dial, `host:port`. Empty until they are resolved. */
  readonly brokers: readonly string[];
  /** Counts clients; what an older client reports is dropped. 0 before the first. */
  readonly generation: number;
  /** Probes sent during the present outage. */
  readonly probes: number;
  /** Times that the cluster was given up; one that cannot be reached at the start counts. */
  readonly outages: number;
  /** Why the cluster is not healthy; null while it is. */
  readonly reason: string | null;
  readonly failure: Failure | null;
}

export type ConnectionEvent =
  | { readonly type: 'brokers.resolved'; readonly brokers: readonly string[] }
  | { readonly type: 'client.connected'; readonly generation: number }
  /** `fatal` where trying again cannot help: not Kafka, authentication refused. */
  | {
      readonly type: 'client.failed';
      readonly generation: number;
      readonly failure: Failure;
      readonly fatal: boolean;
    }
  /** Requests wait, and nothing was answered for `suspectAfterMs` of time in which our own loop was on time. */
  | { readonly type: 'answer.overdue'; readonly silentMs: number }
  | { readonly type: 'answer.received' }
  /** While suspect: the check was not answered either. Ends a suspicion that no answer ends, so it must come. */
  | { readonly type: 'silence.confirmed'; readonly silentMs: number }
  /** No broker could be asked: refused, reset, unreachable. */
  | { readonly type: 'heartbeat.failed'; readonly generation: number; readonly reason: string }
  | { readonly type: 'socket.closed'; readonly generation: number; readonly reason: string }
  | { readonly type: 'probe.answered' }
  | { readonly type: 'probe.failed'; readonly reason: string }
  | { readonly type: 'connection.close' };

/**
 * One Kafka cluster, seen from here; shared by source and sink. Silence is judged by the actor (it alone knows how late
 * its loop was) and reported as facts; what follows from a fact is decided here.
 *
 * Laws: entering `down` destroys the client, so that nothing of an older generation is heard any more; only an answered
 * request leads out of `probing`, since a black hole accepts TCP connections; an outage is announced once when it begins
 * and once when it ends, however often recovery fails in between.
 */
export const connectionMachine = setup({
  types: {} as { context: ConnectionContext; events: ConnectionEvent; input: ConnectionInput },
  actions: {
    resolveBrokers: () => notImplemented('connection.resolveBrokers'),
    dial: () => notImplemented('connection.dial'),
    destroyClient: () => notImplemented('connection.destroyClient'),
    sendHeartbeat: () => notImplemented('connection.sendHeartbeat'),
    startProbe: () => notImplemented('connection.startProbe'),
    endProbe: () => notImplemented('connection.endProbe'),
    announceHealthy: () => notImplemented('connection.announceHealthy'),
    announceLost: () => notImplemented('connection.announceLost'),
    announceClosed: () => notImplemented('connection.announceClosed'),
    announceFailed: () => notImplemented('connection.announceFailed'),
    noteBrokers: assign({
      brokers: ({ context, event }) => (event.type === 'brokers.resolved' ? event.brokers : context.brokers),
    }),
    countGeneration: assign({ generation: ({ context }) => context.generation + 1 }),
    countOutage: assign({ outages: ({ context }) => context.outages + 1, probes: 0 }),
    countProbe: assign({ probes: ({ context }) => context.probes + 1 }),
    noteReason: assign({ reason: ({ context, event }) => reasonOf(event) ?? context.reason }),
    noteTimeout: assign({ reason: ({ context }) => `connecting to ${context.brokers.join(', ')} took too long` }),
    forgetReason: assign({ reason: null, probes: 0 }),
    noteFailure: assign({
      failure: ({ event }) => (event.type === 'client.failed' ? failureOf(event.failure) : null),
    }),
  },
  guards: {
    isCurrent: ({ context, event }) => 'generation' in event && event.generation === context.generation,
    isFatal: ({ context, event }) =>
      event.type === 'client.failed' && event.generation === context.generation && event.fatal,
  },
  delays: {
    connectTimeout: () => notImplemented('connection.connectTimeout'),
    probeEvery: () => notImplemented('connection.probeEvery'),
    probeTimeout: () => notImplemented('connection.probeTimeout'),
  },
}).createMachine({
  id: 'connection',
  context: ({ input }) => ({
    cluster: input.cluster,
    brokers: [],
    generation: 0,
    probes: 0,
    outages: 0,
    reason: null,
    failure: null,
  }),
  initial: 'resolvingBrokers',
  on: {
    'connection.close': '.closed',
  },
  states: {
    resolvingBrokers: {
      entry: 'resolveBrokers',
      on: {
        'brokers.resolved': { target: 'connecting', actions: 'noteBrokers' },
      },
    },
    connecting: {
      entry: ['countGeneration', 'dial'],
      on: {
        'client.connected': { guard: 'isCurrent', target: 'healthy', actions: 'announceHealthy' },
        'client.failed': [
          { guard: 'isFatal', target: 'failed', actions: ['noteReason', 'noteFailure'] },
          { guard: 'isCurrent', target: 'down', actions: 'noteReason' },
        ],
      },
      after: {
        connectTimeout: { target: 'down', actions: 'noteTimeout' },
      },
    },
    healthy: {
      entry: 'forgetReason',
      on: {
        'answer.overdue': { target: 'suspect', actions: 'noteReason' },
        'socket.closed': { guard: 'isCurrent', target: 'suspect', actions: 'noteReason' },
      },
    },
    suspect: {
      entry: 'sendHeartbeat',
      on: {
        'answer.received': 'healthy',
        'silence.confirmed': { target: 'down', actions: 'noteReason' },
        'heartbeat.failed': { guard: 'isCurrent', target: 'down', actions: 'noteReason' },
      },
    },
    down: {
      entry: ['destroyClient', 'countOutage', 'announceLost'],
      after: {
        probeEvery: 'probing',
      },
    },
    probing: {
      initial: 'asking',
      exit: 'endProbe',
      on: {
        'probe.answered': 'recovering',
      },
      states: {
        asking: {
          entry: ['countProbe', 'startProbe'],
          on: {
            'probe.failed': { target: 'waiting', actions: 'noteReason' },
          },
          after: {
            probeTimeout: 'waiting',
          },
        },
        waiting: {
          after: {
            probeEvery: 'asking',
          },
        },
      },
    },
    recovering: {
      entry: ['countGeneration', 'dial'],
      on: {
        'client.connected': { guard: 'isCurrent', target: 'healthy', actions: 'announceHealthy' },
        'client.failed': { guard: 'isCurrent', target: 'probing.waiting', actions: ['noteReason', 'destroyClient'] },
      },
      after: {
        connectTimeout: { target: 'probing.waiting', actions: ['noteTimeout', 'destroyClient'] },
      },
    },
    failed: {
      type: 'final',
      entry: ['destroyClient', 'announceFailed'],
    },
    closed: {
      type: 'final',
      entry: ['destroyClient', 'announceClosed'],
    },
  },
});

function reasonOf(event: ConnectionEvent): string | undefined {
  switch (event.type) {
    case 'client.failed':
      return event.failure.message;
    case 'socket.closed':
    case 'heartbeat.failed':
    case 'probe.failed':
      return event.reason;
    case 'answer.overdue':
    case 'silence.confirmed':
      return `no answer for ${Math.round(event.silentMs)} ms`;
    default:
      return undefined;
  }
}
