/** What runs in each thread of the pool. */

import { hostTasks } from './adapters/system/thread-host.ts';
import { engines } from './stages/engines.ts';

hostTasks(engines);
