/**
 * Adopt and abandon: what may be done about a create of unknown outcome. Look for its batch and
 * take it over; only after the settle window without a match give the attempt up, and before
 * anything new is created make the old create worthless by deleting its input file.
 */

import { isEnding } from '../domain/batch-status.ts';
import type { Upload } from '../domain/chunk.ts';
import { Weather } from '../domain/errors.ts';
import { grow } from '../domain/retry.ts';
import type { ProviderBatch } from '../ports/batch-provider.ts';
import { noteCreate } from './failing-creates.ts';
import { findBatches } from './look.ts';
import { uploadPrefix } from './names.ts';
import { setAside } from './strays.ts';
import type { ChunkTask, StageAnswer, Tools } from './tools.ts';
import { MOVED, later } from './tools.ts';

/** Looks in one settle window, at least. */
const LOOKS_PER_WINDOW = 12;

/**
 * Each create that is lost cost an upload: a provider that loses them all is given time, up to so
 * many of the longest waits after a failed call (by default an hour).
 */
const LONGEST_WAITS = 30;

/** Pages of the provider's file list that are searched for an older file of the job. */
const WITNESS_PAGES = 20;

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
    const isThere = await sees(upload.fileId, tools);
    if (!isThere && !(await isGone(task, upload, tools))) return unseen(task, tools);
    await task.stream.decide({ type: 'abandoning', attemptId, account: tools.account });
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

/**
 * State `abandoning`: sees the input file gone, looks once more, records `abandoned`. A cancelled
 * job goes on where the file stays.
 */
export async function abandon(task: ChunkTask, tools: Tools): Promise<StageAnswer> {
  const { state } = task.stream;
  if (state.status !== 'abandoning') return MOVED;
  const { attemptId, upload } = state.attempt;

  await sees(upload.fileId, tools);
  // Where nothing new follows, the deletion is a try: a batch found later is stopped all the same.
  const isNeeded = state.intent.kind !== 'cancel';
  try {
    await tools.provider.deleteFile(upload.fileId);
  } catch (error) {
    if (isNeeded || !(error instanceof Weather) || error.kind !== 'permanent') throw error;
  }
  if (isNeeded && (await sees(upload.fileId, tools))) return undeleted(task, upload, tools);
  const found = await findBatches(tools.provider, [upload], tools.policy.listsNewestFirst);
  const chosen = chosenOf(task, found);
  if (chosen !== undefined) return take(task, chosen, found, tools);
  if (!(await isGone(task, upload, tools))) return unseen(task, tools);
  const { weatherBaseMs, weatherMaxMs } = tools.policy.retry;
  const pauseMs = grow(weatherBaseMs, LONGEST_WAITS * weatherMaxMs, state.pauses);
  await task.stream.decide({ type: 'abandoned', attemptId, pauseMs });
  // Not before: where the append fails, the next try has to know that the file was there.
  tools.watch.forget(seenKey(upload.fileId));
  tools.watch.forget(goneKey(upload.fileId));
  return MOVED;
}

function undeleted(task: ChunkTask, { fileId }: Upload, tools: Tools): StageAnswer {
  tools.notices.tell({
    level: 'alert',
    code: 'file_not_deleted',
    message: `Input file ${fileId} cannot be deleted, so nothing new is created for it.`,
    job: task.job.id,
    chunk: task.chunk.id,
  });
  return later(tools.policy.retry.weatherMaxMs, 'an input file cannot be deleted');
}

/** Whether the file is visible with this process's key; it remembers that it was. */
async function sees(fileId: string, tools: Tools): Promise<boolean> {
  if ((await tools.provider.retrieveFile(fileId)) === null) return false;
  tools.watch.see(seenKey(fileId));
  return true;
}

/**
 * Whether a file that is not found is really gone: to another key of another project it was never
 * there. Proof is that the same account had proof before, that this process saw the file, that
 * it sees an older one of the same job, or that the provider has deleted it by itself since.
 * Where nothing new follows, none is needed.
 */
async function isGone(task: ChunkTask, upload: Upload, tools: Tools): Promise<boolean> {
  const { state } = task.stream;
  if (state.intent.kind === 'cancel') return true;
  if (state.status === 'abandoning' && state.account === tools.account) return true;
  if (tools.watch.has(seenKey(upload.fileId))) return true;
  const { elapsedMs } = tools.watch.see(goneKey(upload.fileId));
  if (elapsedMs > tools.policy.uploadExpiresAfterSeconds * 1_000) return true;
  const own = uploadPrefix(tools.installation, task.job.id);
  let after: string | null = null;
  for (let page = 0; page < WITNESS_PAGES; page += 1) {
    const { files, next } = await tools.provider.listFiles(after);
    const isWitness = files.some(
      ({ filename, createdAtMs }) => filename.startsWith(own) && createdAtMs <= upload.createdAtMs,
    );
    if (isWitness) return true;
    if (next === null) return false;
    after = next;
  }
  return false;
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
    if (other.id !== chosen.id) await setAside(task, other, number, tools);
  }
  const submitted = { type: 'submitted', attemptId, batchId: chosen.id, adopted: true } as const;
  noteCreate(task, tools);
  if (await task.stream.record(submitted)) tellOfAdoption(task, attemptId, chosen, tools);
  // Others have gone on meanwhile, perhaps with a batch that this listing did not choose.
  else await setAside(task, chosen, number, tools);
  return MOVED;
}

/**
 * The input file decides: whatever runs over it answers these very requests, and to refuse it
 * would pay for them twice. Metadata of another create is told, though: a create that was
 * refused has made a batch all the same, or two data directories are copies of one.
 */
function tellOfAdoption(
  task: ChunkTask,
  attemptId: string,
  batch: ProviderBatch,
  tools: Tools,
): void {
  const of = { job: task.job.id, chunk: task.chunk.id };
  const named = batch.metadata['attemptId'] ?? attemptId;
  if (named !== attemptId) {
    const message =
      `Batch ${batch.id} runs over the input file, but names another create of it. ` +
      'Is a copy of this data directory in use?';
    tools.notices.tell({ level: 'alert', code: 'batch_of_another_create', message, ...of });
  }
  const message = `Batch ${batch.id} was found for a create that got no answer, and taken over.`;
  tools.notices.tell({ level: 'warning', code: 'batch_adopted', message, ...of });
}

/** The oldest that lives, of those that an earlier try has not called strays already. */
function chosenOf(task: ChunkTask, found: readonly ProviderBatch[]): ProviderBatch | undefined {
  const { strays } = task.stream.state;
  const own = found.filter((batch) => strays.every(({ batchId }) => batchId !== batch.id));
  return own.find(isLive) ?? own[0];
}

/** Whether it may have answered, or may still answer, everything. */
function isLive({ status }: ProviderBatch): boolean {
  return status === 'completed' || !isEnding(status);
}

function seenKey(fileId: string): string {
  return `seen ${fileId}`;
}

function goneKey(fileId: string): string {
  return `gone ${fileId}`;
}
