/** Settle: puts a chunk's answers in input order, one line for every line, as its part. */

import { join } from 'node:path';
import { pollDelayMs } from '../domain/cadence.ts';
import type { ChunkState, Close, EndedBatch, PartRecord, StrayBatch } from '../domain/chunk.ts';
import { localAnswers, assess } from './assess.ts';
import { dropAnswers, filesToDelete, OUTPUT_LOST, storeAnswers, tallyOf } from './collect.ts';
import { chunkFileName, partName, settledName } from './names.ts';
import { cancelBatch } from './cancel-batch.ts';
import { endOf, forgottenBatch, isForgotten, lookAt } from './poll.ts';
import { mayRun, recordStrays } from './strays.ts';
import type { ChunkTask, StageAnswer, Tools } from './tools.ts';
import { MOVED, later } from './tools.ts';

/** `waiting` or `settling` with strays: ends them unless spared, stores what they answered. */
export async function collectStrays(task: ChunkTask, tools: Tools): Promise<StageAnswer> {
  const { stream } = task;
  const stray = stream.state.strays[0];
  if (stray === undefined) return MOVED;
  const watched = tools.watch.see(`stray ${stray.batchId}`);
  const pauseMs = pollDelayMs(tools.policy.poll, watched.elapsedMs);
  const batch = await lookAt(task, stray.batchId, pauseMs, tools);
  const ended = batch === null ? givenUp(task, stray, tools) : await endOf(task, batch, tools);
  if (ended === null) {
    if (batch === null) return later(pauseMs, 'the provider does not find a stray batch');
    if (!mayRun(stray, stream.state.intent)) await cancelBatch(batch, tools);
    return later(pauseMs, 'waiting for a stray batch to end');
  }
  tools.sightings.forget(stray.batchId);
  const of = { number: stray.number, requests: 0, stray: true };
  const stored = await storeAnswers(task, ended, of, tools);
  if (stored.kind === 'later') return later(stored.delayMs, 'fetching answers again');
  const { attempt } = stored;
  const assessment = await assess(task, [...stream.state.collected, attempt], tools);
  const tally = tallyOf(assessment);
  const files = stored.isWhole ? filesToDelete(task.job, ended) : [];
  const close = stored.lost && tally.pending > 0 ? OUTPUT_LOST : null;
  const isOurs = await stream.decide({ type: 'stray_collected', attempt, files, tally, close });
  if (!isOurs) return dropAnswers(task, attempt, tools);
  tools.watch.forget(`stray ${stray.batchId}`);
  return MOVED;
}

/** A forgotten stray may have been paid: it is waited for where its answers could still count. */
function givenUp(task: ChunkTask, { batchId }: StrayBatch, tools: Tools): EndedBatch | null {
  const { tally, intent } = task.stream.state;
  const isOver = isForgotten(batchId, tools);
  const isNeeded = tally.pending > 0 && intent.kind !== 'cancel';
  return isOver && !isNeeded ? forgottenBatch(batchId) : null;
}

/** State `settling`: writes the part, records `settled`. */
export async function settle(task: ChunkTask, tools: Tools): Promise<StageAnswer> {
  const { stream } = task;
  if (await recordStrays(task, tools)) return MOVED;
  // Another settler may have recorded the stray that this one found.
  if (stream.state.status !== 'settling' || stream.state.strays.length > 0) return MOVED;

  const part = await writePart(task, stream.state.close, tools);
  await stream.decide({ type: 'settled', part });
  return MOVED;
}

/** What a settled chunk is marked with, for the merge: all of it follows from the journal. */
export interface SettledMark extends PartRecord {
  readonly batches: readonly string[];
}

/** Marks the settled chunk, so that the merge can count what is settled. Idempotent. */
export async function markSettled(task: ChunkTask, tools: Pick<Tools, 'blobs'>): Promise<void> {
  const { state } = task.stream;
  if (state.status !== 'settled') return;
  const name = settledName(task.job.id, task.chunk.id);
  await tools.blobs.put(name, Buffer.from(JSON.stringify(markOf(state))));
}

export function markOf(state: Extract<ChunkState, { status: 'settled' }>): SettledMark {
  return { ...state.part, batches: state.collected.map((one) => one.batchId) };
}

/** What making a part takes. */
export type PartTools = Pick<Tools, 'blobs' | 'engines' | 'scratch'>;

/**
 * Writes the part that follows from the chunk's stored answers, again where it was lost: the same
 * answers make the same bytes under the same name. `close` answers what they leave open.
 */
export async function writePart(
  task: ChunkTask,
  close: Close | null,
  tools: PartTools,
): Promise<PartRecord> {
  const folder = await tools.scratch.makeFolder('settle');
  try {
    return await writePartIn(folder, task, close, tools);
  } finally {
    await tools.scratch.removeFolder(folder);
  }
}

async function writePartIn(
  folder: string,
  task: ChunkTask,
  close: Close | null,
  tools: PartTools,
): Promise<PartRecord> {
  const { job, chunk, stream } = task;
  const { state } = stream;
  const partPath = join(folder, 'part.jsonl');
  const quarantinePath = join(folder, 'quarantine.jsonl');
  const rejected = chunkFileName(job.id, chunk.id, 'rejected.jsonl');
  const settled = await tools.engines.run('settleChunk', {
    ...(await localAnswers(task, state.collected, tools)),
    rejectedPath: chunk.rejected > 0 ? await tools.blobs.toLocal(rejected) : null,
    close,
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
