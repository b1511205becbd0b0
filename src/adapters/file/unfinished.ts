/**
 * Unfinished writes: files without their name yet, and folders that are being emptied. They lie
 * in `<root>/.tmp`, on the store's own file system, and carry the mark of the process they
 * belong to, so that those of dead processes can be told and removed.
 */

import { copyFile, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

import {
  moveFolder,
  nothing,
  nullIfAbsent,
  removeFile,
  syncFile,
  writeNewFile,
} from './durable.ts';
import type { DurableFolders } from './folders.ts';
import { isAbandoned, ownedName } from './owner.ts';

const FOLDER = '.tmp';

/** How long an unfinished file of another host is left alone without a change. */
const FOREIGN_AGE_MS = 24 * 60 * 60 * 1000;

export class Unfinished {
  readonly #root: string;
  readonly #folders: DurableFolders;

  constructor(root: string, folders: DurableFolders) {
    this.#root = root;
    this.#folders = folders;
  }

  /** The path of a new flushed file with the content. */
  async write(content: Uint8Array | AsyncIterable<Uint8Array>): Promise<string> {
    return this.#make('write', (path) => writeNewFile(path, content));
  }

  /** The path of a new flushed copy of the file. */
  async copy(source: string): Promise<string> {
    return this.#make('copy', (path) => copyDurably(source, path));
  }

  /** Takes the folder away from where it is, at once, and then empties it. */
  async discard(folder: string): Promise<void> {
    const doomed = await this.#make('deleted', (path) => moveFolder(folder, path));
    await rm(doomed, { recursive: true, force: true });
  }

  /** Removes what dead processes left. Resolves to how many things went. */
  async removeAbandoned(): Promise<number> {
    const folder = join(this.#root, FOLDER);
    let removed = 0;
    for (const name of (await readdir(folder).catch(nullIfAbsent)) ?? []) {
      const path = join(folder, name);
      const found = await stat(path).catch(nullIfAbsent);
      if (found === null) continue;
      if (!isAbandoned(name, Date.now() - found.mtimeMs, FOREIGN_AGE_MS)) continue;
      await rm(path, { recursive: true, force: true });
      removed += 1;
    }
    return removed;
  }

  async #make(label: string, fill: (path: string) => Promise<void>): Promise<string> {
    return this.#folders.within([FOLDER], async (folder) => {
      const path = join(folder, ownedName(label));
      await fill(path);
      return path;
    });
  }
}

async function copyDurably(source: string, path: string): Promise<void> {
  try {
    await copyFile(source, path);
    await syncFile(path);
  } catch (error) {
    await removeFile(path).catch(nothing);
    throw error;
  }
}
