/** Disk room: checked before anything is written, so that no job stops half-way for it. */

import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Refusal } from '../domain/errors.ts';
import type { JobSource } from '../domain/job.ts';
import { size } from './terminal.ts';

/** Chunks, answers, parts and the result: what a job writes for each byte of its input. */
const COPIES = 5;

/** What gzip usually saves on JSON Lines. */
const GZIP_RATIO = 6;

/** A small job's journal and scratch, in bytes. */
const FLOOR_BYTES = 20_000_000;

/** Throws a Refusal where either folder's disk is too full for the job. */
export async function requireRoom(
  source: JobSource,
  dataDir: string,
  outFolder: string,
): Promise<void> {
  const inputBytes = source.sizeBytes * (source.encoding === 'gzip' ? GZIP_RATIO : 1);
  await requireFree(dataDir, inputBytes * COPIES + FLOOR_BYTES, '--data-dir');
  await requireFree(outFolder, inputBytes, '-o');
}

async function requireFree(folder: string, needed: number, option: string): Promise<void> {
  const free = await freeBytes(folder);
  if (free >= needed) return;
  throw new Refusal(
    'not_enough_room',
    `${folder} has ${size(free)} left; the job may need ${size(needed)}. ` +
      `Make room, or choose another place with ${option}.`,
  );
}

/** Free bytes where the folder is or will be. */
export async function freeBytes(folder: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch (error) {
    const parent = dirname(folder);
    if (parent === folder) throw error;
    return freeBytes(parent);
  }
}
