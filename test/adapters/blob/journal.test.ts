import { open, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, it, vi } from 'vitest';

import { createJournal } from '../../../src/adapters/blob/journal.ts';
import { createFileBlobStore } from '../../../src/adapters/file/blob-store.ts';
import { createSystemClock } from '../../../src/adapters/system/clock.ts';
import { createIds } from '../../../src/adapters/system/ids.ts';
import { journalContract } from '../../contract/journal.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const STREAM = 'local/jobs/job_x/journal/c000000';

journalContract('the file store', async () => createFileBlobStore(await temporaryFolder()));

describe('an entry that has its name on the disk while its folder could not be flushed', () => {
  it('counts as appended only after the folder was flushed again', async () => {
    const { journal, flushes } = await failingFlushes(1);
    const answer = await journal.append(STREAM, 2, {}, { count: 2 });
    expect(answer.status).toBe('appended');
    expect(flushes).toEqual(['failed', 'done']);
    expect(await journal.load(STREAM)).toEqual(answer.entry);
  });

  it('is not taken for appended where the folder cannot be flushed again', async () => {
    const { journal, flushes, store } = await failingFlushes(2);
    await expect(journal.append(STREAM, 2, {}, {})).rejects.toMatchObject({ code: 'EIO' });
    expect(flushes).toEqual(['failed', 'failed']);
    expect(await store.list(STREAM)).toEqual(['00000001.json', '00000002.json']);
  });
});

/** A journal with one entry, whose stream's folder fails to be flushed so many times. */
async function failingFlushes(times: number) {
  const root = await temporaryFolder();
  const store = createFileBlobStore(root);
  const clock = createSystemClock();
  const journal = createJournal(store, createIds(clock), clock);
  await journal.append(STREAM, 1, {}, { count: 1 });
  const { ino } = await stat(join(root, STREAM));
  const flushes: string[] = [];
  const prototype = await handlePrototype(root);
  const flush: (this: FileHandle) => Promise<void> = Reflect.get(prototype, 'sync');
  vi.spyOn(prototype, 'sync').mockImplementation(async function (this: FileHandle) {
    if ((await this.stat()).ino !== ino) return flush.call(this);
    flushes.push(flushes.length < times ? 'failed' : 'done');
    if (flushes.at(-1) === 'done') return flush.call(this);
    throw Object.assign(new Error('EIO: i/o error, fsync'), { code: 'EIO' });
  });
  return { journal, store, flushes };
}

async function handlePrototype(path: string): Promise<FileHandle> {
  const handle = await open(path, 'r');
  await handle.close();
  return Object.getPrototypeOf(handle) as FileHandle;
}
