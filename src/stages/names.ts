/** Where everything of a job lies in the blob store. */

import type { PartRecord } from '../domain/chunk.ts';
import type { ChunkId, FileId, JobId, TenantId } from '../domain/ids.ts';
import { parseChunkId, parseJobId } from '../domain/ids.ts';

/** Jobs of all tenants lie in one place: whose a job is stands in its spec. */
const HOME = 'local';

const KEYS_FOLDER = `${HOME}/keys`;
export const OPEN_FOLDER = `${HOME}/open`;
export const JOBS_FOLDER = `${HOME}/jobs`;
export const SOURCES_FOLDER = `${HOME}/sources`;
export const INSTALLATION = `${HOME}/installation`;
/** Whoever works for an account beats here; `account` is a hash of its provider's identity. */
export function accountName(account: string): string {
  return `${HOME}/accounts/${account}.json`;
}

/** Callbacks that are still to be made, one object for each job. */
export const CALLBACKS_FOLDER = `${HOME}/callbacks`;

/** The keys of the service's callers, one object for each; and the marks of revoked ones. */
export const ACCESS_KEYS_FOLDER = 'access/keys';
export const REVOKED_KEYS_FOLDER = 'access/revoked';

/** The mark of a job whose end its submitter was not told yet. */
export function callbackName(job: JobId): string {
  return `${CALLBACKS_FOLDER}/${job}.json`;
}

/** What only one tenant may see, beside its jobs. */
export const TENANTS_FOLDER = 'tenants';

/** One empty object for each job that the tenant submitted to the service: its list. */
export function tenantJobsFolder(tenant: TenantId): string {
  return `${TENANTS_FOLDER}/${tenant}/jobs`;
}

export function tenantJobName(tenant: TenantId, job: JobId): string {
  return `${tenantJobsFolder(tenant)}/${job}`;
}

/** Files that the tenant uploaded, each a folder of its own. */
export function tenantFilesFolder(tenant: TenantId): string {
  return `${TENANTS_FOLDER}/${tenant}/files`;
}

export type TenantFilePart = 'file.json' | 'content.jsonl';

export function tenantFileName(tenant: TenantId, file: FileId, part: TenantFilePart): string {
  return `${tenantFilesFolder(tenant)}/${file}/${part}`;
}

/** `prefix` is the public part of the key. */
export function accessKeyName(prefix: string): string {
  return `${ACCESS_KEYS_FOLDER}/${prefix}.json`;
}

export function revokedKeyName(prefix: string): string {
  return `${REVOKED_KEYS_FOLDER}/${prefix}.json`;
}

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

/** All streams of the job. */
export function journalFolder(job: JobId): string {
  return `${jobFolder(job)}/journal`;
}

/** The journal stream of the job itself. */
export function jobStreamName(job: JobId): string {
  return `${journalFolder(job)}/job`;
}

/** The journal stream of one chunk. */
export function chunkStreamName(job: JobId, chunk: ChunkId): string {
  return `${journalFolder(job)}/${chunk}`;
}

/** A request set that came through a pipe and is read from here until it is planned. */
export function sourceName(nonce: string): string {
  return `${SOURCES_FOLDER}/${nonce}`;
}

/** A request set that came to the service with its job; it goes when it is planned. */
export function jobSourceName(job: JobId): string {
  return `${jobFolder(job)}/source.jsonl`;
}

export function planName(job: JobId): string {
  return `${jobFolder(job)}/plan.json`;
}

export function resultName(job: JobId): string {
  return `${jobFolder(job)}/result.jsonl`;
}

/** Which byte ranges of the result are failed lines; derived from it when first asked for. */
export function failedRunsName(job: JobId): string {
  return `${jobFolder(job)}/failed-runs.bin`;
}

/** Stands where the owner removed a half of the result from their files. */
export function removedViewName(job: JobId, half: 'output' | 'errors'): string {
  return `${jobFolder(job)}/removed-${half}`;
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

/** One object for each try to tell the submitter of the job's end. */
export function callbackTriesFolder(job: JobId): string {
  return `${jobFolder(job)}/callback`;
}

/** `number` counts from 1. */
export function callbackTryName(job: JobId, number: number): string {
  return `${callbackTriesFolder(job)}/try-${String(number).padStart(2, '0')}.json`;
}

/** What came of telling the submitter: nothing more is tried. */
export function callbackOutcomeName(job: JobId): string {
  return `${jobFolder(job)}/callback.json`;
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
