/** A worker process for the `dispatch` queue: `node workers/dispatch.ts`. */

import { workOn } from './start.ts';

await workOn(() => ['dispatch']);
