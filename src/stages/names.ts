/** Where everything of a job lies in the blob store. */

import type { PartRecord } from '../domain/chunk.ts';
import type { ChunkId, JobId } from '../domain/ids.ts';
import { parseChunkId, parseJobId } from '../domain/ids.ts';

/** The one tenant of a data directory without a service. */
const TENANT = 'local';

const KEYS_FOLDER = `${TENANT}/keys`;
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

/** What people are to know of the job, one object for each code and chunk. */
export function alertsFolder(job: JobId): string {
  return `${jobFolder(job)}/alerts`;
}

export function alertName(job: JobId, code: string, chunk: ChunkId | null): string {
  return `${alertsFolder(job)}/${code}-${chunk ?? 'job'}.json`;
}

/** A process that works on the job beats here, so that others do not take it for idle. */
export function workingName(job: JobId): string {
  return `${jobFolder(job)}/working.json`;
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

export function attemptsFolder(job: JobId, chunk: ChunkId): string {
  return `${jobFolder(job)}/chunks/${chunk}/attempts`;
}

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
  return `${attemptsFolder(job, chunk)}/${folder}`;
}

/** Named by its content: two settlers that know different answers write different parts. */
export function partName(
  job: JobId,
  chunk: ChunkId,
  part: Pick<PartRecord, 'crc32' | 'sizeBytes'>,
): string {
  return `${jobFolder(job)}/chunks/${chunk}/part-${part.crc32}-${part.sizeBytes}.jsonl`;
}

/** The beginning of the names of all files that the installation uploads. */
export function installationPrefix(installation: string): string {
  return `bw-${installation}-`;
}

/** The beginning of the names of all files that this installation uploads for the job. */
export function uploadPrefix(installation: string, job: JobId): string {
  return `${installationPrefix(installation)}${job}-`;
}

export function uploadName(
  installation: string,
  job: JobId,
  chunk: ChunkId,
  nonce: string,
): string {
  return `${uploadPrefix(installation, job)}${chunk}-${nonce}.jsonl`;
}

/** Whose upload the file is by its name; null where it is none of this installation. */
export function parseUploadName(
  installation: string,
  filename: string,
): { job: JobId; chunk: ChunkId } | null {
  const prefix = installationPrefix(installation);
  if (!filename.startsWith(prefix)) return null;
  const [first = '', second = ''] = filename.slice(prefix.length).split('-');
  const job = parseJobId(first);
  const chunk = parseChunkId(second);
  return job !== null && chunk !== null ? { job, chunk } : null;
}
