/** Puts a finished plan and its chunks' files into the store, before an event names them. */

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { JobId } from '../domain/ids.ts';
import type { PlanReference } from '../domain/job.ts';
import type { Plan, PlannedChunk } from '../domain/plan.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import type { ChunkFile } from './names.ts';
import { chunkFileName, planName } from './names.ts';

/** Moves the files that a planner left in `folder`, one folder for each chunk. */
export async function storeChunks(
  job: JobId,
  plan: Plan,
  folder: string,
  blobs: BlobStore,
): Promise<void> {
  for (const chunk of plan.chunks) {
    for (const file of filesOf(chunk)) {
      await blobs.putFile(chunkFileName(job, chunk.id, file), join(folder, chunk.id, file));
    }
  }
}

/** The files that the planner writes for the chunk. */
export function filesOf(chunk: PlannedChunk): ChunkFile[] {
  const files: ChunkFile[] = ['requests.jsonl', 'lines.idx', 'ids.bin'];
  return chunk.rejected > 0 ? [...files, 'rejected.jsonl'] : files;
}

/** Writes plan.json; resolves to what the job's event says of it. */
export async function storePlan(job: JobId, plan: Plan, blobs: BlobStore): Promise<PlanReference> {
  const bytes = Buffer.from(JSON.stringify(plan));
  await blobs.put(planName(job), bytes);
  const { endpoint, models, counts, idsDigest, source, chunks } = plan;
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { endpoint, models, counts, idsDigest, source, sha256, chunkCount: chunks.length };
}
