/** A worker process for the `plan` queue: `node workers/plan.ts`. */

import { workOn } from './start.ts';

await workOn(() => ['plan']);
