/** Lost output: whether a file that is not found is lost, or only not visible with this key. */

import { Weather } from '../domain/errors.ts';
import type { ChunkTask, Tools } from './tools.ts';

/**
 * Resolves where files of the batch that are not found are lost. A key of another project finds
 * neither files nor batch: that rejects with `Weather`, nothing is lost and the job is held. Where
 * the batch is gone as well, proof of the same project is any other file of the chunk; a
 * cancelled job needs none, since it has no other way out.
 */
export async function confirmLost(task: ChunkTask, batchId: string, tools: Tools): Promise<void> {
  try {
    await tools.provider.retrieveBatch(batchId);
  } catch (error) {
    if (!(error instanceof Weather) || error.status !== 404) throw error;
    if (task.stream.state.intent.kind === 'cancel') return;
    if (!(await seesOtherFile(task, tools))) throw error;
  }
}

/** Input files stay until the job is cleaned, so that usually the first one is seen. */
async function seesOtherFile(task: ChunkTask, tools: Tools): Promise<boolean> {
  const { source } = task.job;
  const taken = source.kind === 'batches' ? source.batches.map(({ fileId }) => fileId) : [];
  for (const fileId of [...task.stream.state.files, ...taken]) {
    if ((await tools.provider.retrieveFile(fileId)) !== null) return true;
  }
  return false;
}
