/**
 * Clean: after the audit, files at the provider and working files of ours go. What cannot be
 * deleted there expires by itself, so it never keeps a job open.
 */

import type { ChunkState } from '../domain/chunk.ts';
import { Weather } from '../domain/errors.ts';
import type { PlannedChunk } from '../domain/plan.ts';
import { openName, partName, uploadPrefix } from './names.ts';
import { cancelBatch } from './cancel-batch.ts';
import { findBatches } from './look.ts';
import type { JobTask, StageAnswer, Tools } from './tools.ts';
import { MOVED } from './tools.ts';

/** Pages of the provider's file list that are searched for files without an event. */
const MAX_PAGES = 20;

/** State `merged`: deletes, then records `cleaned`. `loadChunk` reads a chunk's last state. */
export async function clean(
  task: JobTask,
  chunks: readonly PlannedChunk[],
  loadChunk: (chunk: PlannedChunk) => Promise<ChunkState>,
  tools: Tools,
): Promise<StageAnswer> {
  let filesLeft = 0;
  let uploads = 0;
  for (const chunk of chunks) {
    const state = await loadChunk(chunk);
    uploads += state.nextAttempt - 1;
    await cancelLateStrays(state, tools);
    for (const fileId of state.files) {
      if (!(await deleted(fileId, tools))) filesLeft += 1;
    }
    if (state.status !== 'settled') continue;
    await tools.blobs.delete(partName(task.job.id, chunk.id, state.part));
  }
  // A job that sent nothing ends without the provider, which may not be there at all.
  if (uploads > 0) filesLeft += await unlessRefused(deleteOrphans(task, tools), 0);
  if (filesLeft > 0) {
    tools.notices.tell({
      level: 'warning',
      code: 'files_left',
      message: `${filesLeft} files cannot be deleted at the provider; they expire by themselves.`,
      job: task.job.id,
      chunk: null,
    });
  }
  await task.stream.record({ type: 'cleaned', filesLeft });
  return MOVED;
}

/** A job that is terminal is not the sweep's any more. */
export async function closeJob(task: JobTask, tools: Tools): Promise<void> {
  await tools.blobs.delete(openName(task.job.id));
  await tools.board.dropJob(task.job.id);
}

/** A batch over an abandoned file that turns up only now is too late to use, not to stop. */
async function cancelLateStrays(state: ChunkState, tools: Tools): Promise<void> {
  if (state.abandoned.length === 0) return;
  const known = new Set(state.collected.map((one) => one.batchId));
  const files = state.abandoned.map(({ fileId, fileCreatedAtMs }) => ({
    fileId,
    createdAtMs: fileCreatedAtMs,
  }));
  for (const batch of await findBatches(tools.provider, files, tools.policy.listsNewestFirst)) {
    if (!known.has(batch.id)) await cancelBatch(batch, tools);
  }
}

/** Uploads that died before their event: named for this job, and referred to by nothing. */
async function deleteOrphans(task: JobTask, tools: Tools): Promise<number> {
  const prefix = uploadPrefix(tools.installation, task.job.id);
  let left = 0;
  let after: string | null = null;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const { files, next } = await tools.provider.listFiles(after);
    for (const file of files) {
      if (file.filename.startsWith(prefix) && !(await deleted(file.id, tools))) left += 1;
    }
    if (next === null) break;
    after = next;
  }
  return left;
}

/** False where the provider refuses for good; weather that may pass rejects. */
async function deleted(fileId: string, tools: Tools): Promise<boolean> {
  return unlessRefused(
    tools.provider.deleteFile(fileId).then(() => true),
    false,
  );
}

/** What to go on with where the provider refuses for good: cleaning is a courtesy. */
async function unlessRefused<Value>(work: Promise<Value>, refused: Value): Promise<Value> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Weather && error.kind === 'permanent') return refused;
    throw error;
  }
}
