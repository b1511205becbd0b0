/** Merge: joins all parts to the result, audits it, and says in the manifest what it is. */

import { join } from 'node:path';
import type { ChunkState } from '../domain/chunk.ts';
import { invariant } from '../domain/errors.ts';
import type { PlanReference, ResultRecord } from '../domain/job.ts';
import type { PlannedChunk } from '../domain/plan.ts';
import type { JoinPart } from './answers/part-cursor.ts';
import { concurrently } from './concurrently.ts';
import {
  chunkFileName,
  manifestName,
  partName,
  resultName,
  settledFolder,
  settledName,
} from './names.ts';
import { manifestOf } from './manifest.ts';
import type { SettledMark } from './settle.ts';
import { markOf } from './settle.ts';
import type { JobTask, StageAnswer, Tools } from './tools.ts';
import { MOVED } from './tools.ts';

/** Chunks whose streams are loaded at once. */
const LOADS_AT_ONCE = 16;

/**
 * State `planned`: records `merged` once every chunk is settled; `idle` before. `loadChunk` reads
 * a chunk's last state.
 */
export async function merge(
  task: JobTask,
  chunks: readonly PlannedChunk[],
  loadChunk: (chunk: PlannedChunk) => Promise<ChunkState>,
  tools: Tools,
): Promise<StageAnswer> {
  const { state } = task.stream;
  if (state.status !== 'planned') return MOVED;
  const settled = await tools.blobs.list(settledFolder(task.job.id));
  if (settled.length < state.plan.chunkCount) return { kind: 'idle' };

  const marks = await marksOf(task, chunks, loadChunk, tools);
  const folder = await tools.scratch.makeFolder('merge');
  try {
    const resultPath = join(folder, 'result.jsonl');
    const result = await joinAndAudit(task, state.plan, chunks, marks, resultPath, tools);
    await tools.blobs.putFile(resultName(task.job.id), resultPath);
    const manifest = manifestOf(state, result, marks, tools.programVersion);
    await tools.blobs.put(manifestName(task.job.id), Buffer.from(manifest));
    await task.stream.record({ type: 'merged', result });
  } finally {
    await tools.scratch.removeFolder(folder);
  }
  return MOVED;
}

/**
 * What the chunks were settled with, by the journal: a mark that says something else is derived,
 * and is put right.
 */
async function marksOf(
  task: JobTask,
  chunks: readonly PlannedChunk[],
  loadChunk: (chunk: PlannedChunk) => Promise<ChunkState>,
  tools: Tools,
): Promise<SettledMark[]> {
  const marks: SettledMark[] = [];
  await concurrently(chunks.entries(), LOADS_AT_ONCE, async ([index, chunk]) => {
    const state = await loadChunk(chunk);
    const name = settledName(task.job.id, chunk.id);
    invariant(state.status === 'settled', `${name} marks a chunk that is ${state.status}`);
    const mark = markOf(state);
    const bytes = Buffer.from(JSON.stringify(mark));
    const stored = await tools.blobs.get(name);
    if (stored === null || !stored.equals(bytes)) await tools.blobs.put(name, bytes);
    marks[index] = mark;
  });
  return marks;
}

/** Joins the parts; throws where a line is missing, doubled or out of its order. */
async function joinAndAudit(
  task: JobTask,
  plan: PlanReference,
  chunks: readonly PlannedChunk[],
  marks: readonly SettledMark[],
  resultPath: string,
  tools: Tools,
): Promise<ResultRecord> {
  const { id } = task.job;
  const parts: JoinPart[] = [];
  for (const [index, chunk] of chunks.entries()) {
    const mark = marks[index];
    invariant(mark !== undefined, 'as many marks as chunks');
    const { crc32, sizeBytes, lines } = mark;
    const partPath = await tools.blobs.toLocal(partName(id, chunk.id, mark));
    const linesPath = await tools.blobs.toLocal(chunkFileName(id, chunk.id, 'lines.idx'));
    parts.push({ partPath, linesPath, crc32, sizeBytes, lines });
  }
  const { written, hashed } = await writeAndHash(parts, resultPath, tools);
  const sum = (of: 'succeeded' | 'failed' | 'rejected'): number =>
    marks.reduce((total, mark) => total + mark[of], 0);
  const result = {
    sha256: hashed.sha256,
    sizeBytes: written.sizeBytes,
    lines: written.lines,
    succeeded: sum('succeeded'),
    failed: sum('failed'),
    rejected: sum('rejected'),
  };
  audit(plan, result, written.idsDigest);
  return result;
}

/** Runs both halves of the join at once; waits for both, since they use the same folder. */
async function writeAndHash(parts: readonly JoinPart[], resultPath: string, tools: Tools) {
  const writing = tools.engines.run('writeResult', { parts, resultPath });
  const hashing = tools.engines.run('hashResult', { parts });
  await Promise.allSettled([writing, hashing]);
  const [written, hashed] = await Promise.all([writing, hashing]);
  invariant(written.lines === hashed.lines, 'what is hashed has the lines that are written');
  invariant(written.sizeBytes === hashed.sizeBytes, 'what is hashed has the size of the result');
  return { written, hashed };
}

function audit(plan: PlanReference, result: ResultRecord, idsDigest: string): void {
  const { counts } = plan;
  const answered = counts.lines - counts.blank;
  invariant(result.lines === answered, `${result.lines} answers for ${answered} lines`);
  const { succeeded, failed, rejected } = result;
  invariant(succeeded + failed + rejected === answered, 'outcomes add up to the lines');
  invariant(rejected === counts.rejected, 'every rejected line is answered as rejected');
  invariant(idsDigest === plan.idsDigest, 'the ids of the result stand in input order');
}
