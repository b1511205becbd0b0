/** Tasks for the tests of thread pools. */

import { writeFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { threadId } from 'node:worker_threads';

import { Refusal } from '../../src/domain/errors.ts';

export const sampleTasks = {
  add: ({ a, b }: { a: number; b: number }): number => a + b,

  addLater: async ({ a, b }: { a: number; b: number }): Promise<number> => {
    await setImmediate();
    return a + b;
  },

  push: ({ items }: { items: string[] }): { items: string[] } => {
    items.push('pushed');
    return { items };
  },

  fail: ({ name, code }: { name: string; code: string | null }): never => {
    const error = Object.assign(new Error('failed on purpose'), { name });
    throw code === null ? error : Object.assign(error, { code });
  },

  refuse: (message: string): never => {
    throw new Refusal('empty_input', message);
  },

  returnFunction:
    (_input: null): (() => void) =>
    () => {},

  /** Which thread it ran on. */
  thread: (_input: null): number => threadId,

  /** Never answers; writes the file when it has begun. */
  hang: (path: string): Promise<never> => {
    writeFileSync(path, String(threadId));
    return new Promise(() => {});
  },

  /** Blocks the thread until the shared number is not 0 any more; resolves to the thread. */
  block: (gate: Int32Array): number => {
    Atomics.add(gate, 1, 1);
    Atomics.notify(gate, 1);
    Atomics.wait(gate, 0, 0);
    return threadId;
  },

  exit: (exitCode: number): never => process.exit(exitCode),

  throwOutside: (message: string): Promise<never> => {
    queueMicrotask(() => {
      throw new Error(message);
    });
    return new Promise(() => {});
  },

  exhaustMemory: (_input: null): number => {
    const kept: number[][] = [];
    for (;;) kept.push(Array.from({ length: 10_000 }, (_, index) => index + kept.length));
  },
};

export type SampleTasks = typeof sampleTasks;
