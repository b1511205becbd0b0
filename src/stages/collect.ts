/**
 * Collect: brings an ended batch's output and error file home, whole, and decides what follows.
 * A file that is cut, or shorter than the provider's own counts say, is fetched again.
 */

import { join } from 'node:path';
import type { Burned, Close, CollectedAttempt, EndedBatch, Next, Tally } from '../domain/chunk.ts';
import { Weather } from '../domain/errors.ts';
import type { JobSpec } from '../domain/job.ts';
import { afterAttempt, grow } from '../domain/retry.ts';
import type { Assessment } from './answers/assess.ts';
import type { AnswersReport } from './answers/check.ts';
import { assess } from './assess.ts';
import type { AttemptFile } from './names.ts';
import { attemptFileName, attemptFolder } from './names.ts';
import { confirmLost } from './lost-output.ts';
import type { ChunkTask, StageAnswer, Tools } from './tools.ts';
import { MOVED, later } from './tools.ts';

/** Fetches of one attempt's files before what arrives is taken as all there is: in six minutes. */
const MAX_FETCHES = 8;

/** Looks for a file that the provider does not find before it is given up: in a quarter hour. */
const MAX_LOST_LOOKS = 12;

/** Why requests of a paid batch are not answered: they are not bought again by themselves. */
export const OUTPUT_LOST: Close = {
  code: 'output_lost',
  message: 'The batch was executed and paid, but the provider lost its output file.',
};

/** State `ended`: stores the answers, records `collected` with what follows. */
export async function collect(task: ChunkTask, tools: Tools): Promise<StageAnswer> {
  const { stream } = task;
  const { state } = stream;
  if (state.status !== 'ended') return MOVED;
  const { batch, attempt } = state;

  const { number, upload } = attempt;
  const of = { number, requests: upload.requests, stray: false };
  const stored = await storeAnswers(task, batch, of, tools);
  if (stored.kind === 'later') return later(stored.delayMs, 'fetching answers again');
  const assessment = await assess(task, [...state.collected, stored.attempt], tools);
  const tally = tallyOf(assessment);
  // Strangers and doubled lines may hide from a mere count that answers of ours are missing.
  const gained = tally.succeeded - state.tally.succeeded;
  const isShort = gained < (batch.counts?.completed ?? 0);
  if (isShort && !stored.lost && stored.fetches < MAX_FETCHES) {
    await dropAnswers(task, stored.attempt, tools);
    return later(pauseAfter(stored.fetches, tools), 'fetching answers again');
  }
  if (isShort && stored.isWhole) incompleteAlert(task, batch, tools);
  const follows = followsAttempt(task, batch, upload.requests, assessment, tools);
  const lost = stored.lost && tally.pending > 0;
  const isOurs = await stream.decide({
    type: 'collected',
    attempt: stored.attempt,
    files: stored.isWhole && !isShort ? filesToDelete(task.job, batch) : [],
    tally,
    burned: follows.burned,
    next: lost ? { kind: 'settle', close: OUTPUT_LOST } : follows.next,
  });
  if (!isOurs) return dropAnswers(task, stored.attempt, tools);
  tools.watch.forget(fetchKey(batch));
  tools.watch.forget(lostKey(batch));
  return MOVED;
}

/** What was decided on stale knowledge is thrown away; the step is done again. */
export async function dropAnswers(
  task: ChunkTask,
  attempt: CollectedAttempt,
  tools: Tools,
): Promise<StageAnswer> {
  await tools.blobs.deleteFolder(attemptFolder(task.job.id, task.chunk.id, attempt.folder));
  return MOVED;
}

/** The provider's files behind an ended batch that are ours to delete later. */
export function filesToDelete({ source }: JobSpec, batch: EndedBatch): string[] {
  const isKept =
    source.kind === 'batches' &&
    source.keepsFiles &&
    source.batches.some(({ batchId }) => batchId === batch.batchId);
  if (isKept) return [];
  return [batch.outputFileId, batch.errorFileId].filter((id) => id !== null);
}

export function tallyOf(assessment: Assessment): Tally {
  const { succeeded, failed, pending } = assessment.counts;
  return { succeeded, failed, pending };
}

export type Stored =
  | {
      readonly kind: 'stored';
      readonly attempt: CollectedAttempt;
      readonly lost: boolean;
      /** Nothing of its files is known to be missing here: there they are not needed any more. */
      readonly isWhole: boolean;
      /** How often the files were fetched. */
      readonly fetches: number;
    }
  | { readonly kind: 'later'; readonly delayMs: number };

/** Downloads, checks and stores the files of an ended batch. */
export async function storeAnswers(
  task: ChunkTask,
  batch: EndedBatch,
  of: { number: number; requests: number; stray: boolean },
  tools: Tools,
): Promise<Stored> {
  const attempt: CollectedAttempt = {
    ...of,
    batchId: batch.batchId,
    status: batch.status,
    folder: `${of.number}-${tools.ids.nonce()}`,
    hasOutput: batch.outputFileId !== null,
    hasErrors: batch.errorFileId !== null,
    // A stray's lines are another attempt's: its validation errors say nothing about ours.
    errors: batch.status === 'failed' && !of.stray ? batch.errors : [],
  };
  if (!attempt.hasOutput && !attempt.hasErrors) {
    return { kind: 'stored', attempt, lost: false, isWhole: true, fetches: MAX_FETCHES };
  }

  const folder = await tools.scratch.makeFolder('collect');
  try {
    return await storeInto(folder, task, batch, attempt, tools);
  } finally {
    await tools.scratch.removeFolder(folder);
  }
}

