/** Plan: cuts the job's request set into chunks, or says why it cannot be sent. */

import { Refusal } from '../domain/errors.ts';
import type { BatchesSource, JobSource, PlanRefusal } from '../domain/job.ts';
import { cancelBatch } from './cancel-batch.ts';
import { storeChunks, storePlan } from './store-plan.ts';
import { takeOver } from './take-over.ts';
import { lookAtTaken } from './taken-batch.ts';
import type { JobTask, StageAnswer, Tools } from './tools.ts';
import { MOVED } from './tools.ts';

/** Bad lines that are listed; the rest is counted. */
const MAX_REPORTED = 100;

/** State `created`: records `planned` or `refused`. */
export async function planJob(task: JobTask, tools: Tools): Promise<StageAnswer> {
  const { job, stream } = task;
  if (job.source.kind === 'batches') return takeOver(task, job.source, tools);
  const folder = await tools.scratch.makeFolder('plan');
  try {
    const outcome = await tools.engines.run('planRequestSet', {
      sourcePath: await sourcePath(job.source, tools),
      encoding: job.source.encoding,
      outputFolder: folder,
      job: job.id,
      defaults: job.defaults,
      limits: job.limits,
      onInvalid: job.onInvalid,
      write: true,
      maxReported: MAX_REPORTED,
    });
    if (outcome.kind === 'refused') {
      await stream.record({ type: 'refused', refusal: invalidLines(outcome) });
      return MOVED;
    }
    const { sha256 } = job.source;
    if (sha256 !== null && outcome.plan.source.sha256 !== sha256) throw inputChanged(job.source);
    await storeChunks(job.id, outcome.plan, folder, tools.blobs);
    const plan = await storePlan(job.id, outcome.plan, tools.blobs);
    await stream.record({ type: 'planned', plan });
    // What came through a pipe lies in the chunks now.
    if (job.source.kind === 'blob') await tools.blobs.delete(job.source.location);
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === null) throw error;
    await stream.record({ type: 'refused', refusal });
  } finally {
    await tools.scratch.removeFolder(folder);
  }
  return MOVED;
}

/**
 * A job that is cancelled before it has a plan ends without a result. Batches that it was to take
 * over are cancelled with it, as they would be a moment later.
 */
export async function withdraw(task: JobTask, tools: Tools): Promise<StageAnswer> {
  const { source } = task.job;
  const what = source.kind === 'batches' ? await stopAll(source, tools) : 'nothing was sent.';
  const message = `The job was cancelled before it was planned; ${what}`;
  const refusal = { code: 'job_cancelled', message, rejected: [], rejectedTotal: 0 };
  await task.stream.record({ type: 'refused', refusal });
  return MOVED;
}

/** Asks each batch to end; says what became of them. */
async function stopAll({ batches }: BatchesSource, tools: Tools): Promise<string> {
  for (const { batchId } of batches) {
    const batch = await lookAtTaken(batchId, tools);
    if (batch !== null) await cancelBatch(batch, tools);
  }
  return 'its batches were asked to end. What they answered is paid: adopt them again to have it.';
}

async function sourcePath({ kind, location }: JobSource, tools: Tools): Promise<string> {
  if (kind === 'path') return location;
  if ((await tools.blobs.head(location)) !== null) return tools.blobs.toLocal(location);
  const way = kind === 'file' ? 'upload the file again' : 'pipe the input in again';
  throw new Refusal('input_unreadable', `${location} is gone: ${way}.`);
}

function invalidLines(outcome: {
  rejected: PlanRefusal['rejected'];
  rejectedTotal: number;
}): PlanRefusal {
  const { rejected, rejectedTotal } = outcome;
  const lines = rejectedTotal === 1 ? '1 line' : `${rejectedTotal} lines`;
  return { code: 'invalid_lines', message: `${lines} cannot be sent.`, rejected, rejectedTotal };
}

function inputChanged(source: JobSource): Refusal {
  const message = `${source.location} changed while it was read: run the command again.`;
  return new Refusal('input_changed', message);
}

/** The refusal behind an error of the planner; null: it is not the input's fault. */
function refusalOf(error: unknown): PlanRefusal | null {
  // Errors of the disk are not: they pass, and a refusal is for good. A thread's lost its class.
  if (!(error instanceof Error) || error.name !== 'Refusal') return null;
  const code = 'code' in error ? String(error.code) : '';
  return { code, message: error.message, rejected: [], rejectedTotal: 0 };
}
