/**
 * Adopt and abandon: what may be done about a create of unknown outcome. Look for its batch and
 * take it over; only after the settle window without a match give the attempt up, and before
 * anything new is created make the old create worthless by deleting its input file.
 */

import type { ProviderBatch } from '../ports/batch-provider.ts';
import { findBatches } from './look.ts';
import { cancelBatch } from './poll.ts';
import type { ChunkTask, StageAnswer, Tools } from './tools.ts';
import { MOVED, later } from './tools.ts';

/** Looks in one settle window, at least. */
const LOOKS_PER_WINDOW = 12;

/** State `submitting`: looks for the batch; decides `abandoning` after the window. */
export async function adopt(task: ChunkTask, tools: Tools): Promise<StageAnswer> {
  const { state } = task.stream;
  if (state.status !== 'submitting') return MOVED;
  const { attemptId, upload } = state.attempt;
  const key = `adopt ${attemptId}`;

  const found = await findBatches(tools.provider, [upload], tools.policy.listsNewestFirst);
  const chosen = chosenOf(task, found);
  if (chosen !== undefined) return take(task, chosen, found, tools);

  const { elapsedMs, times } = tools.watch.see(key);
  const { settleMs, minLooks } = tools.policy.create;
  if (elapsedMs >= settleMs && times >= minLooks) {
    // Who does not see the file may not see its batch either: another key, another project.
    if ((await tools.provider.retrieveFile(upload.fileId)) === null) return unseen(task, tools);
    await task.stream.decide({ type: 'abandoning', attemptId });
    return MOVED;
  }
  return later(settleMs / LOOKS_PER_WINDOW, 'looking for a batch whose create got no answer');
}

function unseen(task: ChunkTask, tools: Tools): StageAnswer {
  tools.notices.tell({
    level: 'alert',
    code: 'file_unseen',
    message: 'The input file of a create without an answer is not visible: is it the same key?',
    job: task.job.id,
    chunk: task.chunk.id,
  });
  return later(tools.policy.retry.weatherMaxMs, 'an input file is not visible with this key');
}

/** State `abandoning`: sees the input file gone, looks once more, records `abandoned`. */
export async function abandon(task: ChunkTask, tools: Tools): Promise<StageAnswer> {
  const { state } = task.stream;
  if (state.status !== 'abandoning') return MOVED;
  const { attemptId, upload } = state.attempt;

  await tools.provider.deleteFile(upload.fileId);
  if ((await tools.provider.retrieveFile(upload.fileId)) !== null) {
    tools.notices.tell({
      level: 'alert',
      code: 'file_not_deleted',
      message: `Input file ${upload.fileId} cannot be deleted, so nothing new is created for it.`,
      job: task.job.id,
      chunk: task.chunk.id,
    });
    return later(tools.policy.retry.weatherMaxMs, 'an input file cannot be deleted');
  }
  const found = await findBatches(tools.provider, [upload], tools.policy.listsNewestFirst);
  const chosen = chosenOf(task, found);
  if (chosen !== undefined) return take(task, chosen, found, tools);
  await task.stream.decide({ type: 'abandoned', attemptId });
  return MOVED;
}

/** The older live batch is the attempt's; any other over the same file is a stray. */
async function take(
  task: ChunkTask,
  chosen: ProviderBatch,
  found: readonly ProviderBatch[],
  tools: Tools,
): Promise<StageAnswer> {
  const { state } = task.stream;
  if (state.status !== 'submitting' && state.status !== 'abandoning') return MOVED;
  const { number, attemptId } = state.attempt;
  // First the others: once the attempt has its batch, nobody looks at its file again.
  for (const other of found) {
    if (other.id === chosen.id) continue;
    await cancelBatch(other, tools);
    await task.stream.record({ type: 'stray_found', stray: { batchId: other.id, number } });
  }
  await task.stream.record({
    type: 'submitted',
    attemptId,
    batchId: chosen.id,
    adopted: true,
  });
  tools.notices.tell({
    level: 'warning',
    code: 'batch_adopted',
    message: `Batch ${chosen.id} was found for a create that got no answer, and taken over.`,
    job: task.job.id,
    chunk: task.chunk.id,
  });
  return MOVED;
}

/** The oldest that lives, of those that an earlier try has not called strays already. */
function chosenOf(task: ChunkTask, found: readonly ProviderBatch[]): ProviderBatch | undefined {
  const { strays } = task.stream.state;
  const own = found.filter((batch) => strays.every(({ batchId }) => batchId !== batch.id));
  return own.find(isLive) ?? own[0];
}

function isLive(batch: ProviderBatch): boolean {
  return !['failed', 'expired', 'cancelled', 'cancelling'].includes(batch.status);
}
