/** A bell as a BullMQ job: its id, and the ids that its data holds (and nothing else). */

import { ErrorCode, type Job } from 'bullmq';

import type { Bell, QueueName } from '../../ports/work-queue.ts';

export type BellData = Pick<Bell, 'job' | 'chunk' | 'version'>;

/** The same stream and version have the same id, which BullMQ does not take twice. */
export function bellJobId(bell: Bell): string {
  return `${bell.job}-${bell.chunk ?? 'job'}-${bell.version}`;
}

export function bellData({ job, chunk, version }: Bell): BellData {
  return { job, chunk, version };
}

export function bellOf(queue: QueueName, job: Job<BellData>): Bell {
  const { job: id, chunk, version } = job.data;
  return { queue, job: id, chunk, version };
}

/** Ends the bell's sleep; one that is awake, or was answered meanwhile, needs no waking. */
export async function promoteBell(job: Job<BellData>): Promise<void> {
  try {
    await job.promote();
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code !== ErrorCode.JobNotInState && code !== ErrorCode.JobNotExist) throw error;
  }
}
