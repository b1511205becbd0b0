/** The shapes of Batchwright's own identifiers; making random ones is the `ids` port's work. */

/** `job_` and 26 lower-case Crockford base-32 characters; sorts by creation time. */
export type JobId = string & { readonly __brand: 'JobId' };

/** `c` and six digits, counted from 0 in the order in which the planner opened the chunks. */
export type ChunkId = string & { readonly __brand: 'ChunkId' };

/** `file-` and 26 such characters: a file that was uploaded to the service. */
export type FileId = string & { readonly __brand: 'FileId' };

/** 1 to 40 lower-case letters, digits and hyphens, beginning with a letter or digit. */
export type TenantId = string & { readonly __brand: 'TenantId' };

/** The tenant of commands, and of a service without keys. */
export const LOCAL_TENANT = 'local' as TenantId;

/** Crockford's base 32: no i, l, o, u. */
export const ID_ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

/** The beginning of an id says when it was made, in milliseconds; the rest is random. */
export const ID_TIME_CHARACTERS = 10;

const JOB_ID = /^job_[0-9a-hjkmnp-tv-z]{26}$/;
const FILE_ID = /^file-[0-9a-hjkmnp-tv-z]{26}$/;
const TENANT_ID = /^[a-z0-9][a-z0-9-]{0,39}$/;
const CHUNK_ID = /^c[0-9]{6}$/;

/** The text as a job id, or null where it does not have the shape of one. */
export function parseJobId(text: string): JobId | null {
  return JOB_ID.test(text) ? (text as JobId) : null;
}

/** The text as the id of an uploaded file, or null where it does not have the shape of one. */
export function parseFileId(text: string): FileId | null {
  return FILE_ID.test(text) ? (text as FileId) : null;
}

/** The text as a tenant's name, or null where it does not have the shape of one. */
export function parseTenantId(text: string): TenantId | null {
  return TENANT_ID.test(text) ? (text as TenantId) : null;
}

/** When the id was made, by the wall clock of who made it. */
export function madeAtMs(id: JobId): number {
  let ms = 0;
  for (let at = 'job_'.length; at < 'job_'.length + ID_TIME_CHARACTERS; at += 1) {
    ms = ms * ID_ALPHABET.length + ID_ALPHABET.indexOf(id.charAt(at));
  }
  return ms;
}

/** The text as a chunk id, or null where it does not have the shape of one. */
export function parseChunkId(text: string): ChunkId | null {
  return CHUNK_ID.test(text) ? (text as ChunkId) : null;
}

/** The id of the chunk that the planner opened as number `index`, counted from 0. */
export function chunkIdOf(index: number): ChunkId {
  return `c${String(index).padStart(6, '0')}` as ChunkId;
}

/** The custom_id inserted where line `line` (counted from 1) has none: the same on every run. */
export function insertedCustomId(job: JobId, line: number): string {
  return `${job}-${line}`;
}
