/** One character of a terminal's window with its colours. */
export interface Cell {
  readonly text: string;
  /** Position in the palette of eight colours; undefined = the default one. */
  readonly color: number | undefined;
  readonly bold: boolean;
  readonly dim: boolean;
}

const blank: Cell = { text: ' ', color: undefined, bold: false, dim: false };

/**
 * As much of a terminal as the live view uses: text, carriage return and line feed, cursor up, home, erase to the end
 * of the line and of the window, and SGR 0, 1, 2, 22, 30-37, 39. Other sequences are read and ignored.
 */
export class TerminalWindow {
  readonly columns: number;
  readonly rows: number;
  #lines: Cell[][] = [];
  #row = 0;
  #column = 0;
  #style: Omit<Cell, 'text'> = blank;
  /** The beginning of a sequence whose end has not come yet. */
  #pending = '';

  constructor(columns: number, rows: number) {
    this.columns = columns;
    this.rows = rows;
    for (let i = 0; i < rows; i++) this.#lines.push([]);
  }

  /** Takes the next output of the program, cut anywhere. */
  write(output: string): void {
    const input = this.#pending + output;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: this is what a terminal is about
    const token = /\u001b\[([?\d;]*)([A-Za-z])|\u001b\[[?\d;]*$|\u001b$|\u001b.|[\s\S]/gu;
    this.#pending = '';
    for (const [text, parameters, final] of input.matchAll(token)) {
      if (final !== undefined) this.#control(final, parameters ?? '');
      else if (text === '\r') this.#column = 0;
      else if (text === '\n') this.#lineFeed();
      else if (text === '\u001b' || text.startsWith('\u001b[')) this.#pending = text;
      else if (text.startsWith('\u001b')) continue;
      else if (text >= ' ' && this.#column < this.columns) this.#put(text);
    }
  }

  /** The window as it looks now: a list of cells for each row, without blanks at the end. */
  snapshot(): readonly (readonly Cell[])[] {
    return this.#lines.map(line => {
      let end = line.length;
      while (end > 0 && line[end - 1]!.text === ' ') end--;
      return line.slice(0, end);
    });
  }

  #put(text: string): void {
    const line = this.#lines[this.#row]!;
    while (line.length < this.#column) line.push(blank);
    line[this.#column++] = { ...this.#style, text };
  }

  #lineFeed(): void {
    if (this.#row < this.rows - 1) this.#row++;
    else {
      this.#lines.shift();
      this.#lines.push([]);
    }
  }

  #control(final: string, parameters: string): void {
    const [first = 0] = parameters.split(';').map(Number);
    if (final === 'A') this.#row = Math.max(0, this.#row - Math.max(1, first));
    else if (final === 'H') this.#row = this.#column = 0;
    else if (final === 'K') this.#lines[this.#row]!.length = Math.min(this.#lines[this.#row]!.length, this.#column);
    else if (final === 'J') {
      if (first === 0) this.#lines[this.#row]!.length = Math.min(this.#lines[this.#row]!.length, this.#column);
      for (let row = first === 2 ? 0 : this.#row + 1; row < this.rows; row++) this.#lines[row] = [];
    } else if (final === 'm') for (const code of parameters.split(';').map(Number)) this.#paint(code);
  }

  #paint(code: number): void {
    const { color, bold, dim } = this.#style;
    if (code === 0) this.#style = blank;
    else if (code === 1) this.#style = { color, bold: true, dim };
    else if (code === 2) this.#style = { color, bold, dim: true };
    else if (code === 22) this.#style = { color, bold: false, dim: false };
    else if (code >= 30 && code <= 37) this.#style = { color: code - 30, bold, dim };
    else if (code === 39) this.#style = { color: undefined, bold, dim };
  }
}
