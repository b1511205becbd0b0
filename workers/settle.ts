/** A worker process for the `settle` queue: `node workers/settle.ts`. */

import { runWorker } from './start.ts';

await runWorker(['settle']);
