/** Spread: an intent of the job takes effect by an append to each unsettled chunk's stream. */

import type { ChunkEvent, ChunkState } from '../domain/chunk.ts';
import type { PlannedChunk } from '../domain/plan.ts';
import { concurrently } from './concurrently.ts';
import type { EventStream } from './event-stream.ts';
import type { JobTask, StageAnswer } from './tools.ts';
import { MOVED } from './tools.ts';

/** Chunks that are told at once. */
const CONCURRENCY = 16;

/** Tells every chunk the job's newest intent, then records that all have heard it. */
export async function spread(
  task: JobTask,
  chunks: readonly PlannedChunk[],
  openChunk: (chunk: PlannedChunk) => Promise<EventStream<ChunkEvent, ChunkState>>,
): Promise<StageAnswer> {
  const { intent } = task.stream.state;
  await concurrently(chunks, CONCURRENCY, async (chunk) => {
    const stream = await openChunk(chunk);
    await stream.record({ type: 'intended', intent });
  });
  await task.stream.record({ type: 'spread', revision: intent.revision });
  return MOVED;
}
