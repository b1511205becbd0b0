/** A program that uses a thread pool and does not close it: it must end all the same. */

import { createThreadPool } from '../../src/adapters/system/thread-pool.ts';
import type { SampleTasks } from './sample-tasks.ts';

const entry = new URL('./sample-thread.ts', import.meta.url);
const pool = createThreadPool<SampleTasks>({ entry, size: 2 });
console.log(`sum ${await pool.run('add', { a: 1, b: 2 })}`);

// This thread never gets a task: what it was asked to do cannot be sent to it.
const unused = createThreadPool<SampleTasks>({ entry, size: 1 });
await unused.run('add', { a: 1, b: (() => 2) as unknown as number }).catch(() => {});
