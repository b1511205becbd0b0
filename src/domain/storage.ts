/** What errors of the local disk mean for people, and how much room a job needs. */

import { StoreDamage } from './errors.ts';
import type { JobSource } from './job.ts';

/** Stable codes of alerts. All but `store_damaged` pass by themselves once the disk is well. */
export type StorageTroubleCode =
  | 'disk_full'
  | 'disk_read_only'
  | 'disk_forbidden'
  | 'disk_failing'
  | 'store_damaged';

export interface StorageTrouble {
  readonly code: StorageTroubleCode;
  /** The system's words, or ours. */
  readonly message: string;
}

const CODES: Readonly<Record<string, StorageTroubleCode>> = {
  ENOSPC: 'disk_full',
  EDQUOT: 'disk_full',
  EROFS: 'disk_read_only',
  EACCES: 'disk_forbidden',
  EPERM: 'disk_forbidden',
  EIO: 'disk_failing',
  ENOENT: 'store_damaged',
  ENOTDIR: 'store_damaged',
};

/** Chunks, answers, parts and the result: what a job writes for each byte of its input. */
const COPIES = 5;

/** What gzip usually saves on JSON Lines. */
const GZIP_RATIO = 6;

/** A small job's journal and scratch, in bytes. */
const FLOOR_BYTES = 20_000_000;

/** The local disk's trouble behind an error; null: it is something else. */
export function storageTroubleOf(error: unknown): StorageTrouble | null {
  if (!(error instanceof Error)) return null;
  if (error instanceof StoreDamage) return { code: error.code, message: error.message };
  const { code, syscall } = error as { code?: unknown; syscall?: unknown };
  // A socket that is not there is no file that is lost.
  if (typeof code !== 'string' || syscall === 'connect') return null;
  const known = CODES[code];
  return known === undefined ? null : { code: known, message: error.message };
}

/** Bytes that a request set has where nothing compresses it. */
export function inputBytes(source: Pick<JobSource, 'sizeBytes' | 'encoding'>): number {
  return source.sizeBytes * (source.encoding === 'gzip' ? GZIP_RATIO : 1);
}

/** Bytes that a job may write below the data directory, all in all. */
export function roomForJob(source: Pick<JobSource, 'sizeBytes' | 'encoding'>): number {
  return inputBytes(source) * COPIES + FLOOR_BYTES;
}
