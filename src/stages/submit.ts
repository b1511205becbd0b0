/**
 * Submit: the one step that spends money. Only the call whose own append of `submitting` won may
 * create the batch, once, and soon; whoever else finds that state may only look (adopt.ts).
 */

import type { Weather } from '../domain/errors.ts';
import { invariant, Weather as WeatherError } from '../domain/errors.ts';
import { accountTrouble, grow, saysFileMissing } from '../domain/retry.ts';
import type { ProviderBatch } from '../ports/batch-provider.ts';
import { noteCreate, noteFailedCreate } from './failing-creates.ts';
import { setAside } from './strays.ts';
import type { ChunkTask, StageAnswer, Tools } from './tools.ts';
import { BOARD_UNREADY, MOVED, RATE_LIMIT } from './tools.ts';
import { modelOf } from './upload.ts';

/**
 * Creates that find no input file before it is uploaded again. Files are seen late: with the usual
 * waits these take six minutes.
 */
const FILE_LOOKS = 10;

/** Decides, creates and records one batch for the uploaded file. */
export async function submit(task: ChunkTask, tools: Tools): Promise<StageAnswer> {
  const { stream } = task;
  if (stream.state.status !== 'uploaded') return MOVED;

  // A hold gives the slot away, and what was flushed is taken anew.
  const holder = { job: task.job.id, chunk: task.chunk.id };
  const slot = await tools.board.takeSlot(modelOf(task), holder, tools.policy.maxLiveBatches);
  if (slot === 'unready') return BOARD_UNREADY;
  if (slot === 'parked') return { kind: 'parked' };

  const decidedAtMs = tools.clock.monotonicMs();
  const attemptId = tools.ids.nonce();
  if (!(await stream.decide({ type: 'submitting', attemptId }))) return MOVED;
  // A process that was frozen in between must not send a create that others have given up.
  if (tools.clock.monotonicMs() - decidedAtMs > tools.policy.create.deadlineMs) {
    return notCreated(task, attemptId, tools, 'the create was late and not sent', 0);
  }
  const outcome = await createBatch(task, attemptId, tools);
  if (!(outcome instanceof WeatherError)) {
    return recordBatch(task, attemptId, outcome, tools);
  }
  return afterFailedCreate(task, attemptId, outcome, tools);
}

/** Our batch exists: it is the attempt's, or a stray where others have gone on without it. */
async function recordBatch(
  task: ChunkTask,
  attemptId: string,
  batch: ProviderBatch,
  tools: Tools,
): Promise<StageAnswer> {
  const { state } = task.stream;
  const batchId = batch.id;
  const number = state.status === 'submitting' ? state.attempt.number : 0;
  const submitted = { type: 'submitted', attemptId, batchId, adopted: false } as const;
  noteCreate(task, tools);
  if (await task.stream.record(submitted)) return MOVED;
  await setAside(task, batch, number, tools);
  return MOVED;
}

async function createBatch(
  task: ChunkTask,
  attemptId: string,
  tools: Tools,
): Promise<ProviderBatch | Weather> {
  const { state } = task.stream;
  invariant(state.status === 'submitting', 'a create follows its own decision');
  try {
    return await tools.provider.createBatch({
      inputFileId: state.attempt.upload.fileId,
      endpoint: task.endpoint,
      completionWindow: task.job.completionWindow,
      metadata: {
        installation: tools.installation,
        job: task.job.id,
        chunk: task.chunk.id,
        attempt: String(state.attempt.number),
        attemptId,
      },
      timeoutMs: tools.policy.create.timeoutMs,
    });
  } catch (error) {
    if (error instanceof WeatherError) return error;
    throw error;
  }
}

async function afterFailedCreate(
  task: ChunkTask,
  attemptId: string,
  weather: Weather,
  tools: Tools,
): Promise<StageAnswer> {
  noteFailedCreate(task, weather, tools);
  // The batch may exist: the state stays `submitting`, and adopt looks for it.
  if (weather.kind === 'unknown') return MOVED;

  const trouble = accountTrouble(weather);
  if (trouble !== null) {
    await notCreated(task, attemptId, tools, trouble.message, 0);
    return trouble;
  }
  if (saysFileMissing(weather)) return afterUnseenFile(task, attemptId, weather, tools);
  if (weather.kind === 'transient') {
    const { retry } = tools.policy;
    const backoffMs = grow(retry.weatherBaseMs, retry.weatherMaxMs, task.stream.state.pauses);
    const pauseMs = Math.max(backoffMs, weather.retryAfterMs ?? 0);
    return notCreated(task, attemptId, tools, waitReason(weather), pauseMs);
  }
  await notCreated(task, attemptId, tools, weather.message, 0);
  return { kind: 'hold', code: 'provider_refused', message: weather.message };
}

/** Each file is counted by itself: what kept an earlier one waiting says nothing about it. */
async function afterUnseenFile(
  task: ChunkTask,
  attemptId: string,
  weather: Weather,
  tools: Tools,
): Promise<StageAnswer> {
  const { state: decided } = task.stream;
  invariant(decided.status === 'submitting', 'a create follows its own decision');
  const { fileId } = decided.attempt.upload;
  const key = `unseen ${fileId}`;
  const { times } = tools.watch.see(key);
  const { weatherBaseMs, weatherMaxMs } = tools.policy.retry;
  const pauseMs = grow(weatherBaseMs, weatherMaxMs, times - 1);
  await notCreated(task, attemptId, tools, 'the provider does not see the file yet', pauseMs);
  if (times < FILE_LOOKS) return MOVED;
  tools.watch.forget(key);
  await task.stream.record({ type: 'file_lost', fileId, pauseMs, reason: weather.message });
  return MOVED;
}

/** Records that no batch was made, so the upload may be submitted again. */
async function notCreated(
  task: ChunkTask,
  attemptId: string,
  tools: Tools,
  reason: string,
  pauseMs: number,
): Promise<StageAnswer> {
  await task.stream.record({ type: 'unsent', attemptId, pauseMs, reason });
  const { job, chunk } = task;
  tools.notices.tell({
    level: 'info',
    code: 'not_created',
    message: reason,
    job: job.id,
    chunk: chunk.id,
  });
  return MOVED;
}

function waitReason(weather: Weather): string {
  return weather.status === 429 ? RATE_LIMIT : 'the provider cannot be reached';
}
