/** Where everything of a job lies in the blob store. */

import type { PartRecord } from '../domain/chunk.ts';
import type { ChunkId, JobId } from '../domain/ids.ts';

/** The one tenant of a data directory without a service. */
const TENANT = 'local';

export const KEYS_FOLDER = `${TENANT}/keys`;
export const OPEN_FOLDER = `${TENANT}/open`;
export const JOBS_FOLDER = `${TENANT}/jobs`;
export const SOURCES_FOLDER = `${TENANT}/sources`;
export const INSTALLATION = `${TENANT}/installation`;

/** The run key's object: it holds the id of the job that the same command attaches to. */
export function keyName(runKey: string): string {
  return `${KEYS_FOLDER}/${runKey}`;
}

/** The mark of a job that the sweep still looks after. */
export function openName(job: JobId): string {
  return `${OPEN_FOLDER}/${job}`;
}

export function jobFolder(job: JobId): string {
  return `${JOBS_FOLDER}/${job}`;
}

/** The journal stream of the job itself. */
export function jobStreamName(job: JobId): string {
  return `${jobFolder(job)}/journal/job`;
}

/** The journal stream of one chunk. */
export function chunkStreamName(job: JobId, chunk: ChunkId): string {
  return `${jobFolder(job)}/journal/${chunk}`;
}

/** A request set that came through a pipe and is read from here until it is planned. */
export function sourceName(nonce: string): string {
  return `${SOURCES_FOLDER}/${nonce}`;
}

export function planName(job: JobId): string {
  return `${jobFolder(job)}/plan.json`;
}

export function resultName(job: JobId): string {
  return `${jobFolder(job)}/result.jsonl`;
}

export function manifestName(job: JobId): string {
  return `${jobFolder(job)}/manifest.json`;
}

export function settledFolder(job: JobId): string {
  return `${jobFolder(job)}/settled`;
}

/** What a settled chunk holds; the merge waits until every chunk has one. */
export function settledName(job: JobId, chunk: ChunkId): string {
  return `${settledFolder(job)}/${chunk}.json`;
}

export type ChunkFile =
  | 'requests.jsonl'
  | 'rejected.jsonl'
  | 'lines.idx'
  | 'ids.bin'
  | 'quarantine.jsonl';

export function chunkFileName(job: JobId, chunk: ChunkId, file: ChunkFile): string {
  return `${jobFolder(job)}/chunks/${chunk}/${file}`;
}

export type AttemptFile = 'output.jsonl' | 'errors.jsonl' | 'answers.idx';

/** `folder` is the one that the collected attempt names. */
export function attemptFileName(
  job: JobId,
  chunk: ChunkId,
  folder: string,
  file: AttemptFile,
): string {
  return `${attemptFolder(job, chunk, folder)}/${file}`;
}

export function attemptFolder(job: JobId, chunk: ChunkId, folder: string): string {
  return `${jobFolder(job)}/chunks/${chunk}/attempts/${folder}`;
}

/** Named by its content: two settlers that know different answers write different parts. */
export function partName(
  job: JobId,
  chunk: ChunkId,
  part: Pick<PartRecord, 'crc32' | 'sizeBytes'>,
): string {
  return `${jobFolder(job)}/chunks/${chunk}/part-${part.crc32}-${part.sizeBytes}.jsonl`;
}

/** The beginning of the names of all files that this installation uploads for the job. */
export function uploadPrefix(installation: string, job: JobId): string {
  return `bw-${installation}-${job}-`;
}

export function uploadName(
  installation: string,
  job: JobId,
  chunk: ChunkId,
  nonce: string,
): string {
  return `${uploadPrefix(installation, job)}${chunk}-${nonce}.jsonl`;
}
