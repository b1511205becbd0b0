import type { JobId } from '../domain/ids.ts';

/** Unique names. */
export interface Ids {
  /** A new job id: time-ordered, 80 random bits. */
  job(): JobId;
  /** 20 lower-case base-32 characters, 100 random bits: events, attempts, writers. */
  nonce(): string;
}
