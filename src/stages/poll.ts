/** Poll: watches a batch until it will not change any more, and cancels it where that is wished. */

import { pollDelayMs } from '../domain/cadence.ts';
import type { EndedBatch } from '../domain/chunk.ts';
import { Weather } from '../domain/errors.ts';
import type { ProviderBatch } from '../ports/batch-provider.ts';
import { findBatches } from './look.ts';
import type { ChunkTask, StageAnswer, Tools } from './tools.ts';
import { MOVED, later } from './tools.ts';

/** Validation errors kept of one batch: more than that fails the chunk anyway. */
const MAX_ERRORS = 20_000;

/** A provider's sentence is kept up to this length. */
const MAX_MESSAGE = 500;

/** Looks at an ended batch whose file ids do not fit its counts, before that is an alert. */
const ALERT_AFTER_LOOKS = 30;

/** How long a batch that was cut short may still come to name its files. */
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

  await findStrays(task, tools);
  const batch = await lookAt(task, batchId, delayMs, tools);
  if (batch === null) return givenUp(task, batchId, delayMs, tools);

  const ended = await endOf(task, batch, tools);
  if (ended !== null) {
    await stream.record({ type: 'ended', batch: ended });
    tools.sightings.forget(batchId);
    tools.watch.forget(`poll ${batchId}`);
    return MOVED;
  }
  if (state.intent.kind === 'cancel') await cancelBatch(batch, tools);
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
  const { elapsedMs } = tools.watch.see(`forgotten ${batchId}`);
  const isOver = elapsedMs > tools.policy.missingBatchAlertMs;
  if (task.stream.state.intent.kind !== 'cancel' || !isOver) {
    return later(delayMs, 'the provider does not find the batch');
  }
  const nothing = { outputFileId: null, errorFileId: null, counts: null, errors: [] };
  await task.stream.record({ type: 'ended', batch: { batchId, status: 'cancelled', ...nothing } });
  return MOVED;
}

/** Asks the provider to cancel a live batch; a refusal only means that it is ending anyway. */
export async function cancelBatch(batch: ProviderBatch, tools: Tools): Promise<void> {
  if (batch.status === 'cancelling' || isFinal(batch.status)) return;
  try {
    await tools.provider.cancelBatch(batch.id);
  } catch (error) {
    if (error instanceof Weather && error.kind === 'permanent') return;
    throw error;
  }
}

/** What is final about the batch, or null where it must be looked at again. */
export async function endOf(
  task: ChunkTask,
  batch: ProviderBatch,
  tools: Tools,
): Promise<EndedBatch | null> {
  const { status } = batch;
  if (!isFinal(status)) return null;
  if (status !== 'failed' && !filesFit(batch)) {
    const { times, elapsedMs } = tools.watch.see(`files ${batch.id}`);
    const outputOwed = batch.outputFileId === null && !provesNoSuccess(batch);
    if (times === ALERT_AFTER_LOOKS && outputOwed) missingOutputAlert(task, batch, tools);
    // A batch that was cut short and states no counts may well have answered nothing at all.
    const isCutShort = status !== 'completed' && batch.counts === null;
    const isSilent = isCutShort && times > ALERT_AFTER_LOOKS && elapsedMs > SILENCE_MS;
    if ((outputOwed && !isSilent) || times < ERROR_FILE_LOOKS) return null;
  }
  tools.watch.forget(`files ${batch.id}`);
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

/** An abandoned attempt's batch may turn up late: it is cancelled, and its answers are used. */
async function findStrays(task: ChunkTask, tools: Tools): Promise<void> {
  const { abandoned } = task.stream.state;
  if (abandoned.length === 0) return;
  await recordStrays(task, tools);
}

/** Looks for batches over abandoned input files; true where a new one was recorded. */
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
    if (attempt === undefined || isKnown(task, batch.id)) continue;
    // Before its event: whoever dies in between finds it again, and stops it again.
    await cancelBatch(batch, tools);
    const stray = { batchId: batch.id, number: attempt.number };
    if (!(await task.stream.record({ type: 'stray_found', stray }))) continue;
    recorded = true;
    tools.notices.tell({
      level: 'alert',
      code: 'stray_batch',
      message: `Batch ${batch.id} turned up for an attempt that had been given up; cancelling it.`,
      job: task.job.id,
      chunk: task.chunk.id,
    });
  }
  return recorded;
}

function isKnown(task: ChunkTask, batchId: string): boolean {
  const { strays, collected } = task.stream.state;
  return [...strays, ...collected].some((one) => one.batchId === batchId);
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

function isFinal(status: string): status is EndedBatch['status'] {
  return ['completed', 'failed', 'expired', 'cancelled'].includes(status);
}

/** Whether the file ids say what the counts say; an absent count promises nothing. */
function filesFit(batch: ProviderBatch): boolean {
  if (batch.outputFileId === null && !provesNoSuccess(batch)) return false;
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

function missingOutputAlert(task: ChunkTask, batch: ProviderBatch, tools: Tools): void {
  tools.notices.tell({
    level: 'alert',
    code: 'output_missing',
    message: `Batch ${batch.id} is ${batch.status} but names no output file; looking on.`,
    job: task.job.id,
    chunk: task.chunk.id,
  });
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
