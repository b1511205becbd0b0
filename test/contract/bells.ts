/** Bells for tests, and a latch that counts their answers. */

import { chunkIdOf, type JobId } from '../../src/domain/ids.ts';
import type { Bell, BellAnswer, QueueName } from '../../src/ports/work-queue.ts';

export const DONE: BellAnswer = { kind: 'done' };

const JOB = `job_${'0'.repeat(26)}` as JobId;

/** A bell of the poll queue for chunk number `chunk`; null: for the job's own stream. */
export function bellFor(chunk: number | null, version = 1, queue: QueueName = 'poll'): Bell {
  return { queue, job: JOB, chunk: chunk === null ? null : chunkIdOf(chunk), version };
}

/** Counts answers and lets a test wait for them: a latch, never a pause. */
export class Answers {
  readonly bells: Bell[] = [];
  readonly #waiting: { count: number; resolve: () => void }[] = [];

  record(bell: Bell): void {
    this.bells.push(bell);
    for (const { count, resolve } of this.#waiting) if (this.bells.length >= count) resolve();
  }

  until(count: number): Promise<void> {
    if (this.bells.length >= count) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push({ count, resolve });
    return promise;
  }

  /** An answer that is recorded and `done`. */
  readonly done = async (bell: Bell): Promise<BellAnswer> => {
    this.record(bell);
    return DONE;
  };
}
