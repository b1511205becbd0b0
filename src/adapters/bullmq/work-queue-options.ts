/** What the bells need to know of their surroundings. */

import type { ConnectionOptions } from 'bullmq';

import type { Bell } from '../../ports/work-queue.ts';

export interface WorkQueueOptions {
  /** Before every key; separates provider identities on one server. */
  readonly prefix: string;
  /** Connected clients that the caller closes after this queue. */
  readonly connections: {
    /** Fails fast while Redis is away. */
    readonly producer: ConnectionOptions;
    /** Waits for Redis without end. */
    readonly worker: ConnectionOptions;
  };
  /** An answer that threw (with its bell; it rings again), or trouble of a worker (null). */
  readonly onError: (error: unknown, bell: Bell | null) => void;
  /** Puts what the connections throw into words for people; an answer's error stays as it is. */
  readonly inWords?: (error: unknown) => unknown;
  readonly lockDurationMs?: number;
  readonly stalledIntervalMs?: number;
}
