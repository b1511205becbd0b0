/**
 * Gives batches back to chunks that have forgotten them, because a backup was restored that is
 * older than they are. Each becomes a stray that is spared: what it answered is brought home
 * before anything more is sent for its chunk.
 */

import type { JobId } from '../domain/ids.ts';
import type { PlannedChunk } from '../domain/plan.ts';
import type { JobViews } from './job-views.ts';

/** A batch that names the chunk, and that its stream does not know. */
export interface ForgottenBatch {
  readonly job: JobId;
  readonly chunk: PlannedChunk;
  readonly batchId: string;
  readonly inputFileId: string | null;
  /** As the batch names it; null: it does not. */
  readonly attempt: number | null;
}

/** How often it is tried again behind events of others. */
const MAX_TRIES = 20;

/** False where the chunk has come to know of the batch meanwhile, or is settled. */
export async function giveBack(forgotten: ForgottenBatch, views: JobViews): Promise<boolean> {
  const { job, chunk, batchId, inputFileId, attempt } = forgotten;
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const stream = await views.chunkStream(job, chunk);
    const { state } = stream;
    const known = [...state.strays, ...state.collected].some((one) => one.batchId === batchId);
    const isMain =
      (state.status === 'submitted' && state.batchId === batchId) ||
      (state.status === 'ended' && state.batch.batchId === batchId);
    if (known || isMain || state.status === 'settled') return false;
    const isDecided = state.status === 'submitting' || state.status === 'abandoning';
    // It is looked for, and a stray is not chosen: another one would be made in its place.
    if (isDecided && state.attempt.upload.fileId === inputFileId) return false;
    const number = attempt ?? state.nextAttempt;
    const stray = { batchId, number, spared: true };
    if (await stream.decide({ type: 'stray_found', stray })) return true;
  }
  throw new Error(`${job} ${chunk.id}: ${batchId} lost ${MAX_TRIES} races; stop the workers`);
}
