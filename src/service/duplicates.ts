/**
 * Batches that still run over requests which another batch of their chunk answers as well. Only
 * what is surely one is called so: a later attempt over what an earlier one left is needed.
 */

import { isEnding } from '../domain/batch-status.ts';
import type { ChunkState } from '../domain/chunk.ts';
import type { JobState } from '../domain/job.ts';
import { Weather } from '../domain/errors.ts';
import type { BatchProvider, ProviderBatch } from '../ports/batch-provider.ts';
import type { Clock } from '../ports/clock.ts';
import type { JobViews } from './job-views.ts';
import { isPlanned } from './job-views.ts';
import { patiently } from './patience.ts';

/** A batch that can still answer everything; one that finalizes may have expired. */
const ANSWERING: ReadonlySet<string> = new Set(['validating', 'in_progress']);

/** Those of the job that were taken over and are still paid for. Rejects with `Weather`. */
export async function findDuplicates(
  job: JobState,
  views: JobViews,
  provider: BatchProvider,
  clock: Clock,
): Promise<ProviderBatch[]> {
  if (job.spec.source.kind !== 'batches' || !isPlanned(job)) return [];
  const live: ProviderBatch[] = [];
  for (const chunk of (await views.plan(job)).chunks) {
    const { state } = await views.chunkStream(job.spec.id, chunk);
    const spared = state.strays.filter((stray) => stray.spared === true);
    if (spared.length === 0 || !(await isAnswered(state, provider, clock))) continue;
    for (const { batchId } of spared) {
      const batch = await lookAt(batchId, provider, clock);
      if (batch !== null && !isEnding(batch.status)) live.push(batch);
    }
  }
  return live;
}

/** Whether the chunk's own batch answers all of its requests, or has done so. */
async function isAnswered(
  state: ChunkState,
  provider: BatchProvider,
  clock: Clock,
): Promise<boolean> {
  const { failed, pending } = state.tally;
  if (failed + pending === 0) return true;
  if (state.status === 'ended') {
    const { status, counts } = state.batch;
    return status === 'completed' && counts?.failed === 0;
  }
  if (state.status !== 'submitted') return false;
  const main = await lookAt(state.batchId, provider, clock);
  if (main === null) return false;
  if (ANSWERING.has(main.status)) return true;
  const { completed, total } = main.counts ?? { completed: 0, total: 0 };
  return main.status === 'completed' && total > 0 && completed === total;
}

/** Null where the provider does not know the batch any more. */
async function lookAt(
  batchId: string,
  provider: BatchProvider,
  clock: Clock,
): Promise<ProviderBatch | null> {
  try {
    return await patiently(clock, () => provider.retrieveBatch(batchId));
  } catch (error) {
    if (error instanceof Weather && error.status === 404) return null;
    throw error;
  }
}

/** Asks the provider to end the batch; false where it is ending already. */
export async function endDuplicate(
  batch: ProviderBatch,
  provider: BatchProvider,
  clock: Clock,
): Promise<boolean> {
  try {
    await patiently(clock, () => provider.cancelBatch(batch.id));
    return true;
  } catch (error) {
    if (error instanceof Weather && error.kind === 'permanent') return false;
    throw error;
  }
}
