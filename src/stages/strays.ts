/**
 * Strays: further batches over requests of an attempt. One order for all who find one: it is
 * recorded first and stopped then. Whoever dies in between has left the record, and what is
 * recorded is stopped at every look until it surely ends. What a stray answered is used.
 */

import type { ChunkState, StrayBatch } from '../domain/chunk.ts';
import { Weather } from '../domain/errors.ts';
import type { Intent } from '../domain/job.ts';
import type { ProviderBatch } from '../ports/batch-provider.ts';
import { cancelBatch } from './cancel-batch.ts';
import { findBatches } from './look.ts';
import type { ChunkTask, Tools } from './tools.ts';

/**
 * Records a stray and stops it; leaves alone what is no stray by the journal. True where it was
 * not known before.
 */
export async function setAside(
  task: ChunkTask,
  batch: ProviderBatch,
  number: number,
  tools: Tools,
): Promise<boolean> {
  const batchId = batch.id;
  const isNew = await task.stream.record({ type: 'stray_found', stray: { batchId, number } });
  if (isNew) tell(task, batchId, tools);
  const { state } = task.stream;
  const stray = state.strays.find((one) => one.batchId === batchId);
  const isStray = stray === undefined ? isTooLate(state, batchId) : !mayRun(stray, state.intent);
  if (isStray) await stop(batchId, async () => batch, tools);
  return isNew;
}

/** An abandoned attempt's batch may turn up late. True where one was recorded. */
export async function recordStrays(task: ChunkTask, tools: Tools): Promise<boolean> {
  const { abandoned } = task.stream.state;
  if (abandoned.length === 0) return false;
  const files = abandoned.map((one) => ({
    fileId: one.fileId,
    createdAtMs: one.fileCreatedAtMs,
  }));
  let recorded = false;
  for (const batch of await findBatches(tools.provider, files, tools.policy.listsNewestFirst)) {
    const attempt = abandoned.find((one) => one.fileId === batch.inputFileId);
    if (attempt === undefined) continue;
    if (await setAside(task, batch, attempt.number, tools)) recorded = true;
  }
  return recorded;
}

/** Stops what is recorded and was not seen to end: whoever recorded it may have died. */
export async function stopStrays(task: ChunkTask, tools: Tools): Promise<void> {
  const { strays, intent } = task.stream.state;
  for (const stray of strays) {
    const { batchId } = stray;
    if (mayRun(stray, intent)) continue;
    await stop(batchId, async () => tools.provider.retrieveBatch(batchId), tools);
  }
}

/**
 * A network may deliver one create twice, and each makes a batch. A twin stands beside its brother
 * in the list: one page, read once, finds it while both are validated and nothing is paid.
 */
export async function stopTwins(task: ChunkTask, tools: Tools): Promise<void> {
  const { state } = task.stream;
  if (state.status !== 'submitted' || !isOurs(task, state.attempt.upload.fileId)) return;
  const { batchId, attempt } = state;
  const key = `twins ${batchId}`;
  if (tools.watch.has(key)) return;
  for (const batch of await newestBatches(tools)) {
    if (batch.inputFileId !== attempt.upload.fileId || batch.id === batchId) continue;
    await setAside(task, batch, attempt.number, tools);
  }
  tools.watch.see(key);
}

/** Whether the stray is left to its end: nobody here made it, and its answers are wanted. */
export function mayRun(stray: StrayBatch, intent: Intent): boolean {
  return stray.spared === true && intent.kind !== 'cancel';
}

/** A settled chunk records no strays any more: its batches are those that it has collected. */
function isTooLate({ status, collected }: ChunkState, batchId: string): boolean {
  return status === 'settled' && collected.every((one) => one.batchId !== batchId);
}

async function stop(
  batchId: string,
  look: () => Promise<ProviderBatch>,
  tools: Tools,
): Promise<void> {
  const key = `stopped ${batchId}`;
  if (tools.watch.has(key)) return;
  try {
    if (await cancelBatch(await look(), tools)) tools.watch.see(key);
  } catch (error) {
    // The next look tries again; meanwhile the chunk's own batch must not go unwatched.
    if (!(error instanceof Weather)) throw error;
  }
}

/** Other batches over a file that somebody else uploaded are not ours to stop. */
function isOurs({ job: { source } }: ChunkTask, fileId: string): boolean {
  return source.kind !== 'batches' || source.batches.every((one) => one.fileId !== fileId);
}

/** One page; none where the provider refuses lists: nothing can be found then, nor is it lost. */
async function newestBatches(tools: Tools): Promise<readonly ProviderBatch[]> {
  try {
    return (await tools.provider.listBatches(null)).batches;
  } catch (error) {
    if (error instanceof Weather && error.kind === 'permanent') return [];
    throw error;
  }
}

function tell({ job, chunk }: ChunkTask, batchId: string, tools: Tools): void {
  tools.notices.tell({
    level: 'alert',
    code: 'stray_batch',
    message: `Batch ${batchId} runs over requests that another batch answers; cancelling it.`,
    job: job.id,
    chunk: chunk.id,
  });
}
