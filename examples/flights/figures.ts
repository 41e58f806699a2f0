/** How figures are written for people: the same in the live view, in plain lines and in the summary. */

export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

export function milliseconds(ms: number): string {
  return `${count(ms)} ms`;
}

export function megabytes(bytes: number): string {
  return `${count(bytes / 1e6)} MB`;
}

export function percent(part: number, whole: number): string {
  return `${Math.floor(whole === 0 ? 100 : (100 * part) / whole)} %`;
}

/** Event time as a date: `2001-04-07 13:00`; before the first record and after the last one in words. */
export function eventTime(ms: number): string {
  if (ms === Number.NEGATIVE_INFINITY) return 'before the first flight';
  if (ms === Number.POSITIVE_INFINITY) return 'after the last flight';
  return new Date(ms).toISOString().slice(0, 16).replace('T', ' ');
}

const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** The filled part of a bar `width` characters wide, in eighths of a character. */
export function bar(fraction: number, width: number): string {
  const filled = Math.round(Math.max(0, Math.min(1, fraction || 0)) * width * 8);
  return '█'.repeat(filled >> 3) + eighths[filled & 7]!;
}
