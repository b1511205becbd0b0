/** Durable single steps on files and folders, for a disk that may lose power at any moment. */

import { lstat, open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Flushes a file's content and size to the medium. */
export async function syncFile(path: string): Promise<void> {
  await flush(path, 'r+');
}

/** Flushes a folder's entries to the medium: a new name is not safe before. */
export async function syncFolder(path: string): Promise<void> {
  // Windows cannot open a folder as a file; NTFS journals its entries by itself.
  if (process.platform === 'win32') return;
  await flush(path, 'r');
}

/** Writes a new file and flushes it; leaves none behind where that fails. */
export async function writeNewFile(
  path: string,
  content: Uint8Array | AsyncIterable<Uint8Array>,
): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(content);
    await file.sync();
    await file.close();
  } catch (error) {
    await file.close().catch(nothing);
    await removeFile(path).catch(nothing);
    throw located(error, path);
  }
}

/** Removes the file; absent is fine. Resolves to whether there was one. */
export async function removeFile(path: string): Promise<boolean> {
  return (await unlink(path).then(() => true, nullIfAbsent)) ?? false;
}

/** Moves a folder, durably where it was; does nothing where no such folder is. */
export async function moveFolder(from: string, to: string): Promise<void> {
  if (!(await isFolder(from))) return;
  try {
    await rename(from, to);
  } catch (error) {
    // Two may remove the same folder at once: then the other one's move is as good.
    if (isAbsent(error) && !(await isFolder(from))) return;
    throw error;
  }
  await syncFolder(dirname(from)).catch(nullIfAbsent);
}

/** Whether the error says that no such file or folder is. */
export function isAbsent(error: unknown): boolean {
  return codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR';
}

/** For `.catch`: null where the file or folder is absent, else the error again. */
export function nullIfAbsent(error: unknown): null {
  if (isAbsent(error)) return null;
  throw error;
}

/** The system's code of the error (`ENOSPC` …), or undefined. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
}

/** For `.catch` on the way out of a failure that is reported already. */
export function nothing(): void {}

async function flush(path: string, flags: 'r' | 'r+'): Promise<void> {
  const handle = await open(path, flags);
  try {
    await handle.sync();
  } catch (error) {
    throw located(error, path);
  } finally {
    await handle.close();
  }
}

/** Writes and flushes fail without a path: "no space left on device", and people ask where. */
function located(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || codeOf(error) === undefined || 'path' in error) return error;
  error.message += ` '${path}'`;
  return Object.assign(error, { path });
}

async function isFolder(path: string): Promise<boolean> {
  return (await lstat(path).catch(nullIfAbsent))?.isDirectory() ?? false;
}
