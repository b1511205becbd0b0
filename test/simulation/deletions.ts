/** Which deletions are allowed: nothing goes before the audit that an answer may still need. */

import type { ChunkState } from '../../src/domain/chunk.ts';
import type { JobSource, JobState } from '../../src/domain/job.ts';

/** Every stream as it is now, and input files whose create was given up at some time. */
export interface Known {
  readonly jobs: ReadonlyMap<string, JobState>;
  /** By `<job>/<chunk>`. */
  readonly chunks: ReadonlyMap<string, ChunkState>;
  readonly givenUp: ReadonlySet<string>;
}

const OF_JOB = /^local\/jobs\/(job_\w+)\/?(.*)$/;
/** What the plan made, the journal, and the folders that hold them. */
const PLANNED = /^(|plan\.json|journal.*|chunks|chunks\/c\d+(\/attempts|\/[a-z]+\.[a-z]+)?)$/;
const ANSWERS = /^chunks\/(c\d+)\/attempts\/([^/]+)/;
const PART = /^chunks\/(c\d+)\/part-([0-9a-f]+)-/;

/** Why the provider's file must not be deleted now; null where it may. */
export function keepsRemote(fileId: string, known: Known): string | null {
  if (known.givenUp.has(fileId)) return null;
  for (const [job, { spec }] of known.jobs) {
    if (isOthers(spec.source, fileId)) return `${fileId} is not for ${job} to delete`;
  }
  for (const [key, state] of known.chunks) {
    if (!state.files.includes(fileId) && !filesOf(state).includes(fileId)) continue;
    if (!isAudited(key, known)) return `${fileId} of ${key} is deleted before the audit`;
  }
  return null;
}

/** Why the object, or all below the folder, must not be deleted now; null where it may. */
export function keepsLocal(name: string, known: Known): string | null {
  const [, job = '', rest = ''] = OF_JOB.exec(name) ?? [];
  if (known.jobs.get(job)?.status !== 'planned') return null;
  const [, chunk = '', what = ''] = ANSWERS.exec(rest) ?? PART.exec(rest) ?? [];
  const state = known.chunks.get(`${job}/${chunk}`);
  const isAnswers = state?.collected.some(({ folder }) => folder === what) ?? false;
  const isPart = state?.status === 'settled' && state.part.crc32 === what;
  const isNeeded = isAnswers || isPart || PLANNED.test(rest);
  return isNeeded ? `${name} is deleted before the audit` : null;
}

/** An input file of batches that were taken over, whose owner wished to keep it. */
function isOthers(source: JobSource, fileId: string): boolean {
  if (source.kind !== 'batches' || !source.keepsFiles) return false;
  return source.batches.some((batch) => batch.fileId === fileId);
}

function filesOf(state: ChunkState): (string | null)[] {
  if (state.status !== 'ended') return [];
  return [state.batch.outputFileId, state.batch.errorFileId];
}

function isAudited(key: string, { jobs }: Known): boolean {
  const status = jobs.get(key.split('/')[0] ?? '')?.status;
  return status === 'merged' || status === 'done';
}
