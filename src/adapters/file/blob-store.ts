/**
 * The blob store on a folder, safe for any number of processes on it: a write goes to an
 * unfinished file, is flushed, gets its name by rename() (or by link(), which refuses a name
 * that is taken), and the folder is flushed.
 */

import { link, open, readdir, rename, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

import type { BlobStore } from '../../ports/blob-store.ts';
import { codeOf, nothing, nullIfAbsent, removeFile, syncFile, syncFolder } from './durable.ts';
import { DurableFolders } from './folders.ts';
import { Unfinished } from './unfinished.ts';

const SEGMENT = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;

export interface FileBlobStore extends BlobStore {
  /** Removes unfinished writes of dead processes. Resolves to how many went. */
  removeAbandoned(): Promise<number>;
}

/**
 * The store below `root`, which is made at the first write. The file system must know link(),
 * else putIfAbsent rejects with its code and says so; probeFileStore finds out beforehand.
 */
export function createFileBlobStore(root: string): FileBlobStore {
  return new FolderStore(resolve(root));
}

class FolderStore implements FileBlobStore {
  readonly #root: string;
  readonly #folders: DurableFolders;
  readonly #unfinished: Unfinished;

  constructor(root: string) {
    this.#root = root;
    this.#folders = new DurableFolders(root);
    this.#unfinished = new Unfinished(root, this.#folders);
  }

  async putIfAbsent(name: string, bytes: Uint8Array): Promise<'created' | 'exists'> {
    const target = segmentsOf(name);
    const unfinished = await this.#unfinished.write(bytes);
    try {
      return await this.#place(target, (path) => linkOnce(unfinished, path));
    } finally {
      await removeFile(unfinished).catch(nothing);
    }
  }

  async put(name: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<void> {
    const target = segmentsOf(name);
    await this.#rename(await this.#unfinished.write(content), target);
  }

  async putFile(name: string, localPath: string): Promise<void> {
    const target = segmentsOf(name);
    await syncFile(localPath);
    try {
      await this.#place(target, (path) => rename(localPath, path));
    } catch (error) {
      if (codeOf(error) !== 'EXDEV') throw error;
      await this.#rename(await this.#unfinished.copy(localPath), target);
      await removeFile(localPath);
    }
  }

  async get(name: string, range?: { start: number; end: number }): Promise<Buffer | null> {
    const file = await openObject(this.#pathOf(name));
    if (file === null) return null;
    try {
      return range === undefined ? await file.readFile() : await readRange(file, range);
    } finally {
      await file.close();
    }
  }

  async toLocal(name: string): Promise<string> {
    const path = this.#pathOf(name);
    if ((await this.head(name)) === null) {
      throw Object.assign(new Error(`ENOENT: no object ${name}`), { code: 'ENOENT', path });
    }
    return path;
  }

  async head(name: string): Promise<{ sizeBytes: number; modifiedAtMs: number } | null> {
    const found = await stat(this.#pathOf(name)).catch(nullIfAbsent);
    if (found === null || !found.isFile()) return null;
    return { sizeBytes: found.size, modifiedAtMs: Math.floor(found.mtimeMs) };
  }

  async list(folder: string): Promise<string[]> {
    const path = folder === '' ? this.#root : this.#pathOf(folder);
    const entries = await readdir(path, { withFileTypes: true }).catch(nullIfAbsent);
    return (entries ?? [])
      .filter((entry) => SEGMENT.test(entry.name))
      .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name))
      .toSorted();
  }

  async delete(name: string): Promise<void> {
    const path = this.#pathOf(name);
    if (await removeFile(path)) await syncFolder(dirname(path)).catch(nullIfAbsent);
  }

  async deleteFolder(folder: string): Promise<void> {
    await this.#unfinished.discard(this.#pathOf(folder));
    this.#folders.forget();
  }

  async removeAbandoned(): Promise<number> {
    return this.#unfinished.removeAbandoned();
  }

  #pathOf(name: string): string {
    return join(this.#root, ...segmentsOf(name));
  }

  async #rename(unfinished: string, target: readonly string[]): Promise<void> {
    try {
      await this.#place(target, (path) => rename(unfinished, path));
    } catch (error) {
      await removeFile(unfinished).catch(nothing);
      throw error;
    }
  }

  /** Does what gives the object its name, and makes the name durable. */
  async #place<Value>(
    target: readonly string[],
    giveName: (path: string) => Promise<Value>,
  ): Promise<Value> {
    return this.#folders.within(target.slice(0, -1), async (folder) => {
      const value = await giveName(join(folder, ...target.slice(-1)));
      await syncFolder(folder);
      return value;
    });
  }
}

/** The name's segments; throws a RangeError where the name breaks the port's rule. */
function segmentsOf(name: string): string[] {
  const segments = name.split('/');
  if (segments.every((segment) => SEGMENT.test(segment))) return segments;
  throw new RangeError(`not a name for an object or a folder: ${JSON.stringify(name)}`);
}

async function linkOnce(from: string, to: string): Promise<'created' | 'exists'> {
  try {
    await link(from, to);
    return 'created';
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EEXIST') return 'exists';
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EOPNOTSUPP' && code !== 'ENOSYS') {
      throw error;
    }
    const message = `The file system of ${dirname(to)} makes no hard links (${code}), which keep two
      writers apart; put the data directory on one that does (ext4, XFS, APFS, NTFS …).`;
    throw Object.assign(new Error(message.replace(/\s+/g, ' '), { cause: error }), { code });
  }
}

/** The file, open for reading; null where there is none, or a folder. */
async function openObject(path: string): Promise<FileHandle | null> {
  const file = await open(path, 'r').catch(nullIfAbsent);
  if (file === null || (await file.stat()).isFile()) return file;
  await file.close();
  return null;
}

async function readRange(file: FileHandle, range: { start: number; end: number }): Promise<Buffer> {
  const { size } = await file.stat();
  const wanted = Math.max(0, Math.min(range.end, size) - range.start);
  const buffer = Buffer.alloc(wanted);
  let filled = 0;
  while (filled < wanted) {
    const { bytesRead } = await file.read(buffer, filled, wanted - filled, range.start + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}
