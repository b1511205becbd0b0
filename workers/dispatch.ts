/** A worker process for the `dispatch` queue: `node workers/dispatch.ts`. */

import { runWorker } from './start.ts';

await runWorker(['dispatch']);
