import type { Actor } from 'xstate';
import type { Channel } from '../lib/base/channel.ts';
import { BraidError, sentenceOf } from '../lib/base/errors.ts';
import type { OperatorMetrics } from '../lib/plan/job-report.ts';
import { operatorMachine } from '../state-machines/operator.ts';
import { type ActorSystemPorts, chartActor, errorOf } from './chart-actor.ts';
import type { Reports } from './reports.ts';
import type { Stage, StageOutbox } from './stage.ts';
import type { StreamItem } from './stream-item.ts';

export interface OperatorHandlers {
  onFailed(error: BraidError): void;
}

/** Work goes on this long before the network and the timers get their turn. */
const turnMs = 5;
/** A full outbox is told to the chart only when it stays full: the chart is not for what happens every batch. */
const stallAfterMs = 50;

/**
 * The actor of one operator: takes items out of its input channel, drives the pure operator with them and puts what it
 * emits into the output channel. Data and marks keep their order; a full output channel stops the pump.
 */
export class OperatorActor {
  readonly name: string;
  readonly #stage: Stage;
  readonly #actor: Actor<typeof operatorMachine>;
  readonly #input: Channel<StreamItem>;
  readonly #output: Channel<StreamItem>;
  readonly #reports: Reports;
  readonly #ports: ActorSystemPorts;
  readonly #outbox: StageOutbox;
  #stopped = false;
  #error: BraidError | undefined;
  #watermark = Number.NEGATIVE_INFINITY;
  #rowsIn = 0;
  #rowsOut = 0;

  constructor(
    name: string,
    stage: Stage,
    input: Channel<StreamItem>,
    output: Channel<StreamItem>,
    handlers: OperatorHandlers,
    reports: Reports,
    ports: ActorSystemPorts,
  ) {
    this.name = name;
    this.#stage = stage;
    this.#input = input;
    this.#output = output;
    this.#reports = reports;
    this.#ports = ports;
    this.#outbox = {
      get full() {
        return output.full;
      },
      emit: flow => {
        this.#rowsOut += flow.batch.rows;
        output.push({ kind: 'data', flow, watermark: undefined });
      },
    };
    const machine = operatorMachine.provide({
      actions: {
        startPump: () => void this.#run(),
        stopPump: () => {
          this.#stopped = true;
          this.#input.wake();
          this.#output.wake();
        },
        // The end mark went into the channel in its place; there is nothing else to close.
        closeOutput: ({ self }) => queueMicrotask(() => self.send({ type: 'output.drained' })),
        reportStopped: () => {},
        reportFaulted: ({ context }) => handlers.onFailed(this.#error ?? errorOf(context.failure, 'OPERATOR_CRASHED')),
      },
    });
    this.#actor = chartActor(machine, `operator ${name}`, { operator: name }, ports);
  }

  start(): void {
    this.#actor.start();
    this.#actor.send({ type: 'operator.start' });
  }

  abort(): void {
    this.#actor.send({ type: 'operator.abort' });
    this.#actor.stop();
  }

  metrics(): OperatorMetrics {
    return { name: this.name, rowsIn: this.#rowsIn, rowsOut: this.#rowsOut, ...this.#stage.size() };
  }

  async #run(): Promise<void> {
    try {
      await this.#pump();
    } catch (thrown) {
      if (this.#stopped) return;
      this.#error =
        thrown instanceof BraidError && thrown.domain !== 'internal'
          ? thrown
          : new BraidError('OPERATOR_CRASHED', `an operator crashed: ${sentenceOf(thrown)}`, {
              place: this.name,
              cause: thrown,
            });
      this.#actor.send({ type: 'operator.crashed', failure: this.#error });
    }
  }

  async #pump(): Promise<void> {
    let turnEnds = this.#ports.clock.now() + turnMs;
    while (!this.#stopped) {
      const item = this.#input.take();
      if (item === undefined) {
        await this.#input.readable();
        turnEnds = this.#ports.clock.now() + turnMs;
        continue;
      }
      await this.#handle(item);
      if (item.kind === 'end') return;
      if (this.#ports.clock.now() >= turnEnds) {
        await new Promise(resolve => setImmediate(resolve));
        turnEnds = this.#ports.clock.now() + turnMs;
      }
    }
  }

  async #handle(item: StreamItem): Promise<void> {
    switch (item.kind) {
      case 'data': {
        const { flow } = item;
        this.#rowsIn += flow.batch.rows;
        try {
          this.#tellLateRows(flow);
          await this.#drive(outbox => this.#stage.onFlow(flow, outbox));
        } finally {
          flow.origin?.release();
        }
        if (item.watermark !== undefined) await this.#advance(item.watermark);
        return;
      }
      case 'watermark':
        return this.#advance(item.watermark);
      case 'barrier':
        return this.#push(item);
      case 'end':
        if (item.complete) await this.#advance(Number.POSITIVE_INFINITY);
        await this.#push(item);
        this.#actor.send({ type: 'input.ended' });
        return;
    }
  }

  /** Late rows are judged by the watermark in force when their partials are merged, which is now. */
  #tellLateRows(flow: (StreamItem & { kind: 'data' })['flow']): void {
    const { windows, origin } = flow;
    const sizeMs = this.#stage.windowMs;
    if (windows === undefined || origin === undefined || sizeMs === undefined) return;
    if (windows.first + sizeMs - 1 > this.#watermark) return;
    const late = origin.lateRows(this.#watermark);
    if (late.rows > 0) this.#reports.lateRows(origin.cluster, late);
  }

  async #advance(watermark: number): Promise<void> {
    if (watermark <= this.#watermark) return;
    this.#watermark = watermark;
    await this.#drive(outbox => this.#stage.onWatermark(watermark, outbox));
    if (watermark !== Number.POSITIVE_INFINITY) await this.#push({ kind: 'watermark', watermark });
  }

  /** Calls a resumable method until it is through, waiting for room in between. */
  async #drive(step: (outbox: StageOutbox) => boolean): Promise<void> {
    while (!this.#stopped && !step(this.#outbox)) await this.#room();
  }

  async #push(item: StreamItem): Promise<void> {
    while (!this.#stopped && this.#output.full) await this.#room();
    if (!this.#stopped) this.#output.push(item);
  }

  async #room(): Promise<void> {
    if (!this.#output.full) return;
    let stalled = false;
    const cancel = this.#ports.clock.after(stallAfterMs, () => {
      stalled = true;
      this.#actor.send({ type: 'outbox.filled' });
    });
    await this.#output.writable();
    cancel();
    if (stalled) this.#actor.send({ type: 'outbox.freed' });
  }
}
