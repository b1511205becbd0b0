/** Plan: cuts the job's request set into chunks, or says why it cannot be sent. */

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { Refusal } from '../domain/errors.ts';
import type { JobSource, PlanRefusal, PlanReference } from '../domain/job.ts';
import type { Plan, PlannedChunk } from '../domain/plan.ts';
import type { ChunkFile } from './names.ts';
import { chunkFileName, planName } from './names.ts';
import type { JobTask, StageAnswer, Tools } from './tools.ts';
import { MOVED } from './tools.ts';

/** Bad lines that are listed; the rest is counted. */
const MAX_REPORTED = 100;

/** State `created`: records `planned` or `refused`. */
export async function planJob(task: JobTask, tools: Tools): Promise<StageAnswer> {
  const { job, stream } = task;
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
    if (outcome.plan.source.sha256 !== job.source.sha256) throw inputChanged(job.source);
    await storeChunks(task, outcome.plan, folder, tools);
    await stream.record({ type: 'planned', plan: await storePlan(task, outcome.plan, tools) });
    // What came through a pipe lies in the chunks now.
    if (job.source.kind === 'blob') await tools.blobs.delete(job.source.location);
  } catch (error) {
    const refusal = refusalOf(error, job.source);
    if (refusal === null) throw error;
    await stream.record({ type: 'refused', refusal });
  } finally {
    await tools.scratch.removeFolder(folder);
  }
  return MOVED;
}

/** A job that is cancelled before it has a plan ends without a result. */
export async function withdraw(task: JobTask): Promise<StageAnswer> {
  const message = 'The job was cancelled before it was planned; nothing was sent.';
  const refusal = { code: 'job_cancelled', message, rejected: [], rejectedTotal: 0 };
  await task.stream.record({ type: 'refused', refusal });
  return MOVED;
}

async function sourcePath(source: JobSource, tools: Tools): Promise<string> {
  return source.kind === 'path' ? source.location : tools.blobs.toLocal(source.location);
}

async function storeChunks(task: JobTask, plan: Plan, folder: string, tools: Tools): Promise<void> {
  for (const chunk of plan.chunks) {
    for (const file of filesOf(chunk)) {
      const name = chunkFileName(task.job.id, chunk.id, file);
      await tools.blobs.putFile(name, join(folder, chunk.id, file));
    }
  }
}

function filesOf(chunk: PlannedChunk): ChunkFile[] {
  const files: ChunkFile[] = ['requests.jsonl', 'lines.idx', 'ids.bin'];
  return chunk.rejected > 0 ? [...files, 'rejected.jsonl'] : files;
}

async function storePlan(task: JobTask, plan: Plan, tools: Tools): Promise<PlanReference> {
  const bytes = Buffer.from(JSON.stringify(plan));
  await tools.blobs.put(planName(task.job.id), bytes);
  const { endpoint, models, counts, idsDigest, source, chunks } = plan;
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { endpoint, models, counts, idsDigest, source, sha256, chunkCount: chunks.length };
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
function refusalOf(error: unknown, source: JobSource): PlanRefusal | null {
  if (!(error instanceof Error)) return null;
  const code = 'code' in error ? String(error.code) : '';
  const refused = { rejected: [], rejectedTotal: 0 };
  if (code === 'ENOENT' || code === 'EACCES' || code === 'EISDIR') {
    const message = `${source.location} cannot be read (${code}).`;
    return { code: 'input_unreadable', message, ...refused };
  }
  return error.name === 'Refusal' ? { code, message: error.message, ...refused } : null;
}
