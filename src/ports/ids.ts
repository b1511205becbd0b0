import type { FileId, JobId } from '../domain/ids.ts';

/** Unique names. */
export interface Ids {
  /** A new job id: time-ordered, 80 random bits. */
  job(): JobId;
  /** A new id for an uploaded file: time-ordered, 80 random bits. */
  file(): FileId;
  /** 20 lower-case base-32 characters, 100 random bits: events, attempts, writers. */
  nonce(): string;
}
