/** What the processes of one installation share in Redis, opened for one of them. */

import type { Board } from '../adapters/bullmq/board.ts';
import { openBoard } from '../adapters/bullmq/board.ts';
import { openWorkQueue } from '../adapters/bullmq/work-queue.ts';
import { createFirstTime } from '../adapters/redis/first-time.ts';
import { openLiveBoard } from '../adapters/redis/live-board.ts';
import type { RedisHandle } from '../adapters/redis/open.ts';
import { openStepAges } from '../adapters/redis/step-ages.ts';
import { inWords } from '../adapters/redis/trouble.ts';
import { createWriteProbe } from '../adapters/redis/write-probe.ts';
import type { FirstTime } from '../ports/first-time.ts';
import type { LiveBoard } from '../ports/live-board.ts';
import type { SharedStepAges } from '../ports/step-ages.ts';
import type { Bell, QueueMeter, WorkQueue } from '../ports/work-queue.ts';

/** Where a service shows the queues. */
export const QUEUES_PATH = '/admin/queues';

export interface SharedState {
  readonly queue: WorkQueue & QueueMeter;
  readonly board: LiveBoard;
  readonly stepAges: SharedStepAges;
  /** What was heard lately, by any of them. */
  readonly firstTime: FirstTime;
  /** The queues as a page; costs nothing before somebody looks. */
  readonly queuesPage: Board;
  /** Resolves where Redis takes bells now; rejects with what it says where it does not. */
  proveQueue(): Promise<void>;
}

/** `onError` hears of answers that threw, and of workers in trouble. */
export function openSharedState(
  redis: RedisHandle,
  prefix: string,
  onError: (error: unknown, bell: Bell | null) => void,
): SharedState {
  const bells = redis.connect('producer');
  const own = { redis: redis.connect('producer'), prefix };
  const connections = { producer: bells, worker: redis.connect('worker') };
  return {
    queue: openWorkQueue({ prefix, connections, inWords, onError }),
    board: openLiveBoard(own),
    stepAges: openStepAges(own),
    firstTime: createFirstTime(own),
    queuesPage: openBoard({ prefix, connection: bells, basePath: QUEUES_PATH }),
    proveQueue: createWriteProbe(own),
  };
}
