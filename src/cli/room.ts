/** Disk room: checked before anything is written, so that no job stops half-way for it. */

import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Refusal } from '../domain/errors.ts';
import type { JobSource } from '../domain/job.ts';
import { inputBytes, roomForJob } from '../domain/storage.ts';
import { size } from './terminal.ts';

/** Throws a Refusal where either folder's disk is too full for the job. */
export async function requireRoom(
  source: JobSource,
  dataDir: string,
  outFolder: string,
): Promise<void> {
  await requireFree(dataDir, roomForJob(source), '--data-dir');
  await requireFree(outFolder, inputBytes(source), '-o');
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
