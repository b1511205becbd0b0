/** Puts the result and its manifest where the user wants them: whole, or not at all. */

import { constants } from 'node:fs';
import { copyFile, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Store } from '../compose.ts';
import type { JobId } from '../domain/ids.ts';
import type { ResultRecord } from '../domain/job.ts';
import { manifestName, resultName } from '../stages/names.ts';

/** Tells this machine's half-done copies from those of others that share the folder. */
const HOST = createHash('sha256').update(hostname()).digest('hex').slice(0, 8);

/** The manifest's path beside a result. */
export function manifestPath(resultPath: string): string {
  return `${resultPath}.manifest.json`;
}

/** Writes both files, unless the right ones are there already. Resolves to whether it wrote. */
export async function deliver(
  store: Store,
  job: JobId,
  result: ResultRecord,
  outPath: string,
): Promise<'written' | 'present'> {
  const isThere = (await matches(outPath, result)) && (await exists(manifestPath(outPath)));
  if (isThere) return 'present';
  await copyDurably(await store.blobs.toLocal(manifestName(job)), manifestPath(outPath));
  await copyDurably(await store.blobs.toLocal(resultName(job)), outPath);
  return 'written';
}

/** Copies to a temporary name beside the target, fsyncs, renames, fsyncs the folder. */
async function copyDurably(from: string, to: string): Promise<void> {
  await removeAbandoned(to);
  const temporary = `${to}.${HOST}-${process.pid}-${randomBytes(6).toString('hex')}.tmp`;
  try {
    // A copy on write where the file system can: a result may be gigabytes.
    await copyFile(from, temporary, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
    await sync(temporary);
    await rename(temporary, to);
    await sync(dirname(to));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Copies that processes of this machine left half-done when they died. */
async function removeAbandoned(to: string): Promise<void> {
  const prefix = `${basename(to)}.${HOST}-`;
  for (const name of await readdir(dirname(to))) {
    if (!name.startsWith(prefix) || !name.endsWith('.tmp')) continue;
    const pid = Number.parseInt(name.slice(prefix.length), 10);
    if (!isAlive(pid)) await rm(join(dirname(to), name), { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function matches(path: string, result: ResultRecord): Promise<boolean> {
  const found = await stat(path).catch(() => null);
  if (found === null || found.size !== result.sizeBytes) return false;
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex') === result.sha256;
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null)) !== null;
}
