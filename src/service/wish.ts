/** Writes what a job's owner (or a brake) wishes into the job's stream, and rings for it. */

import type { JobId } from '../domain/ids.ts';
import type { Wish } from '../domain/job.ts';
import type { WorkQueue } from '../ports/work-queue.ts';
import { jobBell } from './bells.ts';
import type { JobViews } from './job-views.ts';

/**
 * Records the wish unless the job wishes the same kind already. False where it came too late or
 * there is no such job. `queue` null: nobody rings; a sweep will.
 */
export async function wish(
  views: JobViews,
  queue: WorkQueue | null,
  job: JobId,
  wished: Wish,
): Promise<boolean> {
  const task = await views.jobTask(job);
  if (task === null || task.stream.state.intent.kind === wished.kind) return false;
  const recorded = await task.stream.record({ type: 'wished', wish: wished });
  const due = jobBell(task.stream.state, task.stream.version);
  if (recorded && due !== null && queue !== null) await queue.ring(due.bell, due.delayMs);
  return recorded;
}
