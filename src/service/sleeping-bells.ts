/** Bells that a sweep finds owed while they sleep in the queue, or should: lost ones sleep anew. */

import type { Bell, WorkQueue } from '../ports/work-queue.ts';
import type { Tools } from '../stages/tools.ts';
import type { DueBell } from './bells.ts';

/** A bell that slept this much longer than any step asks for is rung whatever the queue thinks. */
const OVERDUE_MS = 60_000;

export class SleepingBells {
  readonly #tools: Pick<Tools, 'clock' | 'watch'>;
  readonly #queue: WorkQueue;
  /** The longest time for which a step that appended nothing asks. */
  readonly #longestSleepMs: number;

  constructor(tools: Pick<Tools, 'clock' | 'watch' | 'policy'>, queue: WorkQueue) {
    this.#tools = tools;
    this.#queue = queue;
    const { poll, retry } = tools.policy;
    this.#longestSleepMs = Math.max(poll.pinnedMs ?? poll.maxMs, retry.weatherMaxMs);
  }

  /**
   * A bell that sleeps by a wall clock that was set back is woken by our monotonic one. A lost
   * bell sleeps for what is left of its pause. `atMs`: wall time of the event that it follows.
   */
  async ringOrWake(due: DueBell, atMs: number | null): Promise<void> {
    const key = keyOf(due.bell);
    const { elapsedMs } = this.#tools.watch.see(key);
    if (elapsedMs <= due.delayMs + this.#longestSleepMs + OVERDUE_MS) {
      return this.#queue.ring(due.bell, this.restMs(due, atMs));
    }
    this.#tools.watch.forget(key);
    await this.#queue.wake(due.bell);
  }

  /** What is left of its pause; by the wall clock that can only be too short. */
  restMs({ bell, delayMs }: DueBell, atMs: number | null): number {
    const { elapsedMs } = this.#tools.watch.see(keyOf(bell));
    const byWallMs = atMs === null ? 0 : this.#tools.clock.wallMs() - atMs;
    return Math.max(0, delayMs - Math.max(elapsedMs, byWallMs));
  }
}

function keyOf({ job, chunk, version }: Bell): string {
  return `sweep ${job} ${chunk ?? 'job'} ${version}`;
}
