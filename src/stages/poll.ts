/** Poll: watches a batch until it will not change any more, and cancels it where that is wished. */

import { isFinal } from '../domain/batch-status.ts';
import { pollDelayMs } from '../domain/cadence.ts';
import type { EndedBatch } from '../domain/chunk.ts';
import { Weather } from '../domain/errors.ts';
import type { ProviderBatch } from '../ports/batch-provider.ts';
import { cancelBatch } from './cancel-batch.ts';
import { recordStrays, stopStrays, stopTwins } from './strays.ts';
import type { ChunkTask, StageAnswer, Tools } from './tools.ts';
import { MOVED, later } from './tools.ts';

/** Validation errors kept of one batch: more than that fails the chunk anyway. */
const MAX_ERRORS = 20_000;

/** A provider's sentence is kept up to this length. */
const MAX_MESSAGE = 500;

/** Looks at an ended batch whose file ids do not fit its counts, before it is taken as it is. */
const MAX_UNFIT_LOOKS = 30;

/** Looks in a row that find nothing before a cancelled job goes on without the batch. */
const FORGOTTEN_LOOKS = 5;

/** How long a batch that was cut short, failed or is not wanted may still come to name files. */
const SILENCE_MS = 600_000;

/** Looks after which a missing error file is taken as it is: nothing in it is paid. */
const ERROR_FILE_LOOKS = 5;

/** State `submitted`: one look; records `ended`. */
export async function poll(task: ChunkTask, tools: Tools): Promise<StageAnswer> {
  const { stream } = task;
  const { state } = stream;
  if (state.status !== 'submitted') return MOVED;
  const { batchId } = state;
  const watched = tools.watch.see(`poll ${batchId}`);
  const delayMs = pollDelayMs(tools.policy.poll, watched.elapsedMs);

  await stopStrays(task, tools);
  await recordStrays(task, tools);
  const batch = await lookAt(task, batchId, delayMs, tools);
  if (batch === null) return givenUp(task, batchId, delayMs, tools);

  const ended = await endOf(task, batch, tools);
  if (ended !== null) {
    // Nobody may have looked while it ran; a provider that does not list keeps no answers from us.
    await unlessWeather(stopTwins(task, tools));
    await stream.record({ type: 'ended', batch: ended });
    tools.sightings.forget(batchId);
    tools.watch.forget(`poll ${batchId}`);
    return MOVED;
  }
  if (state.intent.kind === 'cancel') await cancelBatch(batch, tools);
  await stopTwins(task, tools);
  await tell(task, batch, tools);
  return later(delayMs, batch.status);
}

/** A batch that the provider has forgotten keeps its chunk waiting, but not a cancelled job. */
async function givenUp(
  task: ChunkTask,
  batchId: string,
  delayMs: number,
  tools: Tools,
): Promise<StageAnswer> {
  const isOver = isForgotten(batchId, tools);
  if (task.stream.state.intent.kind !== 'cancel' || !isOver) {
    return later(delayMs, 'the provider does not find the batch');
  }
  await task.stream.record({ type: 'ended', batch: forgottenBatch(batchId) });
  tools.sightings.forget(batchId);
  return MOVED;
}

async function unlessWeather(work: Promise<void>): Promise<void> {
  await work.catch((error: unknown) => {
    if (!(error instanceof Weather)) throw error;
  });
}

/** To be asked after each look that did not find the batch: whether there were enough of them. */
export function isForgotten(batchId: string, tools: Tools): boolean {
  const { elapsedMs, times } = tools.watch.see(forgottenKey(batchId));
  return elapsedMs > tools.policy.missingBatchAlertMs && times >= FORGOTTEN_LOOKS;
}

/** All that can still be said of a batch that the provider has forgotten. */
export function forgottenBatch(batchId: string): EndedBatch {
  const nothing = { outputFileId: null, errorFileId: null, counts: null, errors: [] };
  return { batchId, status: 'cancelled', ...nothing };
}

