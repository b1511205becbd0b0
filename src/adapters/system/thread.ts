/** One thread of a pool: runs one task at a time, and says so when it is gone. */

import { Worker } from 'node:worker_threads';
import type { ResourceLimits } from 'node:worker_threads';

import { unpackError } from './task-messages.ts';
import type { TaskAnswer, TaskOrder } from './task-messages.ts';

export class Thread {
  readonly #worker: Worker;
  #running: { number: number; outcome: PromiseWithResolvers<unknown> } | null = null;
  #orders = 0;
  #cause: unknown;

  /** `onGone` is called once, when the thread has ended for whatever reason. */
  constructor(entry: URL, resourceLimits: ResourceLimits | undefined, onGone: () => void) {
    this.#worker = new Worker(entry, resourceLimits === undefined ? {} : { resourceLimits });
    this.#worker.on('message', (answer: TaskAnswer) => this.#settle(answer));
    this.#worker.on('error', (error) => {
      this.#cause = error;
    });
    this.#worker.on('exit', (exitCode) => {
      this.#fail(this.#deathOf(exitCode));
      onGone();
    });
    // After the listeners: one for messages keeps the process alive from then on.
    this.#worker.unref();
  }

  get isIdle(): boolean {
    return this.#running === null;
  }

  /** Runs the task; the thread must be idle. Keeps the process alive meanwhile. */
  async run(task: string, input: unknown): Promise<unknown> {
    this.#orders += 1;
    const order: TaskOrder = { number: this.#orders, task, input };
    // Throws where the input cannot be cloned; the thread stays idle then.
    this.#worker.postMessage(order);
    const outcome = Promise.withResolvers<unknown>();
    this.#running = { number: order.number, outcome };
    this.#worker.ref();
    return outcome.promise;
  }

  /** Ends the thread; a running task is rejected with the reason. */
  async end(reason: Error): Promise<void> {
    this.#fail(reason);
    await this.#worker.terminate();
  }

  #settle(answer: TaskAnswer): void {
    if (this.#running?.number !== answer.number) return;
    const { outcome } = this.#running;
    this.#rest();
    if (answer.ok) outcome.resolve(answer.output);
    else outcome.reject(unpackError(answer.error));
  }

  #fail(reason: Error): void {
    const running = this.#running;
    this.#rest();
    running?.outcome.reject(reason);
  }

  #rest(): void {
    this.#running = null;
    this.#worker.unref();
  }

  #deathOf(exitCode: number): Error {
    const { message } = this.#cause instanceof Error ? this.#cause : { message: '' };
    const how = message === '' ? `with exit code ${exitCode}` : `of: ${message}`;
    const error = new Error(`the thread died ${how}`, { cause: this.#cause });
    return Object.assign(error, { code: 'thread_died' });
  }
}
