/** The part of the journal's contract about stores that fail, and streams that are damaged. */

import { expect, it } from 'vitest';

import { StoreDamage } from '../../src/domain/errors.ts';
import type { BlobStore } from '../../src/ports/blob-store.ts';
import { fill, journalOver, STREAM } from './journal-entries.ts';

export function failing(open: () => Promise<BlobStore>): void {
  it('knows its own entry where the store wrote and then reported a failure', async () => {
    const store = await open();
    const journal = journalOver(breaking(store, 'after'));
    const answer = await journal.append(STREAM, 1, { type: 'x' }, { count: 1 });
    expect(answer.status).toBe('appended');
    expect(await journalOver(store).load(STREAM)).toEqual(answer.entry);
  });

  it('asks again before it relies on an entry whose write was reported as failed', async () => {
    const store = await open();
    const answers: string[] = [];
    const failsOnce = breaking(store, 'after');
    const watched = proxied(failsOnce, {
      putIfAbsent: async (name, bytes) => {
        try {
          const answer = await failsOnce.putIfAbsent(name, bytes);
          answers.push(answer);
          return answer;
        } catch (error) {
          answers.push('failed');
          throw error;
        }
      },
    });
    const journal = journalOver(watched);
    expect((await journal.append(STREAM, 1, {}, {})).status).toBe('appended');
    expect(answers).toEqual(['failed', 'exists']);
  });

  it('rejects where its own entry is there and the store never says that it is safe', async () => {
    const store = await open();
    const append = journalOver(breaking(store, 'always after')).append(STREAM, 1, {}, {});
    await expect(append).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(await store.list(STREAM)).toHaveLength(1);
  });

  it('knows its own entry where the store says that it exists already', async () => {
    const store = await open();
    const journal = journalOver(breaking(store, 'says exists'));
    const answer = await journal.append(STREAM, 1, { type: 'x' }, { count: 1 });
    expect(answer.status).toBe('appended');
  });

  it('has lost where the store failed and another entry is there', async () => {
    const store = await open();
    const other = await journalOver(store).append(STREAM, 1, { type: 'other' }, { count: 1 });
    const answer = await journalOver(breaking(store, 'before')).append(STREAM, 1, {}, {});
    expect(answer).toEqual({ status: 'lost', entry: other.entry });
  });

  it('rejects where the store failed and wrote nothing, and can append then', async () => {
    const store = await open();
    const broken = journalOver(breaking(store, 'before'));
    await expect(broken.append(STREAM, 1, {}, {})).rejects.toMatchObject({ code: 'ENOSPC' });
    expect((await journalOver(store).append(STREAM, 1, {}, {})).status).toBe('appended');
  });

  it('rejects where the outcome cannot be read back', async () => {
    const store = breaking(await open(), 'after');
    const unreadable: BlobStore = proxied(store, { get: () => Promise.reject(new Error('EIO')) });
    const append = journalOver(unreadable).append(STREAM, 1, {}, {});
    await expect(append).rejects.toThrow(/no space.*EIO/);
  });

  it('keeps the code by which trouble of the disk is known, where both calls fail', async () => {
    const failed = (call: string) =>
      Promise.reject(Object.assign(new Error(`EIO: i/o error, ${call}`), { code: 'EIO' }));
    const broken = proxied(await open(), {
      putIfAbsent: () => failed('write'),
      get: () => failed('read'),
    });
    const append = journalOver(broken).append(STREAM, 1, {}, {});
    await expect(append).rejects.toMatchObject({
      code: 'EIO',
      message: 'EIO: i/o error, write; EIO: i/o error, read',
    });
  });

  it('is damaged where the store says that an entry exists which cannot be read', async () => {
    const store = await open();
    await store.put(`${STREAM}/00000001.json`, Buffer.from('{'));
    const append = journalOver(store).append(STREAM, 1, {}, {});
    await expect(append).rejects.toBeInstanceOf(StoreDamage);
  });

  it('asks by its name for an entry that a listing leaves out', async () => {
    const store = await open();
    const appended = await fill(journalOver(store), 4);
    const hasty = proxied(store, {
      list: async (folder) => (await store.list(folder)).filter((name) => !/0000[23]\./.test(name)),
    });
    expect(await journalOver(hasty).load(STREAM)).toEqual(appended.at(-1));
    expect(await journalOver(hasty).history(STREAM)).toEqual(appended);
  });

  it('loads nothing where the stream is pruned while it is listed', async () => {
    const store = await open();
    await fill(journalOver(store), 3);
    const pruned = proxied(store, {
      list: async (folder) => {
        const names = await store.list(folder);
        await store.deleteFolder(STREAM);
        return names.slice(1);
      },
    });
    expect(await journalOver(pruned).load(STREAM)).toBeNull();
  });

  it('rejects where the store says that an entry exists which it does not have', async () => {
    const store = proxied(await open(), { putIfAbsent: async () => 'exists' });
    await expect(journalOver(store).append(STREAM, 1, {}, {})).rejects.toThrow('00000001.json');
  });

  it('loads nothing where the stream is pruned between two of its calls', async () => {
    const store = await open();
    await fill(journalOver(store), 2);
    const pruned = proxied(store, {
      get: async () => {
        await store.deleteFolder(STREAM);
        return null;
      },
    });
    expect(await journalOver(pruned).load(STREAM)).toBeNull();
  });
}

