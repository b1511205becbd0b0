/** A worker process for the `poll` queue: `node workers/poll.ts`. */

import { workOn } from './start.ts';

await workOn(() => ['poll']);
