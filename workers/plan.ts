/** A worker process for the `plan` queue: `node workers/plan.ts`. */

import { runWorker } from './start.ts';

await runWorker(['plan']);
