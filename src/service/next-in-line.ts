/** Who stood in line for a slot that became free. */

import type { ChunkRef } from '../ports/live-board.ts';
import type { ChunkTask } from '../stages/tools.ts';
import type { JobViews } from './job-views.ts';
import { isPlanned } from './job-views.ts';

/** The chunk as its journal has it; null where it is gone meanwhile. */
export async function taskInLine(next: ChunkRef, views: JobViews): Promise<ChunkTask | null> {
  const job = await views.job(next.job);
  if (job === null || !isPlanned(job)) return null;
  const chunk = await views.plannedChunk(job, next.chunk);
  return chunk === null ? null : views.chunkTask(job, chunk);
}
