/** Finds out what a data directory's file system can do, by doing it once. */

import { link, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

import { codeOf, nothing, syncFile, syncFolder } from './durable.ts';
import { DurableFolders } from './folders.ts';
import { ownedName } from './owner.ts';

/** For each thing that the store needs: null where it works, else what the system says. */
export interface FileStoreProbe {
  /** Making folders and writing files. */
  readonly write: string | null;
  /** Flushing a file. */
  readonly fsync: string | null;
  /** Flushing a folder. */
  readonly folderFsync: string | null;
  /** Renaming over a name that is taken. */
  readonly rename: string | null;
  /** Hard links, and their refusal of a name that is taken: what keeps two writers apart. */
  readonly link: string | null;
}

/** Makes the directory where it is absent, tries everything there and leaves nothing behind. */
export async function probeFileStore(root: string): Promise<FileStoreProbe> {
  const folders = new DurableFolders(resolve(root));
  let folder = '';
  const one = (): string => join(folder, 'one');
  const two = (): string => join(folder, 'two');
  try {
    const write = await problemOf(async () => {
      folder = await folders.within(['.tmp', ownedName('probe')], async (path) => path);
      await writeFile(one(), '1');
      await writeFile(two(), '2');
    });
    if (write !== null) {
      const untried = 'not tried: nothing can be written';
      return { write, fsync: untried, folderFsync: untried, rename: untried, link: untried };
    }
    return {
      write,
      fsync: await problemOf(() => syncFile(one())),
      folderFsync: await problemOf(() => syncFolder(folder)),
      link: await problemOf(() => tryLink(one(), two(), join(folder, 'three'))),
      rename: await problemOf(() => tryRename(one(), two())),
    };
  } finally {
    if (folder !== '') await rm(folder, { recursive: true, force: true }).catch(nothing);
  }
}

async function problemOf(attempt: () => Promise<void>): Promise<string | null> {
  try {
    await attempt();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function tryLink(from: string, taken: string, free: string): Promise<void> {
  await link(from, free);
  const refusal = await link(from, taken).then(() => undefined, codeOf);
  if (refusal !== 'EEXIST') throw new Error('link() does not refuse a name that is taken');
}

async function tryRename(from: string, taken: string): Promise<void> {
  const before = await readFile(from, 'utf8');
  // A reader that holds the replaced file open must not be in the way.
  const reader = await open(taken, 'r');
  try {
    await rename(from, taken);
  } finally {
    await reader.close();
  }
  if ((await readFile(taken, 'utf8')) !== before) throw new Error('rename() did not replace');
}
