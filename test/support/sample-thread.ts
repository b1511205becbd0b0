/** The entry module of the threads that tests start. */

import { hostTasks } from '../../src/adapters/system/thread-host.ts';
import { sampleTasks } from './sample-tasks.ts';

hostTasks(sampleTasks);
