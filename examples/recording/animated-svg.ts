import type { Cell } from './terminal.ts';

/** A picture of the window and how long it is shown. */
export interface Frame {
  readonly lines: readonly (readonly Cell[])[];
  readonly seconds: number;
}

const cellWidth = 8.4;
const cellHeight = 18;
const margin = 14;
const foreground = '#d5d8df';
const background = '#12151c';
/** black, red, green, yellow, blue, magenta, cyan, white */
const palette = ['#4b5263', '#e06c75', '#98c379', '#e5c07b', '#61afef', '#c678dd', '#56b6c2', '#ffffff'];

/**
 * Frames as one SVG that plays by itself, in a README too: no script, no font, no other file. Each different line is
 * written once; a frame is a column of references to lines, the frames lie side by side, and an animation in steps moves
 * the strip behind a window one frame wide. Readers who ask for less motion see the frame that `still` names.
 */
export function animatedSvg(
  frames: readonly Frame[],
  columns: number,
  title: string,
  still = frames.length - 1,
): string {
  const rows = Math.max(...frames.map(frame => frame.lines.length));
  const width = Math.ceil(columns * cellWidth + 2 * margin);
  const height = Math.ceil(rows * cellHeight + 2 * margin);
  const lineIds = new Map<string, string>();
  const strip = frames.map((frame, at) => {
    const uses = frame.lines.map((line, row) => {
      const drawn = drawLine(line);
      if (drawn === '') return '';
      const id = lineIds.get(drawn) ?? `l${lineIds.size}`;
      lineIds.set(drawn, id);
      return `<use href="#${id}" y="${row * cellHeight}"/>`;
    });
    return `<g transform="translate(${at * width})">${uses.join('')}</g>`;
  });
  const total = frames.reduce((sum, frame) => sum + frame.seconds, 0);
  let shown = 0;
  const steps = frames.map((frame, at) => {
    const step = `${short((100 * shown) / total)}%{transform:translateX(${-at * width}px)}`;
    shown += frame.seconds;
    return step;
  });
  const lines = [...lineIds].map(([drawn, id]) => `<g id="${id}">${drawn}</g>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>${escapeXml(title)}</title>
<style>
text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre;fill:${foreground}}
.b{font-weight:bold}.d{opacity:.6}${palette.map((color, i) => `.c${i}{fill:${color}}`).join('')}
.strip{animation:play ${short(total)}s steps(1,end) infinite}
@keyframes play{${steps.join('')}}
@media (prefers-reduced-motion:reduce){.strip{animation:none;transform:translateX(${-still * width}px)}}
</style>
<defs>${lines.join('\n')}</defs>
<rect width="100%" height="100%" rx="8" fill="${background}"/>
<svg x="${margin}" y="${margin}" width="${width - 2 * margin}" height="${height - 2 * margin}"><g class="strip">
${strip.join('\n')}
</g></svg>
</svg>
`;
}

/** Runs of cells of the same style: text, or rectangles where the characters are blocks (fonts leave gaps between those). */
function drawLine(line: readonly Cell[]): string {
  let out = '';
  for (let from = 0; from < line.length; ) {
    const first = line[from]!;
    let to = from + 1;
    while (to < line.length && sameRun(line[to]!, first)) to++;
    const run = line.slice(from, to).map(cell => cell.text);
    out += run.every(text => text === ' ')
      ? ''
      : blockEighths(first.text) > 0
        ? drawBlocks(run, from, first)
        : drawText(run, from, first);
    from = to;
  }
  return out;
}

function sameRun(a: Cell, b: Cell): boolean {
  const blocks = blockEighths(a.text) > 0 === blockEighths(b.text) > 0;
  const shade = (a.text === shaded) === (b.text === shaded);
  return blocks && shade && a.color === b.color && a.bold === b.bold && a.dim === b.dim;
}

const shaded = '░';
const blocks = '▏▎▍▌▋▊▉█';

/** How many eighths of its cell a block character fills from the left; 0 for any other character. */
function blockEighths(text: string): number {
  return text === shaded ? 8 : blocks.indexOf(text) + 1;
}

function drawBlocks(run: readonly string[], from: number, style: Cell): string {
  const eighths = run.reduce((sum, text) => sum + blockEighths(text), 0);
  const opacity = run[0] === shaded ? ' opacity=".2"' : '';
  const fill = style.color === undefined ? ` fill="${foreground}"` : ` class="c${style.color}"`;
  return `<rect x="${short(from * cellWidth)}" y="4" width="${short((eighths * cellWidth) / 8)}" height="11"${fill}${opacity}/>`;
}

function drawText(run: readonly string[], from: number, style: Cell): string {
  const text = run.join('').trimEnd();
  const lead = text.length - text.trimStart().length;
  const classes = [
    style.color === undefined ? '' : `c${style.color}`,
    style.bold ? 'b' : '',
    style.dim ? 'd' : '',
  ].filter(name => name !== '');
  const attribute = classes.length === 0 ? '' : ` class="${classes.join(' ')}"`;
  // The length is pinned, so that columns stay columns whatever monospaced font the reader has.
  const length = text.length - lead;
  return `<text x="${short((from + lead) * cellWidth)}" y="14" textLength="${short(length * cellWidth)}"${attribute}>${escapeXml(text.trimStart())}</text>`;
}

function escapeXml(text: string): string {
  return text.replace(/[&<>"]/g, char => `&#${char.charCodeAt(0)};`);
}

/** A number with at most two decimals. */
function short(value: number): string {
  return String(Math.round(value * 100) / 100);
}
