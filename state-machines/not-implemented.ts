/**
 * Body of every effect in a chart's `setup`. XState skips an action that nobody implemented without a word, so each
 * effect begins as this stub: an actor that forgets to provide one stops with an error that names it.
 */
export function notImplemented(effect: string): never {
  throw new Error(`not implemented: ${effect}`);
}
