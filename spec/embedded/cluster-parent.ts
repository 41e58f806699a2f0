/** A process for process.spec.ts to kill: starts a cluster process and says where it is. */
import { startClusterProcess } from '../../lib/embedded/index.ts';

const cluster = await startClusterProcess({ name: 'orphan' });
process.stdout.write(`${JSON.stringify({ pid: cluster.pid, bootstrap: cluster.bootstrap })}\n`);
