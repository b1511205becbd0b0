/** The thread's side of the thread pool. */

import { parentPort } from 'node:worker_threads';

import { callTask, packError } from './task-messages.ts';
import type { TaskAnswer, TaskOrder } from './task-messages.ts';

/**
 * Runs the tasks that this thread's pool orders. A thread pool's entry module calls it once;
 * throws elsewhere.
 */
export function hostTasks(tasks: Record<string, (input: never) => unknown>): void {
  const port = parentPort;
  if (port === null) throw new Error('hostTasks is for the entry module of a thread pool');
  port.on('message', (order: TaskOrder) => {
    void answer(tasks, order).then((reply) => {
      try {
        port.postMessage(reply);
      } catch (error) {
        port.postMessage({ number: order.number, ok: false, error: packError(error) });
      }
    });
  });
}

async function answer(
  tasks: Record<string, (input: never) => unknown>,
  { number, task, input }: TaskOrder,
): Promise<TaskAnswer> {
  try {
    return { number, ok: true, output: await callTask(tasks, task, input) };
  } catch (error) {
    return { number, ok: false, error: packError(error) };
  }
}
