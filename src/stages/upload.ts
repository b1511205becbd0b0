/** Upload: the requests that are still unanswered become one Batch input file. */

import { exhausted } from '../domain/retry.ts';
import { assess } from './assess.ts';
import { chunkFileName, uploadName } from './names.ts';
import type { ChunkTask, StageAnswer, Tools } from './tools.ts';
import { BOARD_UNREADY, MOVED } from './tools.ts';

/** Takes a slot, uploads the pending ranges, records `uploaded`. */
export async function upload(task: ChunkTask, tools: Tools): Promise<StageAnswer> {
  const { job, chunk, stream } = task;
  const { state } = stream;
  if (state.status !== 'waiting') return MOVED;
  if (state.trouble !== undefined) return { kind: 'hold', ...state.trouble };

  const holder = { job: job.id, chunk: chunk.id };
  const slot = await tools.board.takeSlot(modelOf(task), holder, tools.policy.maxLiveBatches);
  if (slot === 'unready') return BOARD_UNREADY;
  if (slot === 'parked') return { kind: 'parked' };

  const { pendingRanges, counts } = await assess(task, state.collected, tools);
  // A stray may have answered the rest, and a smaller --max-attempts may forbid another batch.
  const isSpent = state.executed >= task.options.maxAttempts;
  if (counts.pending === 0 || isSpent) {
    const close = counts.pending === 0 ? null : exhausted(state.executed);
    await stream.decide({ type: 'drained', close });
    return MOVED;
  }
  const number = state.nextAttempt;
  const localPath = await tools.blobs.toLocal(chunkFileName(job.id, chunk.id, 'requests.jsonl'));
  const sha256 = await tools.engines.run('hashRanges', { path: localPath, ranges: pendingRanges });
  const file = await tools.provider.upload({
    localPath,
    ranges: pendingRanges,
    filename: uploadName(tools.installation, job.id, chunk.id, tools.ids.nonce()),
    expiresAfterSeconds: tools.policy.uploadExpiresAfterSeconds,
  });
  const { id: fileId, sizeBytes, createdAtMs } = file;
  const uploaded = { fileId, sha256, sizeBytes, createdAtMs, requests: counts.pending };
  const recorded = await stream.record({
    type: 'uploaded',
    attempt: { number, upload: uploaded },
  });
  // Another worker was faster, or the job was cancelled: nothing refers to this file.
  if (!recorded) await tools.provider.deleteFile(fileId);
  return MOVED;
}

/** The model whose slots the chunk uses; a chunk without one sends nothing. */
export function modelOf(task: ChunkTask): string {
  return task.chunk.model ?? '';
}