/** What is final about the batch, or null where it must be looked at again. */
export async function endOf(
  task: ChunkTask,
  batch: ProviderBatch,
  tools: Tools,
): Promise<EndedBatch | null> {
  const { status } = batch;
  if (!isFinal(status)) return null;
  if (!filesFit(batch)) {
    const { times, elapsedMs } = tools.watch.see(`files ${batch.id}`);
    const outputOwed = batch.outputFileId === null && !provesNoSuccess(batch);
    if (outputOwed) tellWhenMissing(task, batch, tools);
    // A cancelled job buys nothing more, and has no other way out.
    const isBounded = mayLackFiles(batch) || task.stream.state.intent.kind === 'cancel';
    const isSilent = isBounded && times > MAX_UNFIT_LOOKS && elapsedMs > SILENCE_MS;
    if ((outputOwed && !isSilent) || times < ERROR_FILE_LOOKS) return null;
  }
  tools.watch.forget(`files ${batch.id}`);
  tools.watch.forget(missingOutputKey(batch));
  return {
    batchId: batch.id,
    status,
    outputFileId: batch.outputFileId,
    errorFileId: batch.errorFileId,
    counts: batch.counts && { completed: batch.counts.completed, failed: batch.counts.failed },
    errors: batch.errors.slice(0, MAX_ERRORS).map(({ code, message, line }) => ({
      code,
      message: message.slice(0, MAX_MESSAGE),
      line,
    })),
  };
}

/** One look; null where the provider does not find the batch, an alert where that lasts. */
export async function lookAt(
  task: ChunkTask,
  batchId: string,
  maxAgeMs: number,
  tools: Tools,
): Promise<ProviderBatch | null> {
  const key = `missing ${batchId}`;
  try {
    const batch = await tools.sightings.look(batchId, maxAgeMs);
    tools.watch.forget(key);
    tools.watch.forget(forgottenKey(batchId));
    return batch;
  } catch (error) {
    if (!(error instanceof Weather) || error.status !== 404) throw error;
  }
  const { elapsedMs } = tools.watch.see(key);
  if (elapsedMs > tools.policy.missingBatchAlertMs) {
    tools.watch.forget(key);
    tools.notices.tell({
      level: 'alert',
      code: 'batch_missing',
      message: `The provider does not find batch ${batchId}. It is not created again by itself.`,
      job: task.job.id,
      chunk: task.chunk.id,
    });
  }
  return null;
}

/** Since when, and how often in a row, the batch was not found. */
function forgottenKey(batchId: string): string {
  return `forgotten ${batchId}`;
}

/**
 * Whether the batch may never come to name an output: one that failed, or one that was cut short
 * and states no counts, may well have answered nothing at all.
 */
function mayLackFiles({ status, counts }: ProviderBatch): boolean {
  return status === 'failed' || (status !== 'completed' && counts === null);
}

/** Whether the file ids say what the counts say; an absent count promises nothing. */
function filesFit(batch: ProviderBatch): boolean {
  // What failed its validation has no files, unless it says that it answered something before.
  if (batch.status === 'failed' && (batch.counts?.completed ?? 0) === 0) return true;
  if (batch.outputFileId === null && !provesNoSuccess(batch)) return false;
  // An error file alone proves nothing at once: the output's id may come after it.
  if (batch.outputFileId === null && (batch.counts?.total ?? 0) === 0) return false;
  return batch.errorFileId !== null || (batch.counts?.failed ?? 0) === 0;
}

/** Whether the counts prove that there is nothing to be paid for. */
function provesNoSuccess(batch: ProviderBatch): boolean {
  const { counts } = batch;
  if (counts === null) return batch.errorFileId !== null;
  if (counts.completed > 0) return false;
  // Zero of zero proves nothing after a completion: the counts are not there yet.
  return batch.status !== 'completed' || counts.failed > 0 || batch.errorFileId !== null;
}

/** Again and again while it lasts. */
function tellWhenMissing(task: ChunkTask, batch: ProviderBatch, tools: Tools): void {
  const key = missingOutputKey(batch);
  if (tools.watch.see(key).elapsedMs < tools.policy.missingBatchAlertMs) return;
  tools.watch.forget(key);
  tools.notices.tell({
    level: 'alert',
    code: 'output_missing',
    message: `Batch ${batch.id} is ${batch.status} but names no output file; looking on.`,
    job: task.job.id,
    chunk: task.chunk.id,
  });
}

function missingOutputKey({ id }: ProviderBatch): string {
  return `no output ${id}`;
}

async function tell(task: ChunkTask, batch: ProviderBatch, tools: Tools): Promise<void> {
  const { tally } = task.stream.state;
  await tools.board.setProgress(
    { job: task.job.id, chunk: task.chunk.id },
    {
      phase: batch.status,
      reason: '',
      total: task.chunk.requests + task.chunk.rejected,
      done: tally.succeeded + tally.failed + task.chunk.rejected + (batch.counts?.completed ?? 0),
      failed: tally.failed + task.chunk.rejected,
    },
  );
}
