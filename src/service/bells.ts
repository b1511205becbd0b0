/** Which bell belongs to what is owed. */

import type { ChunkState } from '../domain/chunk.ts';
import type { ChunkId, JobId } from '../domain/ids.ts';
import type { JobState } from '../domain/job.ts';
import type { ChunkStep, JobStep } from '../domain/owed.ts';
import { owedByChunk, owedByJob } from '../domain/owed.ts';
import type { Bell, QueueName } from '../ports/work-queue.ts';

const CHUNK_QUEUES: Readonly<Record<ChunkStep, QueueName>> = {
  upload: 'dispatch',
  submit: 'dispatch',
  adopt: 'dispatch',
  abandon: 'dispatch',
  poll: 'poll',
  collect: 'settle',
  collect_strays: 'settle',
  settle: 'settle',
};

const JOB_QUEUES: Readonly<Record<JobStep, QueueName>> = {
  plan: 'plan',
  withdraw: 'plan',
  spread: 'merge',
  merge: 'merge',
  clean: 'merge',
};

export interface DueBell {
  readonly bell: Bell;
  readonly delayMs: number;
}

/** The bell of what the chunk owes; null: nothing. */
export function chunkBell(
  job: JobId,
  chunk: ChunkId,
  state: ChunkState,
  version: number,
): DueBell | null {
  const owed = owedByChunk(state);
  if (owed === null) return null;
  return { bell: { queue: CHUNK_QUEUES[owed.step], job, chunk, version }, delayMs: owed.delayMs };
}

/** The bell of what the job's own stream owes; null: nothing. */
export function jobBell(state: JobState, version: number): DueBell | null {
  const owed = owedByJob(state);
  if (owed === null) return null;
  const bell = { queue: JOB_QUEUES[owed.step], job: state.spec.id, chunk: null, version };
  return { bell, delayMs: owed.delayMs };
}
