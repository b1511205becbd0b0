/** Scratch on a local folder; each folder's name carries the mark of the process it belongs to. */

import { readdir, rm, stat, statfs } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

import type { Scratch } from '../../ports/scratch.ts';
import { nullIfAbsent } from './durable.ts';
import { makeFolders } from './folders.ts';
import { isAbandoned, isOwnedName, ownedName } from './owner.ts';

/** How long a folder of another host is left alone without a change to its entries. */
const FOREIGN_AGE_MS = 7 * 24 * 60 * 60 * 1000;

/** Scratch below `root`, which is made with the first folder. */
export function createFileScratch(root: string): Scratch {
  const base = resolve(root);
  return {
    async makeFolder(label) {
      const path = join(base, ownedName(label.replace(/[^A-Za-z0-9_-]+/g, '-')));
      await makeFolders(path);
      return path;
    },

    async removeFolder(path) {
      const folder = resolve(path);
      if (dirname(folder) !== base || !isOwnedName(basename(folder))) {
        throw new RangeError(`not a scratch folder: ${path}`);
      }
      await rm(folder, { recursive: true, force: true });
    },

    async removeAbandoned() {
      let removed = 0;
      for (const name of (await readdir(base).catch(nullIfAbsent)) ?? []) {
        if (await removeIfAbandoned(join(base, name))) removed += 1;
      }
      return removed;
    },

    async freeBytes() {
      const { bavail, bsize } = await statfs(await nearestFolder(base));
      return bavail * bsize;
    },
  };
}

async function removeIfAbandoned(path: string): Promise<boolean> {
  const found = await stat(path).catch(nullIfAbsent);
  if (found === null) return false;
  if (!isAbandoned(basename(path), Date.now() - found.mtimeMs, FOREIGN_AGE_MS)) return false;
  await rm(path, { recursive: true, force: true });
  return true;
}

/** The folder itself or its first ancestor that exists: asking for room must not write. */
async function nearestFolder(path: string): Promise<string> {
  const found = await stat(path).catch(nullIfAbsent);
  return found !== null || dirname(path) === path ? path : nearestFolder(dirname(path));
}
