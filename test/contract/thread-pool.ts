/** What every thread pool must do; run over the tasks of test/support/sample-tasks.ts. */

import { describe, expect, it } from 'vitest';

import type { ThreadPool } from '../../src/ports/thread-pool.ts';
import type { SampleTasks } from '../support/sample-tasks.ts';

/** `open` makes a new pool of the sample tasks, closed by the caller after the test. */
export function threadPoolContract(title: string, open: () => ThreadPool<SampleTasks>): void {
  describe(`${title} as a thread pool`, () => {
    it('runs a task and gives back its result', async () => {
      expect(await open().run('add', { a: 20, b: 22 })).toBe(42);
    });

    it('waits for a task that answers later', async () => {
      expect(await open().run('addLater', { a: 1, b: 2 })).toBe(3);
    });

    it('hands each of many tasks its own result', async () => {
      const pool = open();
      const sums = await Promise.all(
        Array.from({ length: 50 }, (_, index) => pool.run('add', { a: index, b: 1000 })),
      );
      expect(sums).toEqual(Array.from({ length: 50 }, (_, index) => index + 1000));
    });

    it('clones inputs, so that a task cannot change the caller’s', async () => {
      const input = { items: ['a'] };
      expect(await open().run('push', input)).toEqual({ items: ['a', 'pushed'] });
      expect(input).toEqual({ items: ['a'] });
    });

    it('rejects with the task’s error: name, message and code', async () => {
      const pool = open();
      await expect(pool.run('fail', { name: 'RangeError', code: 'E_SIZE' })).rejects.toMatchObject({
        name: 'RangeError',
        message: 'failed on purpose',
        code: 'E_SIZE',
      });
      await expect(pool.run('fail', { name: 'Odd', code: null })).rejects.toThrow(
        'failed on purpose',
      );
      expect(await pool.run('add', { a: 1, b: 1 })).toBe(2);
    });

    it('rejects a refusal as a refusal', async () => {
      const { Refusal } = await import('../../src/domain/errors.ts');
      const failure = await open()
        .run('refuse', 'nothing in it')
        .catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(Refusal);
      expect(failure).toMatchObject({ code: 'empty_input', message: 'nothing in it' });
    });

    it('rejects where the input cannot be cloned, and goes on', async () => {
      const pool = open();
      const input = { a: 1, b: (() => 2) as unknown as number };
      await expect(pool.run('add', input)).rejects.toThrow(/could not be cloned/);
      expect(await pool.run('add', { a: 1, b: 1 })).toBe(2);
    });

    it('rejects where the result cannot be cloned, and goes on', async () => {
      const pool = open();
      await expect(pool.run('returnFunction', null)).rejects.toThrow(/could not be cloned/);
      expect(await pool.run('add', { a: 1, b: 1 })).toBe(2);
    });

    it('rejects a task that it does not know', async () => {
      const pool = open() as unknown as ThreadPool<Record<string, (input: null) => null>>;
      await expect(pool.run('nonsense', null)).rejects.toThrow('no task is called nonsense');
      await expect(pool.run('toString', null)).rejects.toThrow('no task is called toString');
    });

    it('runs nothing after it is closed', async () => {
      const pool = open();
      await pool.run('add', { a: 1, b: 1 });
      await pool.close();
      await expect(pool.run('add', { a: 1, b: 1 })).rejects.toThrow('the thread pool is closed');
    });
  });
}
