/** Settle: puts a chunk's answers in input order, one line for every line, as its part. */

import { join } from 'node:path';
import type { PartRecord } from '../domain/chunk.ts';
import { localAnswers, assess } from './assess.ts';
import { dropAnswers, fileIds, storeAnswers, tallyOf } from './collect.ts';
import { chunkFileName, partName, settledName } from './names.ts';
import { cancelBatch, endOf, lookAt, recordStrays } from './poll.ts';
import type { ChunkTask, StageAnswer, Tools } from './tools.ts';
import { MOVED, later } from './tools.ts';

/** State `settling` with strays: cancels them, waits for their end, stores what they answered. */
export async function collectStrays(task: ChunkTask, tools: Tools): Promise<StageAnswer> {
  const { stream } = task;
  const stray = stream.state.strays[0];
  if (stray === undefined) return MOVED;
  const pauseMs = tools.policy.retry.attemptPauseMs;
  const batch = await lookAt(task, stray.batchId, pauseMs, tools);
  if (batch === null) return later(pauseMs, 'the provider does not find a stray batch');
  const ended = await endOf(task, batch, tools);
  if (ended === null) {
    await cancelBatch(batch, tools);
    return later(pauseMs, 'waiting for a stray batch to end');
  }
  tools.sightings.forget(stray.batchId);
  const of = { number: stray.number, requests: 0, stray: true };
  const stored = await storeAnswers(task, ended, of, tools);
  if (stored.kind === 'later') return later(stored.delayMs, 'fetching answers again');
  const { attempt } = stored;
  const assessment = await assess(task, [...stream.state.collected, attempt], tools);
  const tally = tallyOf(assessment);
  const files = fileIds(ended);
  const isOurs = await stream.decide({ type: 'stray_collected', attempt, files, tally });
  return isOurs ? MOVED : dropAnswers(task, attempt, tools);
}

/** State `settling`: writes the part, records `settled`. */
export async function settle(task: ChunkTask, tools: Tools): Promise<StageAnswer> {
  const { stream } = task;
  if (await recordStrays(task, tools)) return MOVED;
  if (stream.state.status !== 'settling') return MOVED;

  const folder = await tools.scratch.makeFolder('settle');
  try {
    const part = await writePart(task, folder, tools);
    await stream.decide({ type: 'settled', part });
  } finally {
    await tools.scratch.removeFolder(folder);
  }
  return MOVED;
}

/** What a settled chunk is marked with, for the merge: all of it follows from the journal. */
export interface SettledMark extends PartRecord {
  readonly batches: readonly string[];
}

/** Marks the settled chunk so that the merge need not load its stream. Idempotent. */
export async function markSettled(task: ChunkTask, tools: Tools): Promise<void> {
  const { state } = task.stream;
  if (state.status !== 'settled') return;
  const batches = state.collected.map((one) => one.batchId);
  const mark: SettledMark = { ...state.part, batches };
  const name = settledName(task.job.id, task.chunk.id);
  await tools.blobs.put(name, Buffer.from(JSON.stringify(mark)));
}

async function writePart(task: ChunkTask, folder: string, tools: Tools): Promise<PartRecord> {
  const { job, chunk, stream } = task;
  const { state } = stream;
  const partPath = join(folder, 'part.jsonl');
  const quarantinePath = join(folder, 'quarantine.jsonl');
  const rejected = chunkFileName(job.id, chunk.id, 'rejected.jsonl');
  const settled = await tools.engines.run('settleChunk', {
    ...(await localAnswers(task, state.collected, tools)),
    rejectedPath: chunk.rejected > 0 ? await tools.blobs.toLocal(rejected) : null,
    close: state.status === 'settling' ? state.close : null,
    partPath,
    quarantinePath,
  });
  const quarantined = settled.strangers + settled.unparsable > 0;
  if (quarantined) {
    const name = chunkFileName(job.id, chunk.id, 'quarantine.jsonl');
    await tools.blobs.putFile(name, quarantinePath);
  }
  await tools.blobs.putFile(partName(job.id, chunk.id, settled), partPath);
  return settled;
}
