/** The thread pool over worker threads: started when they are needed, first come, first served. */

import type { ResourceLimits } from 'node:worker_threads';

import type { ThreadPool } from '../../ports/thread-pool.ts';
import { Thread } from './thread.ts';

export interface ThreadPoolOptions {
  /** The module that each thread runs; it calls hostTasks. */
  readonly entry: URL;
  /** Threads at most, from 1. */
  readonly size: number;
  readonly resourceLimits?: ResourceLimits;
}

/**
 * A pool of threads. Idle threads do not keep the process alive. A task whose thread dies
 * rejects with the code `thread_died`; the next task gets a new thread.
 */
export function createThreadPool<Tasks extends Record<string, (input: never) => unknown>>(
  options: ThreadPoolOptions,
): ThreadPool<Tasks> {
  const pool = new Pool(options);
  return {
    run: (task, input) => pool.run(task, input) as Promise<Awaited<ReturnType<Tasks[typeof task]>>>,
    close: () => pool.close(),
  };
}

/**
 * The URL of the module beside the importing one, with the extension that the importing one
 * has: `.ts` in the clone, `.js` in the built package. `name` is relative, without extension.
 */
export function siblingModule(importMetaUrl: string, name: string): URL {
  return new URL(`${name}${importMetaUrl.endsWith('.ts') ? '.ts' : '.js'}`, importMetaUrl);
}

interface Waiting {
  readonly task: string;
  readonly input: unknown;
  readonly outcome: PromiseWithResolvers<unknown>;
}

class Pool {
  readonly #options: ThreadPoolOptions;
  readonly #threads = new Set<Thread>();
  #waiting: Waiting[] = [];
  #isClosed = false;

  constructor(options: ThreadPoolOptions) {
    if (!(options.size >= 1)) throw new RangeError(`a pool of ${options.size} threads`);
    this.#options = options;
  }

  async run(task: string, input: unknown): Promise<unknown> {
    if (this.#isClosed) throw closed();
    const outcome = Promise.withResolvers<unknown>();
    this.#waiting.push({ task, input, outcome });
    this.#serve();
    return outcome.promise;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { outcome } of this.#waiting) outcome.reject(closed());
    this.#waiting = [];
    await Promise.all([...this.#threads].map((thread) => thread.end(closed())));
  }

  /** Gives waiting tasks to idle threads, and to new ones up to the size. */
  #serve(): void {
    while (this.#waiting.length > 0 && !this.#isClosed) {
      const thread = this.#idleThread();
      if (thread === null) return;
      const next = this.#waiting.shift();
      if (next !== undefined) void this.#give(thread, next);
    }
  }

  async #give(thread: Thread, { task, input, outcome }: Waiting): Promise<void> {
    try {
      outcome.resolve(await thread.run(task, input));
    } catch (error) {
      outcome.reject(error);
    }
    this.#serve();
  }

  #idleThread(): Thread | null {
    for (const thread of this.#threads) if (thread.isIdle) return thread;
    if (this.#threads.size >= this.#options.size) return null;
    const { entry, resourceLimits } = this.#options;
    const thread: Thread = new Thread(entry, resourceLimits, () => {
      this.#threads.delete(thread);
      this.#serve();
    });
    this.#threads.add(thread);
    return thread;
  }
}

function closed(): Error {
  return Object.assign(new Error('the thread pool is closed'), { code: 'pool_closed' });
}