export function damage(open: () => Promise<BlobStore>): void {
  it.each([
    ['is empty', '', /00000002\.json is unreadable: it is empty/],
    ['is cut short', '{"eventId":"abc","vers', /00000002\.json is unreadable: it is not JSON/],
    ['is no entry', '{"version":2}', /00000002\.json is unreadable: it is not an entry/],
    ['is null', 'null', /00000002\.json is unreadable: it is not an entry/],
    [
      'says another version',
      '{"eventId":"a","version":3,"atMs":1,"writer":"w","event":{},"state":{}}',
      /00000002\.json is unreadable: it says version 3/,
    ],
  ])('names the object whose content %s', async (_, content, message) => {
    const store = await open();
    const journal = journalOver(store);
    await fill(journal, 1);
    await store.put(`${STREAM}/00000002.json`, Buffer.from(content));
    await expect(journal.load(STREAM)).rejects.toThrow(message);
    await expect(journal.history(STREAM)).rejects.toThrow(message);
    await expect(journal.append(STREAM, 2, {}, {})).rejects.toThrow(message);
  });

  it('refuses a stream in which a version is missing', async () => {
    const store = await open();
    const journal = journalOver(store);
    await fill(journal, 3);
    await store.delete(`${STREAM}/00000002.json`);
    await expect(journal.load(STREAM)).rejects.toThrow('00000002.json is missing');
    await expect(journal.history(STREAM)).rejects.toThrow('00000002.json is missing');
  });
}

/** The store, whose putIfAbsent misbehaves: once where it fails after having written. */
function breaking(
  store: BlobStore,
  how: 'before' | 'after' | 'always after' | 'says exists',
): BlobStore {
  let failures = 0;
  return proxied(store, {
    putIfAbsent: async (name, bytes) => {
      if (how === 'before') throw noRoom();
      const answer = await store.putIfAbsent(name, bytes);
      if (how === 'says exists') return 'exists';
      failures += 1;
      if (how === 'after' && failures > 1) return answer;
      throw noRoom();
    },
  });
}

function noRoom(): Error {
  return Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
}

function proxied(store: BlobStore, changes: Partial<BlobStore>): BlobStore {
  return {
    putIfAbsent: (name, bytes) => store.putIfAbsent(name, bytes),
    put: (name, content) => store.put(name, content),
    putFile: (name, localPath) => store.putFile(name, localPath),
    get: (name, range) => store.get(name, range),
    toLocal: (name) => store.toLocal(name),
    head: (name) => store.head(name),
    list: (folder) => store.list(folder),
    delete: (name) => store.delete(name),
    deleteFolder: (folder) => store.deleteFolder(folder),
    ...changes,
  };
}
