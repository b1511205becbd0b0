/** A thread pool without threads, for simulations: the same answers, on the caller's own loop. */

import type { ThreadPool } from '../../ports/thread-pool.ts';
import { callTask, packError, unpackError } from './task-messages.ts';

/** A pool that runs the tasks here; inputs, outputs and errors are cloned as threads clone them. */
export function createInlinePool<Tasks extends Record<string, (input: never) => unknown>>(
  tasks: Tasks,
): ThreadPool<Tasks> {
  let isClosed = false;
  const run = async (task: string, input: unknown): Promise<unknown> => {
    if (isClosed) throw new Error('the thread pool is closed');
    const cloned = structuredClone(input);
    try {
      return structuredClone(await callTask(tasks, task, cloned));
    } catch (error) {
      throw unpackError(packError(error));
    }
  };
  return {
    run: (task, input) => run(task, input) as Promise<Awaited<ReturnType<Tasks[typeof task]>>>,
    async close() {
      isClosed = true;
    },
  };
}
