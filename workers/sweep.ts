/** A process that only sweeps for lost bells: `node workers/sweep.ts`. */

import { runWorker } from './start.ts';

await runWorker([]);
