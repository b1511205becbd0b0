/**
 * Bells: "look at this stream, something may be owed". A bell carries ids only, may be lost, may
 * ring twice, and proves nothing; the journal says what is owed.
 */

import type { ChunkId, JobId } from '../domain/ids.ts';

export const QUEUES = ['plan', 'dispatch', 'poll', 'settle', 'merge'] as const;
export type QueueName = (typeof QUEUES)[number];

export interface Bell {
  readonly queue: QueueName;
  readonly job: JobId;
  /** Null: the job's own stream. */
  readonly chunk: ChunkId | null;
  /** The stream's version for which it rings. */
  readonly version: number;
}

/** What became of a bell: answered, or to be rung again after a while. */
export type BellAnswer =
  | { readonly kind: 'done' }
  | { readonly kind: 'later'; readonly delayMs: number };

export interface WorkQueue {
  /**
   * Rings once now, or after the delay. A bell that already waits, sleeps or is being answered
   * for the same stream and version is not rung twice.
   */
  ring(bell: Bell, delayMs?: number): Promise<void>;

  /**
   * Rings now even where the same bell sleeps: its sleep is cut short. While it is being
   * answered, a following `later` does not sleep.
   */
  wake(bell: Bell): Promise<void>;

  /** Answers bells of the queue, at most `concurrency` at once, until stopped. */
  listen(
    queue: QueueName,
    concurrency: number,
    answer: (bell: Bell) => Promise<BellAnswer>,
  ): Promise<Listener>;

  close(): Promise<void>;
}

/** Bells of one queue: `waiting` and `active` now, `delayed` for later. */
export interface QueueDepth {
  readonly queue: QueueName;
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
}

/** What a work queue that many processes share can say of itself. */
export interface QueueMeter {
  /** Of every queue, whoever answers it. */
  depths(): Promise<QueueDepth[]>;
}

export interface Listener {
  /** Takes no new bell and resolves when the running ones are answered, or after the time. */
  stop(graceMs: number): Promise<void>;
}
