/** Steps and sweeps under guard: trouble of the disk or of Redis is told of once, in words. */

import type { RedisHandle } from '../adapters/redis/open.ts';
import type { ProviderIdentity } from '../domain/job.ts';
import type { SharedStepAges } from '../ports/step-ages.ts';
import type { Bell, BellAnswer, WorkQueue } from '../ports/work-queue.ts';
import type { Alerts } from '../service/alerts.ts';
import type { Brake } from '../service/brake.ts';
import type { Callbacks } from '../service/callbacks.ts';
import type { JobViews } from '../service/job-views.ts';
import { Steps } from '../service/step.ts';
import { StorageWatch } from '../service/storage-watch.ts';
import { Sweep } from '../service/sweep.ts';
import type { Tools } from '../stages/tools.ts';

export interface GuardedParts {
  readonly tools: Tools;
  readonly queue: WorkQueue;
  readonly brake: Brake;
  readonly views: JobViews;
  readonly alerts: Alerts;
  readonly callbacks: Pick<Callbacks, 'note'>;
  readonly redis: Pick<RedisHandle, 'hear'>;
  /** Told what each sweep saw. */
  readonly stepAges: Pick<SharedStepAges, 'tell'>;
  /** Whose jobs are swept. */
  readonly provider: ProviderIdentity;
  /** What people call the place of everything that steps write. */
  readonly folder: string;
}

/** What answers bells, and what sweeps. */
export interface GuardedWork {
  readonly steps: { answer(bell: Bell): Promise<BellAnswer> };
  readonly sweep: { run(): Promise<void> };
}

/** The steps and the sweep of one process. Other trouble rejects. */
export function guardedWork(parts: GuardedParts): GuardedWork {
  const { tools, queue, brake, views, alerts, callbacks } = parts;
  const { redis, stepAges, provider, folder } = parts;
  const steps = new Steps(tools, queue, views, brake, alerts, callbacks);
  const sweep = new Sweep(tools, queue, views, alerts, provider, callbacks);
  const storage = new StorageWatch(tools, views, folder);
  return {
    steps: { answer: (bell) => storage.answer(bell, () => steps.answer(bell)) },
    sweep: {
      run: async () => {
        const swept = storage.sweep(() => sweep.run());
        try {
          await hearing(redis, swept);
        } finally {
          await hearing(redis, stepAges.tell(sweep.stepAges()));
        }
      },
    },
  };
}

/** Trouble of Redis is told of by its own room, once; it ends a sweep, and the next one comes. */
async function hearing(redis: GuardedParts['redis'], work: Promise<unknown>): Promise<void> {
  await work.catch((error: unknown) => {
    if (!redis.hear(error)) throw error;
  });
}
