/** A worker process for the `merge` queue: `node workers/merge.ts`. */

import { workOn } from './start.ts';

await workOn(() => ['merge']);
