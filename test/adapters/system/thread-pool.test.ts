import { existsSync } from 'node:fs';
import { watch } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, it, onTestFinished } from 'vitest';

import { createInlinePool } from '../../../src/adapters/system/inline-pool.ts';
import { createThreadPool, siblingModule } from '../../../src/adapters/system/thread-pool.ts';
import type { ThreadPool } from '../../../src/ports/thread-pool.ts';
import { threadPoolContract } from '../../contract/thread-pool.ts';
import { runInProcess } from '../../support/child-process.ts';
import { sampleTasks } from '../../support/sample-tasks.ts';
import type { SampleTasks } from '../../support/sample-tasks.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const entry = new URL('../../support/sample-thread.ts', import.meta.url);

threadPoolContract('a pool of worker threads', () => openPool(2));
threadPoolContract('an inline pool', () => createInlinePool(sampleTasks));

describe('a pool of worker threads', () => {
  it('runs as many tasks at once as it has threads, and the next ones in order', async () => {
    const pool = openPool(2);
    const gate = new Int32Array(new SharedArrayBuffer(8));
    const order: string[] = [];
    const blocked = [pool.run('block', gate), pool.run('block', gate)];
    const queued = ['first', 'second', 'third'].map(async (name, index) => {
      await pool.run('add', { a: index, b: 0 });
      order.push(name);
    });
    await untilCounted(gate, 2);
    expect(order).toEqual([]);
    Atomics.store(gate, 0, 1);
    Atomics.notify(gate, 0);
    const threads = await Promise.all(blocked);
    await Promise.all(queued);
    expect(new Set(threads).size).toBe(2);
    expect(order.toSorted()).toEqual(['first', 'second', 'third']);
  });

  it('gives waiting tasks to a lone thread first come, first served', async () => {
    const pool = openPool(1);
    const order: number[] = [];
    await Promise.all(
      [1, 2, 3, 4, 5].map(async (a) => {
        order.push(await pool.run('add', { a, b: 0 }));
      }),
    );
    expect(order).toEqual([1, 2, 3, 4, 5]);
  });

  it('uses a thread that is there before it starts another', async () => {
    const pool = openPool(4);
    const threads = new Set<number>();
    for (let round = 0; round < 5; round += 1) threads.add(await pool.run('thread', null));
    expect(threads.size).toBe(1);
  });

  it.each([
    ['exits', 'exit', 3, /exit code 3/],
    ['throws outside of its task', 'throwOutside', 'stray error', /stray error/],
    ['runs out of its memory', 'exhaustMemory', null, /memory/],
  ] as const)('rejects the task of a thread that %s, and replaces it', async (...row) => {
    const [, task, input, message] = row;
    const pool = openPool(1);
    const before = await pool.run('thread', null);
    const lost = pool.run(task, input);
    const next = pool.run('thread', null);
    const failure = await lost.catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'thread_died', message: expect.stringMatching(message) });
    expect(await next).not.toBe(before);
  });

  it('rejects each task where the entry module cannot be loaded', async () => {
    const pool: ThreadPool<SampleTasks> = createThreadPool({
      entry: new URL('./absent.ts', import.meta.url),
      size: 1,
    });
    onTestFinished(() => pool.close());
    for (let round = 0; round < 2; round += 1) {
      await expect(pool.run('add', { a: 1, b: 1 })).rejects.toMatchObject({ code: 'thread_died' });
    }
  });

  it('rejects running and waiting tasks when it is closed', async () => {
    const pool = openPool(1);
    const begun = join(await temporaryFolder(), 'begun');
    const outcomes = [pool.run('hang', begun), pool.run('add', { a: 1, b: 1 })].map((outcome) =>
      outcome.then(String, (error: unknown) => error),
    );
    await untilExists(begun);
    await pool.close();
    for (const outcome of await Promise.all(outcomes)) {
      expect(outcome).toMatchObject({ code: 'pool_closed' });
    }
  });

  it('does not keep a process alive while its threads are idle', async () => {
    expect(await runInProcess('idle-pool.ts', [])).toBe('sum 3\n');
  });

  it('refuses a size that holds no thread', () => {
    expect(() => createThreadPool({ entry, size: 0 })).toThrow(RangeError);
  });
});

describe('siblingModule', () => {
  it('finds the .ts file beside a .ts module and the .js file beside a .js module', () => {
    const clone = siblingModule('file:///clone/src/compose.ts', './tasks');
    const built = siblingModule('file:///node_modules/batchwright/dist/src/compose.js', './tasks');
    expect(clone.href).toBe('file:///clone/src/tasks.ts');
    expect(built.href).toBe('file:///node_modules/batchwright/dist/src/tasks.js');
  });
});

function openPool(size: number): ThreadPool<SampleTasks> {
  const resourceLimits = { maxOldGenerationSizeMb: 32 };
  const pool = createThreadPool<SampleTasks>({ entry, size, resourceLimits });
  onTestFinished(() => pool.close());
  return pool;
}

/** Resolves when `count` tasks have reached the gate. */
async function untilCounted(gate: Int32Array<SharedArrayBuffer>, count: number): Promise<void> {
  for (let seen = Atomics.load(gate, 1); seen < count; seen = Atomics.load(gate, 1)) {
    await Atomics.waitAsync(gate, 1, seen).value;
  }
}

async function untilExists(path: string): Promise<void> {
  const changes = watch(join(path, '..'));
  if (existsSync(path)) return;
  for await (const _ of changes) if (existsSync(path)) return;
}
