/**
 * Creates that fail, one after another. Each moves its chunk's stream, so that the job looks busy
 * and no step ends in bad weather: only a count of its own shows that nothing comes of it.
 */

import type { Weather } from '../domain/errors.ts';
import { LASTING_WEATHER_MS } from '../domain/retry.ts';
import type { ChunkTask, Tools } from './tools.ts';

/** A create failed, or its outcome is unknown: an alert where no other came to anything. */
export function noteFailedCreate(task: ChunkTask, { message }: Weather, tools: Tools): void {
  const key = keyOf(task);
  if (tools.watch.see(key).elapsedMs < LASTING_WEATHER_MS) return;
  tools.watch.forget(key);
  // Of the job as a whole: the next create would take the alert away from its chunk.
  const about = { job: task.job.id, chunk: null };
  tools.notices.tell({ level: 'alert', code: 'provider_unreachable', message, ...about });
}

/** A create of the job has made a batch. */
export function noteCreate(task: ChunkTask, tools: Pick<Tools, 'watch'>): void {
  tools.watch.forget(keyOf(task));
}

/** Since when no create of the job has made a batch. */
function keyOf({ job }: ChunkTask): string {
  return `failing creates ${job.id}`;
}
