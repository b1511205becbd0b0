/** A worker process for the `merge` queue: `node workers/merge.ts`. */

import { runWorker } from './start.ts';

await runWorker(['merge']);