async function storeInto(
  folder: string,
  task: ChunkTask,
  batch: EndedBatch,
  wanted: CollectedAttempt,
  tools: Tools,
): Promise<Stored> {
  const output = await fetchFile(batch.outputFileId, join(folder, 'output.jsonl'), tools);
  const errors = await fetchFile(batch.errorFileId, join(folder, 'errors.jsonl'), tools);
  const lost = [output, errors].some((one) => one.kind === 'lost');
  // Counted apart: looks that found nothing must not use up the fetches of what is found.
  const looks = lost ? tools.watch.see(lostKey(batch)).times : 0;
  if (lost && looks < MAX_LOST_LOOKS) return { kind: 'later', delayMs: pauseAfter(looks, tools) };
  if (lost) await confirmLost(task, batch.batchId, tools);
  const { times: fetches } = tools.watch.see(fetchKey(batch));

  const outputPath = output.kind === 'fetched' ? output.path : null;
  const errorPath = errors.kind === 'fetched' ? errors.path : null;
  const indexPath = join(folder, 'answers.idx');
  const report = await tools.engines.run('checkAnswers', { outputPath, errorPath, indexPath });
  // Some servers write no last newline: counts that fit prove that nothing is missing.
  const isCut = report.cut && batch.counts === null;
  const suspicious = isCut || report.unparsable > 0 || fallsShort(report, batch);
  if (suspicious && fetches < MAX_FETCHES) {
    return { kind: 'later', delayMs: pauseAfter(fetches, tools) };
  }
  if (suspicious || lost) incompleteAlert(task, batch, tools);

  const attempt = { ...wanted, hasOutput: outputPath !== null, hasErrors: errorPath !== null };
  const put = async (file: AttemptFile, path: string | null): Promise<void> => {
    if (path === null) return;
    const name = attemptFileName(task.job.id, task.chunk.id, attempt.folder, file);
    await tools.blobs.putFile(name, path);
  };
  await put('output.jsonl', outputPath);
  await put('errors.jsonl', errorPath);
  await put('answers.idx', indexPath);
  const isWhole = !suspicious && !lost;
  return { kind: 'stored', attempt, lost: output.kind === 'lost', isWhole, fetches };
}

/** Storage that lags is given time: what is not waited for is paid twice, or lost. */
function pauseAfter(tries: number, { policy }: Tools): number {
  const { attemptPauseMs, weatherBaseMs, weatherMaxMs } = policy.retry;
  const baseMs = Math.max(attemptPauseMs, weatherBaseMs);
  return Math.max(baseMs, grow(baseMs, weatherMaxMs, tries - 1));
}

/** Whether fewer answers arrived than the provider counted: a cut between two lines. */
function fallsShort(report: AnswersReport, batch: EndedBatch): boolean {
  if (batch.counts === null) return false;
  const { completed, failed } = batch.counts;
  const { success, final, again, quota } = report.counts;
  const isShort = success < completed;
  return isShort || (batch.errorFileId !== null && final + again + quota < failed);
}

type Fetched = { kind: 'fetched'; path: string } | { kind: 'absent' } | { kind: 'lost' };

async function fetchFile(fileId: string | null, path: string, tools: Tools): Promise<Fetched> {
  if (fileId === null) return { kind: 'absent' };
  try {
    await tools.provider.download(fileId, path);
    return { kind: 'fetched', path };
  } catch (error) {
    if (error instanceof Weather && error.status === 404) return { kind: 'lost' };
    throw error;
  }
}

function followsAttempt(
  task: ChunkTask,
  batch: EndedBatch,
  sent: number,
  assessment: Assessment,
  tools: Tools,
): { burned: Burned; next: Next } {
  const { state } = task.stream;
  return afterAttempt(
    {
      batch,
      tally: tallyOf(assessment),
      sent,
      quota: assessment.quota,
      cancelled: state.intent.kind === 'cancel',
      executed: state.executed,
      recuts: state.recuts,
      pauses: state.pauses,
      maxAttempts: task.options.maxAttempts,
    },
    tools.policy.retry,
  );
}

function fetchKey(batch: EndedBatch): string {
  return `fetch ${batch.batchId}`;
}

function lostKey(batch: EndedBatch): string {
  return `lost ${batch.batchId}`;
}

function incompleteAlert(task: ChunkTask, batch: EndedBatch, tools: Tools): void {
  tools.notices.tell({
    level: 'alert',
    code: 'answers_incomplete',
    message:
      `Files of batch ${batch.batchId} stay lost, cut or unreadable after several fetches. ` +
      'Those that are there are not deleted.',
    job: task.job.id,
    chunk: task.chunk.id,
  });
}
