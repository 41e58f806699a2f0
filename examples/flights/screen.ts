/** What a screen needs of a terminal: a part of tty.WriteStream, so that a spec can stand in for one. */
export interface Terminal {
  readonly rows?: number;
  readonly columns?: number;
  readonly writableNeedDrain?: boolean;
  write(text: string): unknown;
}

const csi = '\u001b[';

/**
 * A block of lines that is drawn over and over in the same place, at the bottom of what was printed before; when it is
 * closed, the last picture stays where it is and the cursor stands below it.
 */
export class Screen {
  readonly #terminal: Terminal;
  #drawn = 0;
  #open = true;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
    terminal.write(`${csi}?25l`);
  }

  /** Draws lines over the ones of the last time. What does not fit into the window is left out at the bottom. */
  draw(lines: readonly string[]): void {
    // A terminal that cannot keep up gets the next picture instead of a queue of old ones.
    if (!this.#open || this.#terminal.writableNeedDrain === true) return;
    const shown = lines.slice(0, Math.max(1, (this.#terminal.rows ?? 24) - 1));
    const up = this.#drawn > 0 ? `${csi}${this.#drawn}A` : '';
    const body = shown.map(line => `${line}${csi}K\n`).join('');
    // 2026 = synchronised update: terminals that know it show the picture at once, the others ignore it.
    this.#terminal.write(`${csi}?2026h${up}\r${body}${csi}J${csi}?2026l`);
    this.#drawn = shown.length;
  }

  /** After the window changed its size nothing is where it was: the next picture starts on an empty window. */
  clear(): void {
    this.#drawn = 0;
    if (this.#open) this.#terminal.write(`${csi}2J${csi}H`);
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#terminal.write(`${csi}?25h`);
  }
}
