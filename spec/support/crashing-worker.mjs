/**
 * Worker entry that dies over tasks that a spec names: the built entry behind a gate. The script lies in the folder
 * BRAID_SPEC_CRASHES; each death leaves a file there, since nothing in a thread outlives it.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import runTask from '../../dist/lib/workers/worker-entry.js';

const folder = process.env.BRAID_SPEC_CRASHES;
/** `fromOffsets`: first offsets of the tasks that crash, or null for all; `times`: how often each does. */
const { how, fromOffsets, times } = JSON.parse(readFileSync(join(folder, 'script.json'), 'utf8'));

export default function (request) {
  const { kind, fromOffset } = request.task;
  if (kind === 'records' && (fromOffsets === null || fromOffsets.includes(fromOffset))) {
    const deaths = readdirSync(folder).filter(file => file.startsWith(`died-${fromOffset}-`)).length;
    if (deaths < times) {
      writeFileSync(join(folder, `died-${fromOffset}-${deaths}`), '');
      if (how === 'exit') process.exit(3);
      return new Promise(() => {
        setImmediate(() => {
          throw new Error('a defect of the worker');
        });
      });
    }
  }
  return runTask(request);
}
