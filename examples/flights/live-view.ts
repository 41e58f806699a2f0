import type { JobEvent, JobMetrics } from '../../lib/plan/job-report.ts';
import { eventText } from './event-text.ts';
import { drawFrame, type Picture, pictureColumns } from './frame.ts';
import { Screen, type Terminal } from './screen.ts';
import type { DelayedAirport, View } from './view.ts';

const pictureEveryMs = 100;
const eventsKept = 20;

export interface LiveTerminal extends Terminal {
  on(event: 'resize', listener: () => void): unknown;
  off(event: 'resize', listener: () => void): unknown;
}

/** The view for people who look on: collects what it is told and draws it ten times a second. */
export class LiveView implements View {
  readonly showsDelayed = true;
  readonly #terminal: LiveTerminal;
  readonly #screen: Screen;
  readonly #startedAt = performance.now();
  readonly #timer: NodeJS.Timeout;
  readonly #onResize = () => this.#screen.clear();
  #picture: Picture;

  /** `total`: records of the whole input. */
  constructor(terminal: LiveTerminal, total: number) {
    this.#terminal = terminal;
    this.#screen = new Screen(terminal);
    this.#picture = {
      phase: 'starting',
      elapsedMs: 0,
      total,
      loaded: 0,
      clusters: [],
      metrics: undefined,
      delayed: [],
      verified: 0,
      verifiedTotal: 1,
      events: [],
    };
    terminal.on('resize', this.#onResize);
    this.#timer = setInterval(() => this.#draw(), pictureEveryMs);
    this.#timer.unref();
    this.#draw();
  }

  clusters(clusters: Picture['clusters']): void {
    this.#change({ clusters });
  }
  loading(loaded: number): void {
    this.#change({ phase: 'loading', loaded });
  }
  running(metrics: JobMetrics): void {
    this.#change({ phase: 'running', metrics });
  }
  event(event: JobEvent): void {
    const text = eventText(event);
    if (text !== undefined) this.#addEvent(text);
  }
  delayed(delayed: readonly DelayedAirport[]): void {
    this.#change({ delayed });
  }
  verifying(verified: number, verifiedTotal: number): void {
    this.#change({ phase: 'verifying', verified, verifiedTotal });
  }
  note(text: string): void {
    this.#addEvent({ text, tone: 'plain' });
  }
  close(): void {
    clearInterval(this.#timer);
    this.#terminal.off('resize', this.#onResize);
    this.#draw();
    this.#screen.close();
  }

  #addEvent(event: { text: string; tone: Picture['events'][number]['tone'] }): void {
    const atMs = performance.now() - this.#startedAt;
    this.#change({ events: [...this.#picture.events, { ...event, atMs }].slice(-eventsKept) });
  }
  #change(part: Partial<Picture>): void {
    this.#picture = { ...this.#picture, ...part };
  }
  #draw(): void {
    this.#change({ elapsedMs: performance.now() - this.#startedAt });
    this.#screen.draw(drawFrame(this.#picture, Math.min(pictureColumns, this.#terminal.columns ?? pictureColumns)));
  }
}
