import { type Callback, type Test, suite as uvuSuite } from 'uvu';

/** Specs that take longer than this hang: uvu has no limit of its own. */
const specMsMax = Number(process.env['BRAID_SPEC_MS_MAX'] ?? 60_000);

/**
 * uvu's `suite` with a time limit on every spec, so that a hang is a failure with a name and not a silent wait.
 * Call `.run()` at the end of the file, as with uvu.
 */
export function suite(name: string, msMax = 0): Test {
  // It tells a hang from a pass, not fast from slow: on a loaded machine a spec may take long.
  const limitMs = Math.max(msMax, specMsMax);
  const test = uvuSuite(name);
  const limited = ((spec: string, body: Callback) =>
    test(spec, async context => {
      let timer: NodeJS.Timeout | undefined;
      const limit = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error(`"${spec}" took longer than ${limitMs} ms`)), limitMs);
      });
      try {
        await Promise.race([body(context), limit]);
      } finally {
        clearTimeout(timer);
      }
    })) as unknown as Test;
  return Object.assign(limited, test);
}
