/** Compares the files of a job with what its journal says of them. */

import type { ChunkState } from '../domain/chunk.ts';
import type { ChunkId, JobId } from '../domain/ids.ts';
import type { ResultRecord } from '../domain/job.ts';
import type { PlannedChunk } from '../domain/plan.ts';
import { RECORD_BYTES } from '../jsonl/line-index.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import type { ThreadPool } from '../ports/thread-pool.ts';
import type { Engines } from '../stages/engines.ts';
import {
  attemptFileName,
  chunkFileName,
  attemptsFolder,
  manifestName,
  partName,
  resultName,
  settledName,
} from '../stages/names.ts';

export interface FileAuditTools {
  readonly blobs: BlobStore;
  readonly engines: ThreadPool<Engines>;
}

/** What is wrong with the files that an unmerged chunk's next steps read; empty: nothing. */
export async function auditChunkFiles(
  job: JobId,
  chunk: PlannedChunk,
  state: ChunkState,
  { blobs }: FileAuditTools,
): Promise<string[]> {
  const problems: string[] = [];
  const look = async (name: string, fits: (sizeBytes: number) => boolean): Promise<void> => {
    const head = await blobs.head(name);
    if (head === null) problems.push(`${name} is missing`);
    else if (!fits(head.sizeBytes)) problems.push(`${name} has ${head.sizeBytes} bytes: wrong`);
  };
  const lines = chunk.requests + chunk.rejected;
  const file = (name: Parameters<typeof chunkFileName>[2]) => chunkFileName(job, chunk.id, name);
  await look(file('lines.idx'), (size) => size === lines * RECORD_BYTES);
  await look(file('ids.bin'), () => true);
  // A line that was rejected late is still in it.
  await look(file('requests.jsonl'), (size) => size >= chunk.sizeBytes);
  if (chunk.rejected > 0) await look(file('rejected.jsonl'), (size) => size > 0);
  for (const { folder, hasOutput, hasErrors } of state.collected) {
    const answers = (name: Parameters<typeof attemptFileName>[3]) =>
      attemptFileName(job, chunk.id, folder, name);
    if (hasOutput) await look(answers('output.jsonl'), () => true);
    if (hasErrors) await look(answers('errors.jsonl'), () => true);
    if (hasOutput || hasErrors) await look(answers('answers.idx'), () => true);
  }
  return problems;
}

/** Names of what only a chunk leaves that was sent already. */
export async function tracesOf(job: JobId, chunk: ChunkId, blobs: BlobStore): Promise<string[]> {
  const traces = [settledName(job, chunk), chunkFileName(job, chunk, 'quarantine.jsonl')];
  const found: string[] = [];
  for (const name of traces) if ((await blobs.head(name)) !== null) found.push(name);
  const attempts = attemptsFolder(job, chunk);
  if ((await blobs.list(attempts)).length > 0) found.push(attempts);
  return found;
}

/** Whether the settled chunk's part is there, byte for byte. */
export async function isPartWhole(
  job: JobId,
  chunk: PlannedChunk,
  state: Extract<ChunkState, { status: 'settled' }>,
  { blobs, engines }: FileAuditTools,
): Promise<boolean> {
  const { crc32, sizeBytes, lines } = state.part;
  const name = partName(job, chunk.id, state.part);
  if ((await blobs.head(name))?.sizeBytes !== sizeBytes) return false;
  const partPath = await blobs.toLocal(name);
  const linesPath = await blobs.toLocal(chunkFileName(job, chunk.id, 'lines.idx'));
  const part = { partPath, linesPath, crc32, sizeBytes, lines };
  // Whatever it rejects with, the part is not what was recorded.
  return engines.run('hashResult', { parts: [part] }).then(
    () => true,
    () => false,
  );
}

/** What is wrong with a finished job's result. */
export async function auditResult(
  job: JobId,
  result: ResultRecord,
  { blobs, engines }: FileAuditTools,
): Promise<string[]> {
  const problems: string[] = [];
  if ((await blobs.head(manifestName(job))) === null) {
    problems.push(`${manifestName(job)} is missing`);
  }
  const name = resultName(job);
  const head = await blobs.head(name);
  if (head === null) return [...problems, `${name} is missing`];
  if (head.sizeBytes !== result.sizeBytes) {
    return [...problems, `${name} has ${head.sizeBytes} bytes, not ${result.sizeBytes}`];
  }
  const ranges = [{ start: 0, end: result.sizeBytes }];
  const sha256 = await engines.run('hashRanges', { path: await blobs.toLocal(name), ranges });
  if (sha256 !== result.sha256) problems.push(`${name} has not the sha256 of the manifest`);
  return problems;
}
