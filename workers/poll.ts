/** A worker process for the `poll` queue: `node workers/poll.ts`. */

import { runWorker } from './start.ts';

await runWorker(['poll']);
