/** The reason of an aborted run: somebody pressed Ctrl-C, or asked the process to end. */
export class Interrupted extends Error {
  readonly exitCode: number;
  constructor(exitCode: number) {
    super('interrupted');
    this.exitCode = exitCode;
  }
}

/** What must be done in this time after the first Ctrl-C is cut off. */
const leaveMsMax = 1_800;
/** npm hands on the signal that the terminal sent to the whole group already: one key, two signals. */
const samePressMs = 300;
const exitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/**
 * The first signal aborts `signal`, so that everybody can leave in order; a second one, or too long a leave, ends the
 * process at once. Child processes end with it, because they watch their parent.
 */
export class Interrupt {
  readonly #controller = new AbortController();
  readonly #onLate: () => void;
  #firstAt = 0;

  /** `onLate` is called right before the process is cut off. */
  constructor(onLate: () => void) {
    this.#onLate = onLate;
    for (const [name, code] of Object.entries(exitCodes)) process.on(name, () => this.interrupt(code));
    // Who reads our output has gone: there is nobody left to tell.
    process.stdout.on('error', () => this.interrupt(exitCodes.SIGTERM));
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  interrupt(exitCode: number): void {
    const now = performance.now();
    if (!this.signal.aborted) {
      this.#firstAt = now;
      this.#controller.abort(new Interrupted(exitCode));
      setTimeout(() => this.#cutOff(exitCode), leaveMsMax).unref();
    } else if (now - this.#firstAt > samePressMs) this.#cutOff(exitCode);
  }

  #cutOff(exitCode: number): void {
    this.#onLate();
    process.exit(exitCode);
  }
}
