/** A process that only sweeps for lost bells: `node workers/sweep.ts`. */

import { workOn } from './start.ts';

await workOn(() => []);
