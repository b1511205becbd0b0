/** A worker process for the `settle` queue: `node workers/settle.ts`. */

import { workOn } from './start.ts';

await workOn(() => ['settle']);
