/** Puts the result and its manifest where the user wants them: whole, or not at all. */

import { constants } from 'node:fs';
import { copyFile, open, readFile, readdir, rename, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Store } from '../compose.ts';
import { Refusal } from '../domain/errors.ts';
import type { JobId } from '../domain/ids.ts';
import type { ResultRecord } from '../domain/job.ts';
import { manifestName, resultName } from '../stages/names.ts';

/** Tells this machine's half-done copies from those of others that share the folder. */
const HOST = createHash('sha256').update(hostname()).digest('hex').slice(0, 8);

/** The manifest's path beside a result. */
export function manifestPath(resultPath: string): string {
  return `${resultPath}.manifest.json`;
}

/**
 * Writes both files, unless the right ones are there already. Resolves to whether it wrote. What
 * was there stays until both copies are complete. Refuses where the place cannot take them.
 */
export async function deliver(
  store: Store,
  job: JobId,
  result: ResultRecord,
  outPath: string,
): Promise<'written' | 'present'> {
  const manifest = await store.blobs.toLocal(manifestName(job));
  if ((await holdsResult(outPath, result)) && (await isSame(manifest, manifestPath(outPath)))) {
    return 'present';
  }
  const source = await store.blobs.toLocal(resultName(job));
  try {
    await copyDurably([
      { from: manifest, to: manifestPath(outPath) },
      { from: source, to: outPath },
    ]);
  } catch (error) {
    throw undelivered(error, outPath, source);
  }
  return 'written';
}

interface Copy {
  readonly from: string;
  readonly to: string;
}

/** Copies to temporary names beside the targets, fsyncs, renames, fsyncs the folder. */
async function copyDurably(copies: readonly Copy[]): Promise<void> {
  const made: { temporary: string; to: string }[] = [];
  try {
    for (const { from, to } of copies) {
      await removeAbandoned(to);
      const temporary = `${to}.${HOST}-${process.pid}-${randomBytes(6).toString('hex')}.tmp`;
      made.push({ temporary, to });
      // A copy on write where the file system can: a result may be gigabytes.
      await copyFile(from, temporary, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
      await sync(temporary);
    }
    for (const { temporary, to } of made) {
      await rename(temporary, to);
      await sync(dirname(to));
    }
  } catch (error) {
    for (const { temporary } of made) await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
}

/** What people can do about a place that does not take a result which is complete. */
function undelivered(error: unknown, outPath: string, source: string): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const problem = PROBLEMS[code];
  if (problem === undefined) return error;
  return new Refusal(
    code === 'ENOSPC' || code === 'EDQUOT' ? 'not_enough_room' : 'output_not_written',
    `${dirname(outPath)} ${problem} (${code}): the result is not written there, but complete and ` +
      `kept as ${source}. Mend that and run the same command again, which pays nothing, or ` +
      'write it elsewhere with: batchwright result <job> -o <file>',
  );
}

const PROBLEMS: Readonly<Record<string, string>> = {
  ENOSPC: 'has no room left',
  EDQUOT: 'has no room left in your quota',
  EFBIG: 'takes no file of this size',
  EROFS: 'is read-only',
  EACCES: 'cannot be written to',
  EPERM: 'cannot be written to',
  EIO: 'is on a disk that fails',
  ENOENT: 'is not there any more',
  ENOTDIR: 'is not a folder any more',
  EISDIR: 'has a folder where the result or its manifest goes',
};

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

/** Fsyncs a file or a folder. */
export async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Whether the file is there, and is this very result. */
export async function holdsResult(
  path: string,
  result: Pick<ResultRecord, 'sizeBytes' | 'sha256'>,
): Promise<boolean> {
  const found = await stat(path).catch(() => null);
  if (found === null || found.size !== result.sizeBytes) return false;
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex') === result.sha256;
}

/** A manifest of another result beside ours would be taken for its own. */
async function isSame(manifest: string, beside: string): Promise<boolean> {
  const found = await readFile(beside).catch(() => null);
  return found !== null && found.equals(await readFile(manifest));
}
