/**
 * Take over: plans a job whose batches somebody else made. Their input files become the request
 * set, a chunk each, and each chunk has its batch before the job is planned: from then on nothing
 * in it looks as if it were still to be sent.
 */

import { join } from 'node:path';
import { applyToChunk } from '../domain/transitions.ts';
import type { ChunkEvent, ChunkState, StrayBatch, Upload } from '../domain/chunk.ts';
import { freshChunk } from '../domain/chunk.ts';
import { invariant, Refusal, Weather } from '../domain/errors.ts';
import type { BatchesSource, PlanRefusal, SourceBatch } from '../domain/job.ts';
import type { PlannedChunk } from '../domain/plan.ts';
import { EventStream } from './event-stream.ts';
import { chunkStreamName } from './names.ts';
import type { TakenFile } from './plan/taken-files.ts';
import { storeChunks, storePlan } from './store-plan.ts';
import { lookAtTaken } from './taken-batch.ts';
import type { JobTask, StageAnswer, Tools } from './tools.ts';
import { MOVED, later } from './tools.ts';

/** Bad lines that are listed; the rest is counted. */
const MAX_REPORTED = 100;

/** The number of the attempt that somebody else made. */
const FIRST = 1;

/** Between two looks at a batch whose validation has to be over first. */
const VALIDATION_LOOK_MS = 30_000;

/** A batch with what its input file turned out to be. */
interface TakenBatch extends SourceBatch, TakenFile {}

/** State `created`: records `taken_over` for each chunk, then `planned`; or `refused`. */
export async function takeOver(
  task: JobTask,
  source: BatchesSource,
  tools: Tools,
): Promise<StageAnswer> {
  const { job, stream } = task;
  const folder = await tools.scratch.makeFolder('take-over');
  try {
    const fileIds = [...new Set(source.batches.map(({ fileId }) => fileId))];
    const outcome = await tools.engines.run('planTakenFiles', {
      files: await fetchAll(fileIds, folder, tools),
      outputFolder: folder,
      job: job.id,
      limits: job.limits,
      maxReported: MAX_REPORTED,
    });
    if (outcome.kind === 'refused') {
      await stream.record({ type: 'refused', refusal: unfit(outcome) });
      return MOVED;
    }
    const files = new Map(fileIds.map((id, index) => [id, outcome.files[index]]));
    const taken = source.batches.map((batch) => {
      const file = files.get(batch.fileId);
      invariant(file !== undefined, `the input file of ${batch.batchId} is planned`);
      return { ...batch, ...file };
    });
    if (await isBeingValidated(taken, tools)) {
      return later(VALIDATION_LOOK_MS, 'waiting until the batches are validated');
    }
    await storeChunks(job.id, outcome.plan, folder, tools.blobs);
    for (const [index, chunk] of outcome.plan.chunks.entries()) {
      const own = taken.filter((batch) => batch.chunk === index);
      await recordBatches(task, chunk, own, source.keepsFiles, tools);
    }
    const plan = await storePlan(job.id, outcome.plan, tools.blobs);
    await stream.record({ type: 'planned', plan });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { code, message } = error;
    const refusal = { code, message, rejected: [], rejectedTotal: 0 };
    await stream.record({ type: 'refused', refusal });
  } finally {
    await tools.scratch.removeFolder(folder);
  }
  return MOVED;
}

async function fetchAll(fileIds: readonly string[], folder: string, tools: Tools) {
  const files: { path: string; name: string }[] = [];
  for (const [index, fileId] of fileIds.entries()) {
    const path = join(folder, `input-${index}.jsonl`);
    try {
      await tools.provider.download(fileId, path);
    } catch (error) {
      if (!(error instanceof Weather) || error.status !== 404) throw error;
      const message = `The input file ${fileId} went away at the provider: leave its batch out.`;
      throw new Refusal('not_adoptable', message);
    }
    files.push({ path, name: fileId });
  }
  return files;
}

/**
 * Whether a batch over a file with blank lines is still being validated. What it complains of
 * names lines as the provider counts them, and those are then not the chunk's. Refuses where
 * the complaints are there.
 */
async function isBeingValidated(taken: readonly TakenBatch[], tools: Tools): Promise<boolean> {
  for (const { batchId, fileId, blank } of taken) {
    if (blank === 0) continue;
    const status = (await lookAtTaken(batchId, tools))?.status;
    if (status === 'validating') return true;
    if (status !== 'failed') continue;
    const message = `${batchId} over ${fileId} failed its validation: leave it out.`;
    throw new Refusal('not_adoptable', message);
  }
  return false;
}

/** The first batch over the whole chunk is its attempt; what else runs over it is a stray. */
async function recordBatches(
  task: JobTask,
  chunk: PlannedChunk,
  batches: readonly TakenBatch[],
  keepsFiles: boolean,
  tools: Tools,
): Promise<void> {
  const first = batches.find(({ isWhole }) => isWhole);
  invariant(first !== undefined, `${chunk.id} is the whole file of a batch`);
  const strays = batches.flatMap(({ batchId }): StrayBatch[] =>
    batchId === first.batchId ? [] : [{ batchId, number: FIRST, spared: true }],
  );
  const stream = await EventStream.open<ChunkEvent, ChunkState>(
    tools.journal,
    chunkStreamName(task.job.id, chunk.id),
    applyToChunk,
    freshChunk(chunk.requests),
  );
  await stream.record({
    type: 'taken_over',
    attempt: { number: FIRST, attemptId: tools.ids.nonce(), upload: uploadOf(first) },
    batchId: first.batchId,
    strays,
    files: keepsFiles ? [] : [...new Set(batches.map(({ fileId }) => fileId))],
  });
}

function uploadOf(batch: TakenBatch): Upload {
  const { fileId, sha256, sizeBytes, requests, fileCreatedAtMs } = batch;
  return { fileId, sha256, sizeBytes, requests, createdAtMs: fileCreatedAtMs };
}

function unfit(outcome: Pick<PlanRefusal, 'rejected' | 'rejectedTotal'>): PlanRefusal {
  const { rejected, rejectedTotal } = outcome;
  const lines = rejectedTotal === 1 ? '1 line keeps' : `${rejectedTotal} lines keep`;
  const way = 'leave out the batch that it belongs to, or adopt that one by itself';
  const message = `${lines} these batches from being one job: ${way}.`;
  return { code: 'not_adoptable', message, rejected, rejectedTotal };
}
