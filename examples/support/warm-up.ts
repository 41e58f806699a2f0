import { setTimeout as pause } from 'node:timers/promises';
import { ByteWriter } from '../../lib/base/byte-writer.ts';
import { checkAddress } from '../../lib/kafka/address.ts';
import { BrokerConnection } from '../../lib/kafka/broker-connection.ts';
import { brokerError } from '../../lib/kafka/error-codes.ts';
import { metadataRequest } from '../../lib/kafka/requests/metadata.ts';
import type { WireRequest } from '../../lib/kafka/requests/request.ts';

const id = 'warm-up';
const pollMs = 50;
const limits = { connectMsMax: 1_000, requestMsMax: 5_000, responseBytesMax: 1 << 20 };

/**
 * Waits until a single-node cluster serves everything: its broker is registered and both coordinators are there. The first
 * question for a coordinator creates its internal topic, and until that is done clients get errors they may not expect.
 * Gives up after `msMax`, or as soon as `alive` says no.
 */
export async function warmUp(broker: string, alive: () => boolean, msMax: number): Promise<void> {
  const address = checkAddress({ name: id, brokers: [broker] });
  const deadline = performance.now() + msMax;
  const connection = new BrokerConnection(address.brokers[0]!, address, limits, {
    onBytes: () => {},
    onClosed: () => {},
  });
  const until = async (step: () => Promise<void>): Promise<void> => {
    for (;;) {
      try {
        return await step();
      } catch (error) {
        if (!alive()) throw new Error('the broker exited', { cause: error });
        if (performance.now() > deadline)
          throw new Error(`the broker was not ready after ${msMax} ms`, { cause: error });
      }
      await pause(pollMs);
    }
  };
  try {
    await until(async () => {
      if ((await connection.send(metadataRequest([]))).brokers.length === 0) throw new Error('no broker is registered');
    });
    for (const request of [findCoordinator(0), offsetFetch(), findCoordinator(1), initProducerId()]) {
      await until(async () => {
        const error = await connection.send(request);
        if (error !== 0) throw brokerError(error, request.apiName, broker);
      });
    }
  } finally {
    connection.destroy(brokerError(8, 'Metadata', broker));
  }
}

/** 0: of consumer groups, 1: of transactions. Answers the error code, as all of these do. */
function findCoordinator(type: 0 | 1): WireRequest<number> {
  const body = new ByteWriter().string(id).int8(type).take();
  return {
    apiKey: 10,
    apiVersion: 2,
    apiName: 'FindCoordinator',
    body: [body],
    decode(answer) {
      answer.int32();
      return answer.int16();
    },
  };
}

function offsetFetch(): WireRequest<number> {
  const body = new ByteWriter().string(id).int32(0).take();
  return {
    apiKey: 9,
    apiVersion: 4,
    apiName: 'OffsetFetch',
    body: [body],
    decode(answer) {
      answer.int32();
      answer.int32(); // no topics were asked for
      return answer.int16();
    },
  };
}

function initProducerId(): WireRequest<number> {
  const body = new ByteWriter().nullableString(id).int32(60_000).take();
  return {
    apiKey: 22,
    apiVersion: 1,
    apiName: 'InitProducerId',
    body: [body],
    decode(answer) {
      answer.int32();
      return answer.int16();
    },
  };
}
